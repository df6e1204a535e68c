"""What the instructor's collect takes out of the exchange, and what it leaves where it lies."""

from __future__ import annotations

import logging
import os
import pwd
import shutil
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from attention_course.grading import collect as module
from attention_course.grading.collect import OwnedCollect

ME = pwd.getpwuid(os.getuid()).pw_name
SECRET = "SECRET-OF-SOMEBODY"
TIME = "2025-03-01 12:00:00.000000 UTC"
LATER = "2025-03-02 12:00:00.000000 UTC"
HONEST = {
    "lesson.ipynb": "{}",
    "data/table.csv": "1,2",
    "timestamp.txt": TIME,
    "submission_secret.txt": "known",
}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")


class Exchange:
    """An exchange of one user's and the course it belongs to."""

    def __init__(self, root: Path, said: pytest.LogCaptureFixture, gradebook: str) -> None:
        self.said, self.gradebook = said, gradebook
        self.course = root / "course"
        self.inbound = root / "exchange" / "course-id" / "inbound"
        self.course.mkdir()
        self.inbound.mkdir(parents=True)
        self.target = self.course / "gradebook.txt"
        self.target.write_text(SECRET)

    def hand_in(self, student: str = ME, time: str = TIME, owner: str | None = None) -> Path:
        """An honest submission, which belongs to the student or to somebody else."""
        folder = self.inbound / f"{student}+ps1+{time}+x"
        for name, text in {**HONEST, "timestamp.txt": time}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        if (owner or student) != ME:
            give(folder, owner or student)
        return folder

    def collect(self, **settings: object) -> str:
        """Run collect as ``nbgrader collect ps1``; returns what it logged."""
        config = Config()
        config.Exchange.root = str(self.inbound.parents[1])
        config.CourseDirectory.root = str(self.course)
        config.CourseDirectory.db_url = self.gradebook
        config.CourseDirectory.course_id = "course-id"
        config.CourseDirectory.assignment_id = "ps1"
        for name, value in settings.items():
            owner = "CourseDirectory" if name in CourseDirectory.class_trait_names() else None
            config[owner or "ExchangeCollect"][name] = value
        self.said.clear()
        log = logging.getLogger("collect")
        with self.said.at_level(logging.INFO, logger="collect"):
            courses = CourseDirectory(config=config, log=log)
            OwnedCollect(
                coursedir=courses,
                authenticator=Authenticator(config=config),
                config=config,
                log=log,
            ).start()
        return "\n".join(record.getMessage() for record in self.said.records)

    def came(self, student: str = ME) -> dict[str, str]:
        """The collected files of a student with their content."""
        folder = self.course / "submitted" / student / "ps1"
        assert not any(path.is_symlink() for path in folder.rglob("*"))
        return {
            path.relative_to(folder).as_posix(): path.read_text()
            for path in folder.rglob("*")
            if path.is_file()
        }


def give(folder: Path, student: str) -> None:
    account = pwd.getpwnam(student)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


@pytest.fixture(scope="module")
def gradebook(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One empty gradebook for all, since collect only asks it for a due date."""
    return f"sqlite:///{tmp_path_factory.mktemp('gradebook')}/gradebook.db"


@pytest.fixture
def exchange(tmp_path: Path, caplog: pytest.LogCaptureFixture, gradebook: str) -> Exchange:
    return Exchange(tmp_path, caplog, gradebook)


def sock(path: Path) -> None:
    # A socket's name may be no longer than some hundred bytes.
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


def link_to_a_folder_upwards(path: Path) -> None:
    path.symlink_to("../../../../course")


PLANTED: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "a link to a file": (lambda path, target: path.symlink_to(target), "is a link, not a file"),
    "a link to a folder": (lambda path, target: path.symlink_to(target.parent), "is a link"),
    "a relative link": (lambda path, target: link_to_a_folder_upwards(path), "is a link"),
    "a link to nothing": (lambda path, target: path.symlink_to("nothing"), "is a link"),
    "a link to a device": (lambda path, target: path.symlink_to("/dev/null"), "is a link"),
    "a pipe": (lambda path, target: os.mkfifo(path), "is a pipe, not a file"),
    "a socket": (lambda path, target: sock(path), "is a socket, not a file"),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("where", ["x.txt", "data/x.txt", "x.ipynb"])
@pytest.mark.parametrize("what", PLANTED)
def test_what_is_no_file_stays_and_everything_else_is_collected(
    exchange: Exchange, what: str, where: str
) -> None:
    plant, reason = PLANTED[what]
    plant(exchange.hand_in() / where, exchange.target)
    words = exchange.collect()
    assert exchange.came() == HONEST
    assert f"{ME} handed in {where}, which {reason}" in words
    assert f"ask {ME} to hand in an ordinary file of their own" in words


@needs_root
@pytest.mark.parametrize("kind", ["file", "hard link", "folder"])
def test_what_belongs_to_somebody_else_stays(exchange: Exchange, kind: str) -> None:
    folder = exchange.hand_in("daemon")
    path = folder / "x"
    if kind == "hard link":
        os.link(exchange.target, path)
    elif kind == "folder":
        path.mkdir()
        (path / "y").write_text(SECRET)
    else:
        path.write_text(SECRET)
    words = exchange.collect()
    assert exchange.came("daemon") == HONEST
    assert f"daemon handed in x, which belongs to {ME}; it was left out" in words


def test_a_linked_submission_is_refused_and_the_one_before_it_counts(exchange: Exchange) -> None:
    exchange.hand_in()
    (exchange.inbound / f"{ME}+ps1+{LATER}+x").symlink_to(exchange.course)
    words = exchange.collect()
    assert exchange.came() == HONEST
    assert f"is a link, not a folder; it was not collected. Ask {ME}." in words


@needs_root
def test_a_submission_in_anothers_name_is_refused(exchange: Exchange) -> None:
    exchange.hand_in("daemon")
    exchange.hand_in("daemon", LATER, owner="nobody")
    words = exchange.collect()
    assert exchange.came("daemon")["timestamp.txt"] == TIME
    assert "says it is from daemon, but nobody made it; it was not collected. Ask nobody." in words


@pytest.mark.parametrize("name", ["lesson.ipynb", "data"])
def test_a_link_put_in_place_after_the_look_is_not_followed(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder, really = exchange.hand_in(), os.open
    (exchange.course / "table.csv").write_text(SECRET)

    def swapped(path: str, *arguments: int, **others: int | None) -> int:
        if path == name:
            (folder / name).rename(exchange.inbound / "aside")
            (folder / name).symlink_to(exchange.course if name == "data" else exchange.target)
        return really(path, *arguments, **others)

    monkeypatch.setattr(module.os, "open", swapped)
    words = exchange.collect()
    assert exchange.came() == {k: v for k, v in HONEST.items() if not k.startswith(name)}
    assert f"{ME} handed in {name}, which cannot be opened" in words


@needs_root
def test_an_others_file_put_in_place_after_the_look_is_not_taken(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, really = exchange.hand_in("daemon"), os.open

    def swapped(path: str, *arguments: int, **others: int | None) -> int:
        if path == "lesson.ipynb":
            os.replace(exchange.target, folder / path)
        return really(path, *arguments, **others)

    monkeypatch.setattr(module.os, "open", swapped)
    assert "lesson.ipynb, which belongs to" in exchange.collect()
    assert "lesson.ipynb" not in exchange.came("daemon")


def test_a_folder_exchanged_for_a_link_before_it_is_copied_is_refused(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, really = exchange.hand_in(), OwnedCollect.do_copy

    def swapped(self: OwnedCollect, src: str, dest: str) -> None:
        folder.rename(exchange.inbound / "aside")
        folder.symlink_to(exchange.course)
        really(self, src, dest)

    monkeypatch.setattr(OwnedCollect, "do_copy", swapped)
    assert "is a link, not a folder; it was not collected" in exchange.collect()
    assert exchange.came() == {}


@needs_root
@pytest.mark.parametrize("what", ["name", "file", "gone", "timestamp", "bytes", "too large"])
def test_one_broken_submission_keeps_nobody_elses_from_being_collected(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    students = "daemon", "games", "nobody"
    folders = {student: exchange.hand_in(student) for student in students}
    mine = folders["games"]
    if what == "name":
        mine.rename(exchange.inbound / "games+ps1+when\x1b[2J\n+x")
    elif what == "file":
        shutil.rmtree(mine)
        mine.write_text("x")
        give(mine, "games")
    elif what == "gone":
        really = OwnedCollect.copy_files
        monkeypatch.setattr(
            OwnedCollect, "copy_files", lambda self: (shutil.rmtree(mine), really(self))
        )
    elif what in ("timestamp", "bytes"):
        (mine / "timestamp.txt").write_bytes(b"soon" if what == "timestamp" else b"\xff")
        exchange.collect()
    else:
        (mine / "x").write_bytes(bytes(2_000_000))
        give(mine, "games")
    words = exchange.collect(update=True, max_dir_size=1000)
    assert exchange.came("daemon") == exchange.came("nobody") == HONEST
    assert "\x1b" not in words
    came = exchange.came("games")
    if what in ("name", "file", "gone"):
        assert came == {}
        assert "it was not collected. Ask games." in words
    elif what in ("timestamp", "bytes"):
        assert came == {**HONEST, "timestamp.txt": "2025-03-01 12:00:00 UTC"}
    else:
        assert came == HONEST
        assert "makes the submission too large (c.CourseDirectory.max_dir_size)" in words


def test_the_two_files_that_nbgrader_reads_later_are_there_and_can_be_read(
    exchange: Exchange,
) -> None:
    folder = exchange.hand_in()
    (folder / "timestamp.txt").unlink()
    (folder / "timestamp.txt").symlink_to(exchange.target)
    (folder / "submission_secret.txt").unlink()
    (folder / "submission_secret.txt").mkdir()
    words = exchange.collect()
    came = exchange.came()
    assert came["timestamp.txt"] == "2025-03-01 12:00:00 UTC"
    assert len(came["submission_secret.txt"]) == 128
    assert "the time in the folder's name, 2025-03-01 12:00:00 UTC, was taken" in words
    assert f"Ask {ME} to hand in with nbgrader submit." in words
    assert "No newer submission" in exchange.collect(update=True)


def test_times_and_modes_are_kept_without_rights_for_programs(exchange: Exchange) -> None:
    folder = exchange.hand_in()
    (folder / "lesson.ipynb").chmod(0o4444)
    (folder / "data").chmod(0o555)
    for path in (folder / "lesson.ipynb", folder / "data", folder):
        os.utime(path, (1_000_000_000, 1_000_000_001))
    exchange.collect()
    copy = exchange.course / "submitted" / ME / "ps1"
    for path in (copy / "lesson.ipynb", copy / "data", copy):
        assert path.stat().st_mtime == 1_000_000_001
    assert stat.S_IMODE((copy / "lesson.ipynb").stat().st_mode) == 0o644
    assert stat.S_IMODE((copy / "data").stat().st_mode) == 0o755


def test_nobody_but_the_instructor_may_write_a_copy(exchange: Exchange) -> None:
    folder = exchange.hand_in()
    for path in (folder, folder / "lesson.ipynb", folder / "data"):
        path.chmod(0o777)
    exchange.collect()
    copy = exchange.course / "submitted" / ME / "ps1"
    assert [p for p in (copy, *copy.rglob("*")) if p.stat().st_mode & 0o022] == []


def test_a_submission_of_very_many_files_costs_nobody_else_theirs(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 50)
    folder = exchange.hand_in()
    for number in range(20):
        (folder / f"d{number}").mkdir()
        for one in range(10):
            (folder / f"d{number}" / f"{one}").touch()
    said = exchange.collect()
    copy = exchange.course / "submitted" / ME / "ps1"
    assert len(list(copy.rglob("*"))) <= 50
    assert exchange.came()["lesson.ipynb"] == "{}"
    assert "makes more than 50 files and folders" in said


def test_a_course_shared_by_a_group_may_write_the_copies(exchange: Exchange) -> None:
    exchange.hand_in()
    exchange.collect(groupshared=True)
    copy = exchange.course / "submitted" / ME / "ps1"
    for path in (copy, *copy.rglob("*")):
        wanted = 0o2770 if path.is_dir() else 0o660
        assert path.stat().st_mode & wanted == wanted, path


def test_settings_of_the_course_about_files_still_count(exchange: Exchange) -> None:
    folder = exchange.hand_in()
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_text("x")
    (folder / "big.bin").write_bytes(bytes(3000))
    words = exchange.collect(max_file_size=2)
    assert exchange.came() == HONEST
    assert "big.bin, which is larger than 2,000 bytes (c.CourseDirectory.max_file_size)" in words


def test_only_a_newer_submission_replaces_one_and_only_when_asked(exchange: Exchange) -> None:
    exchange.hand_in()
    exchange.collect()
    newer = exchange.hand_in(time=LATER)
    (newer / "lesson.ipynb").write_text("new")
    (newer / "data" / "table.csv").unlink()
    assert "Submission already exists" in exchange.collect()
    assert exchange.came() == HONEST
    assert "Updating submission" in exchange.collect(update=True)
    assert exchange.came() == {
        "lesson.ipynb": "new",
        "timestamp.txt": LATER,
        "submission_secret.txt": "known",
    }


def test_many_left_out_entries_are_counted_and_not_all_named(exchange: Exchange) -> None:
    folder = exchange.hand_in()
    for number in range(25):
        (folder / f"x{number}\n\x1b[31m").symlink_to(exchange.target)
    deep = folder
    for _ in range(40):
        deep = deep / "d"
    deep.mkdir(parents=True)
    words = exchange.collect()
    assert words.count("which is a link") == 10
    assert f"{ME} handed in 16 more of the kind" in words
    assert "\x1b" not in words
    assert set(exchange.came()) == set(HONEST)


def test_a_copy_that_could_not_be_finished_does_not_count_as_collected(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange.hand_in()

    def full(self: module.Copying, *arguments: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module.Copying, "_content", full)
        with pytest.raises(OSError, match="No space left"):
            exchange.collect()
    exchange.collect()
    assert exchange.came() == HONEST
