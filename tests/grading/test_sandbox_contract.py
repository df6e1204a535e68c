"""What every kind of sandbox does, and what only the isolated one does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from attention_course.grading.remote import Wall
from attention_course.grading.sandbox import (
    Bubblewrap,
    Limits,
    Plain,
    SandboxDidNotStart,
    available,
    level_here,
    start,
)
from attention_course.verdict import AnswerStopped

NO_BUBBLEWRAP = available()
ISOLATED = pytest.mark.skipif(NO_BUBBLEWRAP is not None, reason=str(NO_BUBBLEWRAP))
KINDS = [Plain, pytest.param(Bubblewrap, marks=ISOLATED)]
EVERY = pytest.mark.parametrize("kind", KINDS, indirect=True)
INSIDE = pytest.mark.parametrize("kind", KINDS[1:], indirect=True)


class Process:
    """A running student process with a short way to ask it."""

    def __init__(self, kind: type[Plain], folder: Path) -> None:
        self.printed: list[str] = []
        limits = Limits(cell=5)
        self.sandbox = kind(folder, limits, ("reference_attention", "attention_course.checks"))
        self.wall = Wall(self.sandbox, limits, self.printed.append)

    def run(self, source: str) -> None:
        self.wall.exchange({"op": "run_cell", "source": source})

    def value(self, expression: str) -> object:
        self.run(f"import os, sys, socket, subprocess\nanswer = {expression}")
        return self.wall.ask("lookup", name="answer")


@pytest.fixture
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Process]:
    folder = tmp_path / "submission"
    folder.mkdir()
    process = Process(request.param, folder)
    yield process
    process.sandbox.close()


@EVERY
def test_cells_share_their_names(kind: Process) -> None:
    kind.run("x = 2")
    assert kind.value("x + 1") == 3


@EVERY
def test_files_of_the_submission_are_there_and_can_be_written(
    kind: Process, tmp_path: Path
) -> None:
    (tmp_path / "submission" / "data.txt").write_text("given")
    assert kind.value("open('data.txt').read()") == "given"
    kind.run("open('made.txt', 'w').write('made')")
    assert (tmp_path / "submission" / "made.txt").read_text() == "made"


@EVERY
def test_an_endless_cell_is_interrupted_and_the_process_goes_on(kind: Process) -> None:
    kind.run("kept = 1")
    kind.wall.limits = Limits(cell=1)
    with pytest.raises(AnswerStopped, match="time limit"):
        kind.run("while True: pass")
    assert kind.value("kept") == 1


@EVERY
def test_a_cell_that_takes_no_interrupt_is_killed(kind: Process) -> None:
    kind.wall.limits = Limits(cell=1)
    began = time.monotonic()
    with pytest.raises(AnswerStopped):
        kind.run("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass")
    assert time.monotonic() - began < 30
    assert kind.wall.ended is not None


@EVERY
def test_an_exit_is_told_from_a_silence(kind: Process) -> None:
    with pytest.raises(AnswerStopped, match="exit code 3"):
        kind.run("import os; os._exit(3)")


@EVERY
def test_ready_made_answers_and_checks_cannot_be_imported(kind: Process) -> None:
    for module in ("reference_attention", "attention_course.checks"):
        kind.run(
            f"try:\n    import {module}\n    found = True\nexcept ImportError:\n    found = False"
        )
        assert kind.value("found") is False


@EVERY
def test_the_lesson_s_own_imports_work(kind: Process) -> None:
    kind.run("import torch\nfrom attention_course import check, needs, verify, views")
    assert kind.value("float(torch.ones(2).sum())") == 2.0


@EVERY
def test_nothing_runs_on_after_the_end(kind: Process, tmp_path: Path) -> None:
    beat = tmp_path / "submission" / "beat"
    kind.run(
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', "
        '\'import time\\nwhile True: open("beat", "a").write("."); time.sleep(0.05)\'])'
    )
    for _ in range(200):
        if beat.exists():
            break
        time.sleep(0.05)
    kind.sandbox.close()
    time.sleep(0.3)
    size = beat.stat().st_size
    time.sleep(0.5)
    assert beat.stat().st_size == size


@INSIDE
def test_the_repository_and_the_gradebook_are_not_there(
    kind: Process, repository_root: Path
) -> None:
    for name in ("source", "release", "nbgrader_config.py", "tests", "reference_attention"):
        assert kind.value(f"os.path.exists({str(repository_root / name)!r})") is False


@INSIDE
def test_a_neighbours_folder_is_not_there(kind: Process, tmp_path: Path) -> None:
    (tmp_path / "neighbour.txt").write_text("secret")
    assert kind.value(f"os.path.exists({str(tmp_path / 'neighbour.txt')!r})") is False
    assert kind.value(f"os.listdir({str(tmp_path)!r})") == ["submission"]


@INSIDE
def test_the_home_is_empty_and_the_checks_are_no_files(
    kind: Process, repository_root: Path
) -> None:
    assert kind.value("[n for n in os.listdir(os.environ['HOME']) if not n.startswith('.')]") == []
    checks = repository_root / "attention_course" / "checks"
    assert kind.value(f"os.listdir({str(checks)!r})") == []


@INSIDE
def test_the_system_and_python_are_read_only(kind: Process) -> None:
    for place in ("/usr", sys.prefix, "/etc"):
        source = f"try:\n    open({place!r} + '/x', 'w')\n    done = True\nexcept OSError:\n    done = False"
        kind.run(source)
        assert kind.value("done") is False


@INSIDE
def test_a_server_on_this_machine_cannot_be_reached(kind: Process) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        kind.run(
            f"try:\n    socket.create_connection(('127.0.0.1', {port}), 1)\n    reached = True\n"
            "except OSError:\n    reached = False"
        )
        kind.run("import socket")
        assert kind.value("globals().get('reached', False)") is False


@INSIDE
def test_other_processes_are_neither_seen_nor_hit(kind: Process) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        kind.run(
            f"import os, signal\ntry:\n    os.kill({other.pid}, signal.SIGKILL)\nexcept OSError:\n    pass"
        )
        assert other.poll() is None
        pids = "[int(p) for p in os.listdir('/proc') if p.isdigit()]"
        assert kind.value(pids) == [1]
        assert kind.value("os.getppid()") == 0
    finally:
        other.kill()
        other.wait()


@INSIDE
def test_the_user_is_nobody_without_capabilities(kind: Process) -> None:
    assert kind.value("os.getuid()") == 65534
    effective = "[l for l in open('/proc/self/status') if l.startswith('CapEff')][0].split()[1]"
    assert int(str(kind.value(effective)), 16) == 0


def test_a_level_that_is_required_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = "attention_course.grading.sandbox.levels.available"
    monkeypatch.setattr(levels, lambda: "bwrap is not installed")
    assert level_here("auto") == ("plain", "bwrap is not installed")
    with pytest.raises(SandboxDidNotStart, match="bwrap is not installed"):
        start(tmp_path, Limits(), wanted="bubblewrap")
    with pytest.raises(ValueError, match="no isolation level 'strong'"):
        level_here("strong")


def test_a_secret_in_the_graders_environment_stays_there(tmp_path: Path) -> None:
    os.environ["A_TOKEN_OF_THE_GRADER"] = "secret"
    try:
        process = Process(Plain, tmp_path)
    finally:
        del os.environ["A_TOKEN_OF_THE_GRADER"]
    try:
        assert process.value("'A_TOKEN_OF_THE_GRADER' in os.environ") is False
    finally:
        process.sandbox.close()
