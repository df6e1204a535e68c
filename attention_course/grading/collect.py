"""Collecting from an exchange on one host: a submission counts for the account that made it.

nbgrader's exchange reads the student from a folder's name, which its maker chooses, and only
warns where the owner is another. A later submission in someone's name would replace theirs.

It copies with the instructor's rights, through links. Whoever can write into ``inbound`` could
hand in a link to the gradebook and read it in the feedback. Here only regular files are taken
that the student owns, each by a descriptor, so that nothing is put in its place between the
look and the reading.
"""

from __future__ import annotations

import errno
import itertools
import os
import pwd
import secrets
import shutil
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, BinaryIO

from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import parse_utc

REFUSED = ""  # no account has an empty name
NAMED = 10  # left-out entries that are named one by one
DEEPEST = 30  # folders within folders; each costs a descriptor and a call
LONGEST = 1000  # bytes of a path within a submission, so that every program can use the copy
MOST = 10_000  # files and folders of a submission; each costs a file of the instructor's
PIECE = 1 << 20
# Without O_NONBLOCK a pipe that nobody writes to, or a file under a lease, would be waited for.
_FOR_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KINDS = {
    stat.S_IFLNK: "a link",  # it could lead to any file of the instructor's
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFREG: "a file",
}
# Faults of a name on this file system; any other, such as a full disk, is not the student's.
_FAULTS_OF_A_NAME = {errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.EEXIST}


class OwnedCollect(ExchangeCollect):
    """nbgrader's collect, which takes only what the student who is named made and owns.

    ``c.ExchangeFactory.collect = "attention_course.grading.collect.OwnedCollect"``
    """

    src_records: list[dict[str, Any]]

    def _path_to_record(self, path: str) -> dict[str, Any]:
        try:
            record: dict[str, Any] = super()._path_to_record(path)
        # The time is whatever the maker typed, and its parser raises errors of many kinds.
        except Exception:
            self._refuse(path, "holds no time in its name", _maker(path))
            return {"username": REFUSED, "filename": "", "timestamp": datetime.min}
        try:
            os.close(_open_submission(path, record["username"]))
        except NotTaken as reason:
            self._refuse(path, str(reason), _maker(path))
            record["username"] = REFUSED
        return record

    def _refuse(self, path: str, reason: str, maker: str) -> None:
        self.log.error("%s %s; it was not collected. Ask %s.", _shown(path), reason, maker)

    def init_src(self) -> None:
        super().init_src()
        self.src_records = [one for one in self.src_records if one["username"] != REFUSED]
        # Was done, and better: by path it ends the whole run at a folder that is gone by now.
        self.check_owner = False

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy one submission; what may not be taken is left out and said, the rest is kept."""
        student, _, time = Path(src).name.rsplit("+", 3)[:3]
        try:
            folder = _open_submission(src, student)
        except NotTaken as reason:
            self._refuse(src, str(reason), student)
            return
        copying = Copying(
            owner=os.fstat(folder).st_uid,
            ignore=self.coursedir.ignore,
            include=self.coursedir.include,
            largest=1000 * self.coursedir.max_file_size or sys.maxsize,  # 0: no limit
            left=1000 * self.coursedir.max_dir_size,
            groupshared=self.coursedir.groupshared,
        )
        try:
            copying.folder(folder, Path(dest), "")
            self._complete(Path(dest), student, time)
        except NotTaken as reason:
            self._refuse(src, str(reason), student)
        except BaseException:
            # Half a submission would count as collected at the next run.
            shutil.rmtree(dest, ignore_errors=True)
            raise
        finally:
            os.close(folder)
        self._say(student, copying.left_out)

    def _say(self, student: str, left_out: Sequence[tuple[str, str]]) -> None:
        for name, reason in left_out[:NAMED]:
            self.log.warning(
                "%s handed in %s, which %s; it was left out and the rest collected. "
                "If it is needed, ask %s to hand in an ordinary file of their own.",
                student,
                _shown(name),
                reason,
                student,
            )
        if len(left_out) > NAMED:
            self.log.warning(
                "%s handed in %d more of the kind, which were left out as well. Look into the "
                "submission's folder in the exchange, without opening what lies there.",
                student,
                len(left_out) - NAMED,
            )

    def _complete(self, folder: Path, student: str, time: str) -> None:
        """Put right the two files that nbgrader reads later, where it would end for everybody."""
        try:
            known = self.coursedir.get_existing_timestamp(str(folder)) is not None
        # Any text may stand there, and nbgrader's own way to say so raises AttributeError.
        except Exception:
            known = False
        if not known:
            said = f"{parse_utc(time).isoformat(sep=' ')} UTC"
            self._replace(folder / "timestamp.txt", said)
            self.log.warning(
                "%s handed in no timestamp.txt with a time in it; the time in the folder's name, "
                "%s, was taken.",
                student,
                said,
            )
        secret = folder / "submission_secret.txt"
        try:
            known = bool(secret.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = False
        if not known:
            self._replace(secret, secrets.token_hex(64))
            self.log.warning(
                "%s handed in no readable submission_secret.txt, by which nbgrader fetch_feedback "
                "finds the feedback; one was made. Ask %s to hand in with nbgrader submit.",
                student,
                student,
            )

    def _replace(self, path: Path, text: str) -> None:
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o664 if self.coursedir.groupshared else 0o644)


class NotTaken(Exception):
    """Why something that was handed in is not copied, as the rest of a sentence."""


@dataclass
class Copying:
    """One submission on its way: whose files it may bring, how many bytes, what stayed behind."""

    owner: int
    ignore: Sequence[str]
    include: Sequence[str]
    largest: int
    left: int
    groupshared: bool = False
    entries_left: int = field(default_factory=lambda: MOST)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def folder(self, source: int, target: Path, inside: str, depth: int = 0) -> None:
        """Copy what lies in an open folder into ``target``, which is made."""
        entries = _entries(source, self.entries_left + 1)
        if len(entries) > self.entries_left:
            entries = entries[: self.entries_left]
            self.left_out.append((inside or ".", f"makes more than {MOST:,} files and folders"))
        self.entries_left -= len(entries)
        target.mkdir(mode=0o700)
        # Small ones first: where the submission is too large, its notebook is what is kept.
        for name, about in sorted(entries, key=lambda one: (_size(one[1]), one[0])):
            if any(fnmatch(name, pattern) for pattern in self.ignore):
                continue
            path = f"{inside}/{name}" if inside else name
            try:
                self._entry(source, name, about, target / name, path, depth)
            except NotTaken as reason:
                self.left_out.append((path, str(reason)))
        about = os.fstat(source)
        # The instructor's own rights, so that they can replace it with the next submission.
        mode = stat.S_IMODE(about.st_mode) & 0o2755 | 0o700
        os.chmod(target, mode | 0o2770 if self.groupshared else mode)
        with suppress(OSError, OverflowError):  # times that this file system cannot hold
            os.utime(target, ns=(about.st_atime_ns, about.st_mtime_ns))

    def _entry(
        self,
        source: int,
        name: str,
        about: os.stat_result | None,
        target: Path,
        path: str,
        depth: int,
    ) -> None:
        if about is None:
            raise NotTaken("is gone or cannot be looked at")
        if depth >= DEEPEST or len(os.fsencode(path)) > LONGEST:
            raise NotTaken(f"lies more than {DEEPEST} folders deep or has too long a name")
        is_folder = stat.S_ISDIR(about.st_mode)
        if not is_folder and not _included(name, self.include):
            return
        # Looked at before it is opened, since opening a device may already do something; and
        # afterwards once more by the descriptor, which is what counts.
        self._check(about)
        opened = _open(name, os.O_DIRECTORY if is_folder else 0, source)
        try:
            about = os.fstat(opened)
            self._check(about)
            if stat.S_ISDIR(about.st_mode) != is_folder:
                raise NotTaken("became something else while it was looked at")
            try:
                if is_folder:
                    self.folder(opened, target, path, depth + 1)
                else:
                    self._file(opened, about, target)
            except OSError as error:
                if error.errno not in _FAULTS_OF_A_NAME:
                    raise
                raise NotTaken(f"cannot have that name here ({error.strerror})") from None
        finally:
            os.close(opened)

    def _check(self, about: os.stat_result) -> None:
        kind = stat.S_IFMT(about.st_mode)
        if kind not in (stat.S_IFREG, stat.S_IFDIR):
            raise NotTaken(f"is {_KINDS.get(kind, 'a device')}, not a file")
        if about.st_uid != self.owner:
            raise NotTaken(f"belongs to {_name_of(about.st_uid)}")
        if kind == stat.S_IFREG:
            self._measure(about.st_size)

    def _measure(self, size: int) -> None:
        if size > self.largest:
            raise NotTaken(
                f"is larger than {self.largest:,} bytes (c.CourseDirectory.max_file_size)"
            )
        if size > self.left:
            raise NotTaken("makes the submission too large (c.CourseDirectory.max_dir_size)")

    def _file(self, source: int, about: os.stat_result, target: Path) -> None:
        with target.open("xb") as file:
            try:
                copied = self._content(source, file)
            except NotTaken:
                target.unlink()
                raise
            # No set-user-ID bit, and nobody else writes: the copy belongs to the instructor.
            mode = stat.S_IMODE(about.st_mode) & 0o755 | 0o600
            os.fchmod(file.fileno(), mode | 0o660 if self.groupshared else mode)
        self.left -= copied
        with suppress(OSError, OverflowError):
            os.utime(target, ns=(about.st_atime_ns, about.st_mtime_ns))

    def _content(self, source: int, file: BinaryIO) -> int:
        copied = 0
        while True:
            try:
                piece = os.read(source, PIECE)
            except OSError as error:
                raise NotTaken(f"cannot be read ({error.strerror})") from None
            if not piece:
                return copied
            copied += len(piece)
            self._measure(copied)  # it may have grown since it was looked at
            file.write(piece)


def _open_submission(path: str, student: str) -> int:
    """A descriptor of a submission's folder, made by that student. Raises NotTaken."""
    try:
        about = os.lstat(path)
    except OSError as error:
        raise NotTaken(f"cannot be looked at ({error.strerror})") from None
    maker = _name_of(about.st_uid)  # of a symbolic link, the link's own
    if maker != student:
        raise NotTaken(f"says it is from {_shown(student)}, but {maker} made it")
    if not stat.S_ISDIR(about.st_mode):
        raise NotTaken(f"is {_KINDS.get(stat.S_IFMT(about.st_mode), 'a device')}, not a folder")
    folder = _open(path, os.O_DIRECTORY)
    if os.fstat(folder).st_uid != about.st_uid:
        os.close(folder)
        raise NotTaken("was exchanged while it was looked at")
    return folder


def _open(name: str, flags: int, folder: int | None = None) -> int:
    try:
        return os.open(name, _FOR_READING | flags, dir_fd=folder)
    except OSError as error:
        raise NotTaken(f"cannot be opened ({error.strerror})") from None


def _entries(folder: int, most: int) -> list[tuple[str, os.stat_result | None]]:
    try:
        with os.scandir(folder) as found:
            names = [entry.name for entry in itertools.islice(found, most)]
    except OSError as error:
        raise NotTaken(f"cannot be listed ({error.strerror})") from None
    return [(name, _look(folder, name)) for name in names]


def _look(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None


def _size(about: os.stat_result | None) -> float:
    """By which an entry has its turn: folders after files."""
    if about is None:
        return 0
    return float("inf") if stat.S_ISDIR(about.st_mode) else about.st_size


def _included(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatch(name, pattern) for pattern in patterns)


def _shown(text: str) -> str:
    """A name of somebody else's choice as one harmless line."""
    return repr(text)[1:-1]


def _maker(path: str) -> str:
    try:
        return _name_of(os.lstat(path).st_uid)
    except OSError:
        return "whoever made it"


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
