"""Workers: any of them may die at any moment, and nobody's marks suffer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from attention_course.grading.batch import helper as helper_module
from attention_course.grading.batch import pool as pool_module
from attention_course.grading.batch.helper import Helper, NoWorkers
from attention_course.grading.batch.pool import Pool
from attention_course.grading.batch.worker import Job

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="workers need socket pairs")

# Test cells run in the worker itself: these end it, as a fault of ours would.
DEADLY = """
from pathlib import Path
import os, signal
if Path("once.txt").is_file() and not Path("MARK").exists():
    Path("MARK").touch()
    os.kill(os.getpid(), signal.SIGKILL)
if Path("always.txt").is_file():
    os.kill(os.getpid(), signal.SIGKILL)
assert double(2) == 4
"""


@pytest.fixture
def deadly(tmp_path: Path, repository_root: Path, make_small: Any) -> Any:
    """A course whose test ends the worker for students who hand in a certain file."""
    return make_small(DEADLY.replace("MARK", str(tmp_path / "mark")))


def test_a_worker_that_dies_costs_nobody_a_mark(deadly: Any) -> None:
    for number in range(1, 5):
        deadly.hand_in(f"student-{number:02}")
    deadly.hand_in("student-02", once="")
    deadly.hand_in("student-03", always="")
    summary = deadly.grade(pool=Pool)
    # Once is tried again and graded; always waits for a person; the others never notice.
    assert deadly.automatic("student-02")["test_double"] == 2.0
    assert deadly.marks("student-03")["test_double"] == (None, None, True)
    assert deadly.marks("student-03")["test_half"] == (None, None, True)
    for student in ("student-01", "student-04"):
        assert deadly.automatic(student)["test_double"] == 2.0
    assert list(summary.ungraded) == ["student-03"]
    (said, *_) = [s for s in deadly.told.sentences if "UNGRADED" in s]
    assert "UNGRADED ps1/student-03/test_double: grading it ended the grader's process" in said
    assert "Retry: attention-course grade ps1 --student student-03 --force" in said
    assert "Not graded yet" in deadly.autograded("student-03").read_text()
    # A fault of ours may pass: the next run tries again without being told to.
    (deadly.root / "submitted" / "student-03" / "ps1" / "always.txt").unlink()
    assert list(deadly.grade(pool=Pool).graded) == ["student-03"]
    assert deadly.automatic("student-03")["test_double"] == 2.0


def test_what_was_ungraded_is_tried_again_by_the_next_run(small: Any, here: Any) -> None:
    from attention_course.grading.submission import set_aside

    class Lame(here):
        def one(self, job: Job) -> Any:
            outcome = super().one(job)
            from attention_course.grading.batch.submitted import read_submission

            submission = read_submission(Path(job.folder), job.student)
            outcome.result = set_aside(submission, self.assignment, "the disk was full")
            return outcome

    small.hand_in("student-01")
    small.grade(pool=Lame)
    assert small.marks("student-01")["test_half"] == (None, None, True)
    summary = small.grade()
    assert summary.graded == {"student-01": "was ungraded"}
    assert small.automatic("student-01")["test_half"] == 1.0
    assert {(c.before, c.after) for c in summary.changes} == {(None, 2.0), (None, 1.0)}


def test_a_result_that_never_came_leaves_every_test_for_a_person(small: Any, here: Any) -> None:
    class Lost(here):
        def one(self, job: Job) -> Any:
            return pool_module.Outcome(job, lost="three workers died of it")

    small.hand_in("student-01")
    summary = small.grade(pool=Lost)
    assert summary.ungraded == {"student-01": {"every test": "three workers died of it"}}
    assert small.marks("student-01")["test_double"] == (None, None, True)
    assert list(small.grade().graded) == ["student-01"]


def test_workers_that_do_not_start_are_one_clear_error(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helper_module, "WORKER", "attention_course.no_such_module")
    small.hand_in("student-01")
    with pytest.raises(NoWorkers, match="no worker can be started"):
        small.grade(pool=Pool)
    assert small.state()["rows"]["grades"] == []


def test_workers_end_with_the_pool_and_leave_no_files(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.hand_in("student-01")
    pids: list[int] = []
    place = tmp_path / "temporary"
    place.mkdir()

    class Watched(Helper):
        def __init__(self, *about: Any) -> None:
            super().__init__(*about)
            pids.append(self.process.pid)

    monkeypatch.setattr(pool_module, "Helper", Watched)

    before, tempfile.tempdir = tempfile.tempdir, str(place)
    try:
        small.grade(pool=Pool)
    finally:
        tempfile.tempdir = before
    assert len(pids) == 1 and not _alive(pids[0])
    assert list(place.iterdir()) == []


def test_a_worker_ends_when_the_grader_is_gone(small: Any) -> None:
    course = small.course
    pool = Pool(course.assignment("ps1"), 1, None)
    worker = Helper(pool.assignment)
    worker.connection.close()
    assert worker.process.wait(60) == 0
    assert not list(Path(worker.folder).parent.glob(f"{Path(worker.folder).name}*"))
    worker.log.close()


MAKES_MORE = """
import contextlib, os, sys, tempfile, threading
from attention_course.grading.batch import worker

folder, remove = sys.argv[1], os.rmdir

def late(*about, **more):
    with contextlib.suppress(OSError):
        tempfile.mkdtemp(dir=folder)
    remove(*about, **more)

os.rmdir = late
threading.Thread(target=worker._end, args=(folder,), daemon=True).start()
worker._end(folder)
"""


def test_what_a_worker_still_makes_while_it_ends_is_not_left(tmp_path: Path) -> None:
    """A regression: a thread that loads made a folder in the one that was being removed."""
    place = tmp_path / "folder"
    place.mkdir()
    subprocess.run([sys.executable, "-c", MAKES_MORE, str(place)], check=True, timeout=60)
    assert list(tmp_path.iterdir()) == []


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_ctrl_c_is_the_graders_to_deal_with(small: Any) -> None:
    small.hand_in("student-01")
    course = small.course
    with Pool(course.assignment("ps1"), 1, None) as pool:
        folder = small.root / "submitted" / "student-01" / "ps1"
        jobs = pool.run([Job("student-01", str(folder)), Job("student-02", str(folder))])
        first = next(jobs)
        os.kill(pool._workers[0].helper.process.pid, signal.SIGINT)
        second = next(jobs)
    assert first.result and second.result and second.result.marks == first.result.marks
