"""A grader that is killed at any moment leaves a state from which the next run goes on."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="kills with signals"),
]
STUDENTS = 12


def start(root: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "attention_course.cli", "grade", "ps1", "--workers", "1"],
        cwd=root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def fill(small: Any, students: int = STUDENTS) -> None:
    for number in range(students):
        wrong = {"double": "def double(x):\n    return x"} if number % 3 == 0 else {}
        small.hand_in(f"student-{number:02}", wrong, notes=str(number))


def graded_so_far(root: Path) -> int:
    return len(list((root / "autograded").glob("*/ps1/p1.ipynb")))


def until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait for a moment of the run; a process that is done is a moment, too."""
    end = time.monotonic() + 120
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)


def undisturbed(small: Any, tmp_path: Path) -> dict[str, Any]:
    other = type(small)(Path(shutil.copytree(small.root, tmp_path / "undisturbed")))
    other.grade()
    return dict(other.state())


@pytest.mark.parametrize("graded", [1, 7])
def test_after_a_kill_the_next_run_grades_the_rest_and_nothing_twice(
    small: Any, tmp_path: Path, graded: int
) -> None:
    fill(small)
    expected = undisturbed(small, tmp_path)
    process = start(small.root)
    until(lambda: graded_so_far(small.root) >= graded, process)
    process.kill()
    process.wait()
    summary = small.grade()
    done = set(summary.unchanged) | set(summary.graded)
    assert len(done) == STUDENTS and not set(summary.unchanged) & set(summary.graded)
    assert len(summary.unchanged) >= graded - 1
    assert small.state() == expected
    assert small.grade().graded == {}


@pytest.mark.parametrize("seed", range(10))
def test_a_kill_at_any_random_moment_loses_nothing(small: Any, tmp_path: Path, seed: int) -> None:
    if os.environ.get("ATTENTION_COURSE_THOROUGH") != "1" and seed > 0:
        pytest.skip("ten moments are tried where ATTENTION_COURSE_THOROUGH=1 asks for it")
    rng = random.Random(seed)
    fill(small, 50)
    expected = undisturbed(small, tmp_path)
    process = start(small.root)
    wanted, more = rng.randrange(0, 50), rng.random() * 0.05
    until(lambda: graded_so_far(small.root) >= wanted, process)
    time.sleep(more)  # anywhere within the writing of one submission
    process.kill()
    process.wait()
    summary = small.grade()
    assert len(summary.unchanged) + len(summary.graded) == 50
    assert small.state() == expected


def test_ctrl_c_stops_at_once_and_says_how_to_go_on(small: Any) -> None:
    fill(small)
    process = subprocess.Popen(
        [sys.executable, "-m", "attention_course.cli", "grade", "ps1", "--workers", "1"],
        cwd=small.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until(lambda: graded_so_far(small.root) >= 2, process)  # type: ignore[arg-type]
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Interrupted. Continue with: attention-course grade ps1" in said
    assert "Traceback" not in said
    assert not list((small.root / "autograded").rglob(".ps1.*"))
    left = graded_so_far(small.root)
    assert len(small.grade().unchanged) == left
