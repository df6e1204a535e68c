"""Code that hangs, dies or floods costs its own exercise and nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from attention_course.grading import student_side
from attention_course.grading.engine import Surroundings
from attention_course.grading.sandbox import SandboxDidNotStart

from .conftest import Grade, answer, plain, test

GOOD = answer("def good(): return 1", "good")
TEST_GOOD = test("assert good() == 1", "test_good")


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "import time; time.sleep(600)",
        "import os; os._exit(7)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "raise SystemExit",
        "raise KeyboardInterrupt",
        "import sys; sys.setrecursionlimit(10**9); f = lambda: f(); f()",
        "while True:\n        try:\n            while True: pass\n        except BaseException: pass",
    ],
)
def test_a_deadly_answer_leaves_the_next_one_its_mark(grade: Grade, body: str) -> None:
    master = [
        GOOD,
        answer(f"def bad():\n    {body}", "bad"),
        test("assert bad() == 1", "test_bad"),
        TEST_GOOD,
    ]
    graded = grade(master, seconds=3)
    assert (graded.score("test_bad"), graded.score("test_good")) == (0, 1)
    assert not graded.record.ungraded


@pytest.mark.parametrize(
    "body", ["while True: pass", "import os; os._exit(1)", "exit()", "1 / 0", "def ("]
)
def test_a_deadly_cell_leaves_the_others_their_marks(grade: Grade, body: str) -> None:
    graded = grade([GOOD, plain(body), TEST_GOOD], seconds=3)
    assert graded.score("test_good") == 1


def test_a_student_is_told_that_the_time_was_over(grade: Grade) -> None:
    graded = grade([answer("def f():\n    while True: pass"), test("f()")], seconds=1)
    assert "time limit" in graded.text()


def test_a_child_that_was_started_ends_with_the_grading(grade: Grade, tmp_path: Path) -> None:
    start = (
        "import subprocess\nchild = subprocess.Popen(['sleep', '300'])\n"
        "open('pid', 'w').write(str(child.pid))"
    )
    # In the isolated kind its number would be one of a namespace that is gone.
    grade([answer(start), test("assert child.pid > 0")], isolation="plain", required=())
    pid = int((tmp_path / "submission" / "pid").read_text())
    for _ in range(100):
        if not _runs(pid):
            return
        time.sleep(0.02)
    raise AssertionError(f"process {pid} is still there")


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_a_flood_of_output_is_cut(grade: Grade) -> None:
    graded = grade([answer("for _ in range(100): print('x' * 1_000_000)"), test("pass")])
    text = graded.cell("answer").outputs[0].text
    assert len(text) < 300_000 and "cut off" in text


@pytest.mark.parametrize(
    "value",
    [
        "torch.zeros(1).expand(10**12)",
        "torch.zeros(3).to_sparse()",
        "torch.zeros(3, device='meta')",
        "'x' * 300_000_000",
        "object()",
        "recursive",
        "iter(int, 1)",
    ],
)
def test_a_hostile_result_is_a_failed_assert(grade: Grade, value: str) -> None:
    solution = f"recursive = []\nrecursive.append(recursive)\ndef f(): return {value}"
    graded = grade(
        [plain("import torch"), answer(solution), test("assert f() == [1.0]"), GOOD, TEST_GOOD]
    )
    assert (graded.score(), graded.score("test_good")) == (0, 1)


def test_a_sandbox_that_does_not_start_is_never_a_zero(grade: Grade) -> None:
    def broken(around: Surroundings) -> None:
        raise SandboxDidNotStart("no room for a process")

    graded = grade([GOOD, TEST_GOOD], open_sandbox=broken)
    assert graded.record.ungraded == {"test_good": "no room for a process"}
    assert "not counted as wrong" in graded.text("test_good")


def test_a_sandbox_that_does_not_start_is_tried_twice_for_a_submission(grade: Grade) -> None:
    tries = []

    def broken(around: Surroundings) -> None:
        tries.append(around)
        raise SandboxDidNotStart("no room for a process")

    graded = grade([GOOD, plain("1"), TEST_GOOD, plain("2")], open_sandbox=broken)
    assert len(tries) == 2 and graded.record.ungraded


def test_however_many_cells_there_are_a_sandbox_that_does_not_start_is_never_a_zero(
    grade: Grade,
) -> None:
    def broken(around: Surroundings) -> None:
        raise SandboxDidNotStart("no room for a process")

    graded = grade([GOOD, *(plain(str(n)) for n in range(60)), TEST_GOOD], open_sandbox=broken)
    assert graded.record.ungraded == {"test_good": "no room for a process"}


def test_a_sandbox_that_starts_at_the_second_try_grades(grade: Grade) -> None:
    tries = []

    def reluctant(around: Surroundings) -> object:
        tries.append(around)
        if len(tries) == 1:
            raise SandboxDidNotStart("not yet")
        return Surroundings(around.folder, limits=around.limits).start()

    graded = grade([GOOD, TEST_GOOD], open_sandbox=reluctant)
    assert graded.score("test_good") == 1 and not graded.record.ungraded


def test_nothing_of_the_grader_leaks_into_the_environment(
    grade: Grade, monkeypatch: object
) -> None:
    os.environ["A_SECRET_OF_THE_GRADER"] = "secret"
    try:
        checks = "assert 'A_SECRET_OF_THE_GRADER' not in seen and seen['ATTENTION_COURSE_SANDBOX'] == '1'"
        graded = grade([answer("import os\nseen = dict(os.environ)"), test(checks)])
    finally:
        del os.environ["A_SECRET_OF_THE_GRADER"]
    assert graded.score() == 1


@pytest.mark.parametrize(
    "module", ["reference_attention", "attention_course.checks", "attention_course.panel"]
)
def test_ready_made_answers_cannot_be_imported(grade: Grade, module: str) -> None:
    solution = (
        f"try:\n    import {module}\n    found = True\nexcept ImportError:\n    found = False"
    )
    assert grade([answer(solution), test("assert not found")]).score() == 1


def test_a_number_that_keeps_the_test_busy_is_stopped(
    grade: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(student_side, "MARGIN", 0.5)
    busy = test("for i in range(many()): pass", "test_busy")
    graded = grade([answer("def many(): return 10**18", "many"), GOOD, busy, TEST_GOOD], seconds=1)
    assert (graded.score("test_busy"), graded.score("test_good")) == (0, 1)
    assert "stopped after 1.5 s" in graded.text("test_busy") and not graded.record.ungraded


def test_a_test_that_is_endless_by_itself_is_not_the_student_s_fault(
    grade: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(student_side, "MARGIN", 0.5)
    endless = test("while True: pass", "test_endless")
    graded = grade([GOOD, endless, TEST_GOOD], seconds=1)
    assert "asked nothing of the answer" in graded.record.ungraded["test_endless"]
    assert graded.score("test_good") == 1


def test_a_real_time_signal_is_told_by_its_number(grade: Grade) -> None:
    deadly = answer("def f():\n    import os; os.kill(os.getpid(), 40)", "deadly")
    graded = grade(
        [deadly, test("f()", "test_deadly"), GOOD, TEST_GOOD], isolation="plain", required=()
    )
    assert "signal 40" in graded.text("test_deadly") and graded.score("test_good") == 1
