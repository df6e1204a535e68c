"""Workers forked from one process: as good as workers of their own, whatever dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from attention_course.grading.sandbox import joined, level_here, warm
from attention_course.grading.sandbox.warm import WarmProcess, fork_works

pytestmark = pytest.mark.skipif(fork_works() is not None, reason="nothing can be forked here")

# The command as people run it; at its end it says which workers were forked, and by whom.
COMMAND = """
import atexit, json, os, signal, sys
from attention_course.grading.batch.launcher import Launcher

how, forked, launchers = sys.argv[1], [], []
launch = Launcher.launch

def watched(self, *about):
    if how == "kill" and forked:
        os.kill(self._pid, signal.SIGKILL)
    launchers.append(self._pid)
    worker = launch(self, *about)
    forked.append(worker.pid)
    return worker

Launcher.launch = watched
atexit.register(lambda: print(json.dumps({"forked": forked, "launchers": launchers})))
from attention_course.cli import main
sys.argv = ["attention-course", "grade", "ps1", *sys.argv[2:]]
main()
"""
# A test cell runs in the worker: this one ends it once, as a fault of ours would.
DEADLY = """
import os, signal
from pathlib import Path
if Path("once.txt").is_file() and not Path("MARK").exists():
    Path("MARK").touch()
    os.kill(os.getpid(), signal.SIGKILL)
assert double(2) == 4
"""


def run(root: Path, how: str = "", *arguments: str, **more: Any) -> dict[str, list[int]]:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, how, *(arguments or ("--workers", "1"))],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=300,
        **more,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, list[int]] = json.loads(done.stdout.splitlines()[-1])
    return said


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, file.read_text().split()):
            found |= {child} | descendants(child)
    return found


def test_workers_come_from_one_launcher_and_leave_no_process_and_no_file(
    small: Any, tmp_path: Path
) -> None:
    for number in range(6):
        small.hand_in(f"student-{number}")
    place = tmp_path / "temporary"
    place.mkdir()
    said = run(small.root, "", "--workers", "2", env={**os.environ, "TMPDIR": str(place)})
    assert len(set(said["forked"])) == 2 and len(set(said["launchers"])) == 1
    assert not any(map(alive, said["forked"] + said["launchers"]))
    assert list(place.iterdir()) == []
    assert all(small.automatic(f"student-{n}")["test_double"] == 2.0 for n in range(6))


@pytest.mark.parametrize(("how", "forked"), [("", 2), ("kill", 1)])
def test_a_worker_that_died_is_replaced_with_the_launcher_or_without(
    tmp_path: Path, make_small: Any, how: str, forked: int
) -> None:
    small = make_small(DEADLY.replace("MARK", str(tmp_path / "mark")))
    for number in range(4):
        small.hand_in(f"student-{number}", **({"once": ""} if number == 1 else {}))
    said = run(small.root, how)
    assert len(said["forked"]) == forked
    assert all(small.automatic(f"student-{n}")["test_double"] == 2.0 for n in range(4))
    assert not any(map(alive, said["forked"] + said["launchers"]))


def test_what_the_configuration_puts_into_the_environment_reaches_the_workers(
    make_small: Any,
) -> None:
    test = "import os\nassert os.environ['SET_BY_THE_COURSE'] == 'yes'\nassert double(2) == 4"
    small = make_small(test)
    small.configure("import os", "os.environ['SET_BY_THE_COURSE'] = 'yes'")
    small.hand_in("student-01")
    assert run(small.root)["forked"]
    assert small.automatic("student-01")["test_double"] == 2.0


def test_a_course_folder_s_files_are_no_modules_of_the_workers(small: Any) -> None:
    (small.root / "torch.py").write_text("raise SystemExit('the wrong torch')")
    small.hand_in("student-01")
    assert run(small.root)["forked"]  # else the launcher ended over it
    assert small.automatic("student-01")["test_double"] == 2.0


def test_when_the_grader_is_killed_all_that_it_started_ends(small: Any) -> None:
    for number in range(30):
        small.hand_in(f"student-{number:02}")
    grader = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "", "--workers", "2"],
        cwd=small.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 120
    while not list(small.root.glob("autograded/*/ps1")) and time.monotonic() < end:
        time.sleep(0.01)
    started = descendants(grader.pid)
    grader.kill()
    grader.wait()
    assert len(started) >= 4  # the launcher, two workers, and what they fork from
    while any(map(alive, started)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(alive, started))


@pytest.mark.parametrize(
    ("before", "forks"),
    [
        ("", True),
        ("import threading, time; threading.Thread(target=time.sleep, args=(9,)).start()", False),
        ("import types; sys.modules['torch'] = types.ModuleType('torch')", False),
    ],
)
def test_only_a_process_that_can_be_forked_is(before: str, forks: bool) -> None:
    program = (
        f"import os, sys\nfrom attention_course.grading.batch.launcher import Launcher\n{before}\n"
        "launcher = Launcher.fork()\nprint(launcher is not None, flush=True)\n"
        "if launcher: launcher.close()\nos._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120
    )
    assert done.stdout == f"{forks}\n", done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives students' processes other users")
def test_two_warm_processes_never_share_a_user() -> None:
    level = level_here().name
    processes = [WarmProcess(level, ()) for _ in range(2)]
    try:
        users = [process.walls.user for process in processes]
        assert None not in users and users[0] != users[1]
    finally:
        for process in processes:
            process.end()


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives students' processes other users")
def test_graders_that_begin_together_never_share_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "_started", iter([5, 5, 5]))  # as if their numbers met
    (one, first), (two, second) = warm._claimed_user(), warm._claimed_user()
    assert first != second and one is not None and two is not None
    one.close()
    three, third = warm._claimed_user()
    assert third == first and three is not None
    two.close()
    three.close()


def test_no_warm_process_is_forked_that_could_change_the_file_of_python() -> None:
    own = Path("/proc/self/exe").stat().st_uid == os.getuid()
    walls = warm.Walls(namespaces=True, user=None, landlock=True, readable=(), seccomp=None)
    assert ("belongs to the user" in str(joined.why_not(walls))) is own


def test_ctrl_c_while_everything_loads_leaves_nothing_behind(small: Any, tmp_path: Path) -> None:
    small.hand_in("student-01")
    place = tmp_path / "temporary"
    place.mkdir()
    grader = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "", "--workers", "1"],
        cwd=small.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TMPDIR": str(place)},
    )
    end = time.monotonic() + 60
    while not list(place.glob("attention-course-worker-*")) and time.monotonic() < end:
        time.sleep(0.005)
    started = descendants(grader.pid)
    grader.send_signal(signal.SIGINT)
    said, _ = grader.communicate(timeout=60)
    assert "Continue with: attention-course grade ps1" in said
    assert grader.returncode == 130 and started
    assert not any(map(alive, started))
    assert list(place.iterdir()) == []
