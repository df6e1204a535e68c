"""Files that go into a student's working folder and come back from it, as data."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

NEVER = ("__pycache__", ".ipynb_checkpoints")
DEEPEST, LONGEST = 32, 200  # folders in a path, bytes in a name
Stamp = tuple[int, int, int]


def read_folder(folder: Path, most: int, leave_out: Iterable[str] = ()) -> dict[str, bytes]:
    """The regular files below ``folder`` by relative path, up to ``most`` bytes together.

    Links and special files are passed over, and so is what would not fit any more.
    ``leave_out`` are names at the top that stay here.
    """
    left, found, hidden = most, {}, frozenset(leave_out)
    for name, path, _ in sorted(_walk(folder)):
        size = path.stat().st_size
        if name in hidden or size > left:
            continue
        try:
            data = _read(path, size)
        except OSError:
            continue
        left -= len(data)
        found[name] = data
    return found


def write_folder(folder: Path, files: Mapping[str, bytes | memoryview]) -> None:
    """Write ``files`` below ``folder``.

    A path that would lead out of it is not written, nor one that has a file where it needs a
    folder or the other way round.
    """
    for name, data in files.items():
        if is_inside(name):
            with contextlib.suppress(FileExistsError, IsADirectoryError, NotADirectoryError):
                _write(folder, PurePosixPath(name), data)


def _write(folder: Path, name: PurePosixPath, data: bytes | memoryview) -> None:
    """Write one file; never through a link, which may lead anywhere."""
    place = folder
    for part in name.parts[:-1]:
        place /= part
        if place.is_symlink():
            return
        place.mkdir(exist_ok=True)
    path = place / name.name
    if path.is_symlink() or not (path.is_file() or not path.exists()):
        return
    path.write_bytes(data)


def is_inside(name: str) -> bool:
    """Whether ``name`` is a plain relative path that stays below its folder."""
    path = PurePosixPath(name)
    plain = name.isprintable() and "\\" not in name and 0 < len(path.parts) <= DEEPEST
    short = all(len(part.encode("utf-8", "replace")) <= LONGEST for part in path.parts)
    return plain and short and not path.is_absolute() and not {"..", *NEVER} & set(path.parts)


def stamps(folder: Path) -> dict[str, Stamp]:
    """What :func:`changed_since` compares with: who each file is, its size and its time."""
    return {name: stamp for name, _, stamp in _walk(folder)}


def changed_since(before: dict[str, Stamp], folder: Path, most: int) -> dict[str, bytes]:
    """Files made or changed since ``before``, up to ``most`` bytes together."""
    left, found = most, {}
    for name, path, stamp in sorted(_walk(folder)):
        if before.get(name) == stamp or stamp[1] > left or not is_inside(name):
            continue
        try:
            found[name] = _read(path, stamp[1])
        except OSError:
            continue
        left -= len(found[name])
    return found


def _read(path: Path, size: int) -> bytes:
    # Not through a link, and without waiting for whoever should write into a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(size)


def _walk(folder: Path) -> Iterator[tuple[str, Path, Stamp]]:
    for place, folders, names in os.walk(folder):
        deep = len(Path(place).relative_to(folder).parts)
        folders[:] = [name for name in folders if name not in NEVER and deep < DEEPEST]
        for name in names:
            path = Path(place, name)
            try:
                about = path.lstat()
            except OSError:
                continue
            if stat.S_ISREG(about.st_mode):
                stamp = (about.st_ino, about.st_size, about.st_mtime_ns)
                yield path.relative_to(folder).as_posix(), path, stamp
