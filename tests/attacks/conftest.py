"""A small world to attack: a course with secrets, a bystander, listeners; and a grader."""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from attention_course.grading.engine import REFUSED, Record, Surroundings, grade_notebook
from attention_course.grading.sandbox import Limits, level_here, warm
from attention_course.grading.source import instructor_cells, plan

from ..grading.conftest import Graded, plain, test
from ..grading.forked_warm import ForkedElsewhere, stop_using, use_forked

QUIET: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)


@dataclass
class World:
    """What a hostile answer could be after, and whether anything happened to it."""

    root: Path
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    mark: str = field(default_factory=lambda: "att" + secrets.token_hex(4))

    def __post_init__(self) -> None:
        self.submission = self.root / "submitted" / "student-01" / "attention"
        neighbour = self.root / "submitted" / "student-02" / "attention"
        for folder in (self.submission, neighbour, self.root / "source" / "attention"):
            folder.mkdir(parents=True)
        for place in (neighbour / "lesson.ipynb", self.root / "source" / "attention" / "hidden.py"):
            place.write_text(self.secret)
        with contextlib.closing(sqlite3.connect(self.root / "gradebook.db")) as database:
            database.execute("create table grade (student text, score real)")
            database.execute("insert into grade values ('student-01', 0), (?, 20)", (self.secret,))
            database.commit()
        Path("/dev/shm", self.mark).write_text(self.secret)
        self.listeners = [socket.socket(socket.AF_INET), socket.socket(socket.AF_UNIX)]
        self.listeners.append(socket.socket(socket.AF_UNIX))
        self.listeners[0].bind(("127.0.0.1", 0))
        self.listeners[1].bind(f"\0{self.mark}")
        self.listeners[2].bind(os.path.relpath(self.root / "socket"))
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind(("127.0.0.1", 0))
        for listener in self.listeners:
            listener.listen()
            listener.setblocking(False)
        self.datagrams.setblocking(False)
        code = f"kept = {self.secret!r}\nimport time\ntime.sleep(600)"
        self.bystander = subprocess.Popen(
            [sys.executable, "-c", code], env={"SECRET": self.secret}, **QUIET
        )
        self.settings = self.bystanders_settings()
        self.before = self.digest()

    def places(self) -> dict[str, Any]:
        """What ``@NAME@`` stands for in an attack's source."""
        return {
            "COURSE": self.root,
            "PORT": self.listeners[0].getsockname()[1],
            "UDP": self.datagrams.getsockname()[1],
            "PID": self.bystander.pid,
            "GRADER": os.getpid(),
            "MARK": self.mark,
            "REPOSITORY": Path(__file__).resolve().parents[2],
        }

    def digest(self) -> dict[str, str]:
        found = {}
        for path in sorted(self.root.rglob("*")):
            if path.is_relative_to(self.submission):
                continue  # what a submission wrote there is its own
            about = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            name = path.relative_to(self.root).as_posix()
            found[name] = f"{about.st_mode} {about.st_uid} {hashlib.sha256(content).hexdigest()}"
        return found

    def bystanders_settings(self) -> tuple[object, ...]:
        pid = self.bystander.pid
        return (
            *(resource.prlimit(pid, kind) for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS)),
            os.getpriority(os.PRIO_PROCESS, pid),
            os.sched_getaffinity(pid),
        )

    def troubles(self) -> list[str]:
        """What an attack has changed or reached; an empty list where all is as it was."""
        found = []
        after = self.digest()
        found += [f"{n} changed" for n in self.before if after.get(n) != self.before[n]]
        found += [f"{n} is new" for n in after if n not in self.before]
        for listener in self.listeners:
            with contextlib.suppress(BlockingIOError):
                listener.accept()
                found.append(f"{listener} was reached")
        with contextlib.suppress(BlockingIOError):
            found.append(f"a datagram arrived: {self.datagrams.recv(100)!r}")
        if self.bystander.poll() is not None:
            found.append("the bystander was ended")
        elif self.bystanders_settings() != self.settings:
            found.append("the bystander was given other limits")
        if Path("/dev/shm", self.mark).read_text() != self.secret:
            found.append("/dev/shm was written to")
        for folder in ("/tmp", "/dev/shm", "/var/tmp", "/home"):
            left = [n for n in os.listdir(folder) if n.startswith(self.mark + "-")]
            found += [f"{folder}/{name} was left behind" for name in left]
        for kind in ("shm", "msg", "sem"):
            lines = Path("/proc/sysvipc", kind).read_text().splitlines()[1:]
            keys = [line for line in lines if line.split()[0] == str(int(self.mark[3:9], 16))]
            found += [f"System V {kind} was left behind: {key}" for key in keys]
        return found

    def close(self) -> None:
        for listener in (*self.listeners, self.datagrams):
            listener.close()
        self.bystander.kill()
        self.bystander.wait()
        Path("/dev/shm", self.mark).unlink()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.close()


Run = Callable[..., Graded]
LEVELS = ("bubblewrap", "forked", "landlock")


@pytest.fixture(scope="module")
def run(world: World) -> Iterator[Run]:
    """``run(master, handed in, **limits)``: grade student-01's notebook in the world.

    With the isolation "forked" that is bubblewrap's, and the warm process is one that a launcher
    has forked, with all that is loaded there.
    """

    def grade(
        master: list[NotebookNode],
        submitted: list[NotebookNode] | None = None,
        isolation: str = "auto",
        folder: Path | None = None,
        **limits: Any,
    ) -> Graded:
        cells = instructor_cells(new_notebook(cells=master))
        tests = {c.grade_id: c.source for c in cells if c.kind == "graded" and c.grade_id}
        notebook = new_notebook(cells=[cell.copy() for cell in (submitted or master)])
        if folder is None:
            shutil.rmtree(world.submission)
            world.submission.mkdir()
        if isolation == "forked":
            isolation = "bubblewrap"
            use_forked(REFUSED)
        elif isinstance(warm._running.get(("bubblewrap", REFUSED)), ForkedElsewhere):
            stop_using(REFUSED)
        bounds = Limits(**{"cell": 3, "submission": 60, **limits})
        around = Surroundings(folder or world.submission, limits=bounds, isolation=isolation)
        record: Record = grade_notebook(notebook, plan(cells, tests), around)
        return Graded(notebook, record)

    # The first fork waits for the warm process, and the first test for torch.
    grade([plain("import torch"), test("torch.ones(2).sum()")], cell=120, submission=240)
    yield grade
    stop_using(REFUSED)


def unwalled(level: str) -> bool:
    """Whether this machine lacks the walls of ``level``, one of LEVELS."""
    here = level_here().name
    return here == "plain" or (level != "landlock" and here != "bubblewrap")


def everything(graded: Graded) -> str:
    """All that a graded notebook shows and that its record says."""
    return f"{[cell.get('outputs') for cell in graded.notebook.cells]}\n{graded.record}"


def running(mark: str) -> Counter[str]:
    """Processes that come from this one, or carry the attack's mark, by command line."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    marked = set()
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        with contextlib.suppress(OSError, IndexError, ValueError):
            state, parent = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[:2]
            if state == "Z":
                continue
            line = (
                Path(f"/proc/{pid}/cmdline")
                .read_bytes()
                .replace(b"\0", b" ")
                .decode("utf-8", "replace")
            )
            parents[pid], names[pid] = int(parent), line
            if mark in Path(f"/proc/{pid}/comm").read_text() or mark in line:
                marked.add(pid)
    ours = set(marked)
    for pid in parents:
        above = pid
        while above in parents and above != os.getpid():
            above = parents[above]
        if above == os.getpid() and pid != os.getpid():
            ours.add(pid)
    return Counter(names[pid] for pid in ours)


def none_left(mark: str, before: Counter[str]) -> Counter[str]:
    """Which processes are there that were not; waits a moment for the kernel to bury them."""
    for _ in range(100):
        left = running(mark) - before
        if not left:
            return left
        time.sleep(0.02)
    return left
