"""What `attention-course grade` says and with which exit code it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from attention_course.commands import grade as grade_module
from attention_course.commands.course_folder import CourseFolder, Refusal
from attention_course.commands.grade import Bar, Lines, alone, print_summary, write_report
from attention_course.grading.batch.changes import Change
from attention_course.grading.batch.helper import NoWorkers
from attention_course.grading.batch.recording import Summary


def summary(**more: Any) -> Summary:
    change = Change("student-01", "p1", "test_double", 2.0, 0.0, "checks changed", 1.5)
    return Summary("ps1", {"student-01": "checks changed"}, changes=[change], seconds=2.0, **more)


@pytest.mark.slow
def test_the_command_grades_and_tells_as_data(small: Any) -> None:
    small.hand_in("student-01")
    small.hand_in_text("broken", "no JSON")
    done = small.command("grade", "ps1", "--workers", "1", "--json")
    said = json.loads(done.stdout)
    assert said["graded"] == {"student-01": "not graded yet", "broken": "not graded yet"}
    assert done.returncode == 1  # somebody has to ask for the broken notebook
    assert "ps1/broken: p1.ipynb is not a notebook" in done.stderr
    assert small.automatic("student-01")["test_double"] == 2.0
    assert (small.root / "reports" / "ps1-changes.json").is_file()
    (small.root / "submitted" / "broken" / "ps1" / "p1.ipynb").unlink()
    (small.root / "submitted" / "broken" / "ps1").rmdir()
    again = small.command("grade", "ps1")
    assert (again.returncode, again.stdout.strip()[:23]) == (0, "0 graded, 1 unchanged i")


@pytest.mark.slow
def test_a_configuration_with_a_hook_is_graded_by_nbgrader(small: Any) -> None:
    small.configure("c.Autograde.pre_convert_hook = lambda **about: None")
    small.hand_in("student-01")
    done = small.command("grade", "ps1")
    assert "graded by nbgrader autograde, one after another" in done.stderr
    assert small.automatic("student-01")["test_double"] == 2.0 and done.returncode == 0


@pytest.mark.slow
def test_an_assignment_that_was_not_released_is_one_sentence(small: Any) -> None:
    (small.root / "source" / "ps2").mkdir()
    (small.root / "source" / "ps2" / "p2.ipynb").write_text("{}")
    done = small.command("grade", "ps2")
    assert done.returncode == 2 and "run: nbgrader generate_assignment ps2" in done.stderr
    assert "Traceback" not in done.stderr


WRONG = {"double": "def double(x):\n    return x"}
DAY = "2026-01-{:02d} 12:00:00.000000 UTC"


def changes_file(small: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((small.root / "reports" / "ps1-changes.json").read_text())
    return found


@pytest.mark.slow
def test_a_mark_that_nbgraders_own_loop_changed_is_reported(small: Any) -> None:
    """A regression: the report said that nothing had changed."""
    small.configure("c.Autograde.pre_convert_hook = lambda **about: None")
    small.hand_in("student-01", timestamp=DAY.format(1))
    small.hand_in("student-02", timestamp=DAY.format(1))
    small.command("grade", "ps1")
    small.hand_in("student-01", WRONG, timestamp=DAY.format(2))
    done = small.command("grade", "ps1", "--json")
    said = json.loads(done.stdout)
    (change,) = said["changes"]
    assert (change["student"], change["cell"], change["before"], change["after"]) == (
        "student-01",
        "test_double",
        2.0,
        0.0,
    )
    assert said["graded"] == {"student-01": "nbgrader autograde found it newer"}
    assert said["unchanged"] == ["student-02"]  # nbgrader saw no newer timestamp
    assert "1 left as graded before" in done.stderr
    assert changes_file(small) == said
    told = (small.root / "reports" / "ps1-changes.txt").read_text()
    assert "2 → 0" in told and "No mark" not in told
    listed = json.loads(small.command("changes", "ps1", "--json").stdout)
    assert listed["changes"] == [change] and [r["graded"] for r in listed["runs"]] == [2, 1]


@pytest.mark.slow
def test_nbgraders_own_loop_keeps_what_an_interrupted_run_changed(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attention_course.grading.batch import one_by_one

    small.configure("c.Autograde.pre_convert_hook = lambda **about: None")
    for student in ("student-01", "student-02"):
        small.hand_in(student)
    run_here(small)
    small.hand_in("student-01", WRONG)
    grade_by_nbgrader = one_by_one.grade_by_nbgrader

    def grade(course: Any, assignment: str, student: str, force: bool) -> str | None:
        if student == "student-02":
            raise KeyboardInterrupt
        return grade_by_nbgrader(course, assignment, student, force)

    monkeypatch.setattr(one_by_one, "grade_by_nbgrader", grade)
    summary = run_here(small, force=True)
    assert summary.interrupted and summary.graded == {"student-01": "forced"}
    assert [c["cell"] for c in changes_file(small)["changes"]] == ["test_double"]


def run_here(small: Any, force: bool = False) -> Summary:
    return grade_module._grade(CourseFolder(small.root), "ps1", 1, None, force, None, None)


@pytest.fixture
def ends_after_one(here: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``ends_after_one(error)``: from now on a run grades one submission, and then ``error``."""

    def end_with(error: BaseException | None) -> None:
        class Ends(here):
            def run(self, jobs: Any) -> Any:
                for outcome in super().run(jobs):
                    yield outcome
                    if error is not None:
                        raise error

        monkeypatch.setattr(grade_module, "_pool", lambda launcher: Ends)

    return end_with


@pytest.mark.parametrize("error", [NoWorkers("the scheduler is gone"), KeyboardInterrupt()])
def test_the_changes_of_a_run_that_is_broken_off_are_kept(
    small: Any,
    ends_after_one: Any,
    error: BaseException,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ends_after_one(None)
    for student in ("student-01", "student-02"):
        small.hand_in(student)
    run_here(small)
    for student in ("student-01", "student-02"):
        small.hand_in(student, WRONG)
    ends_after_one(error)
    if isinstance(error, NoWorkers):
        with pytest.raises(Refusal, match="the scheduler is gone"):
            run_here(small)
        assert "1 mark had changed by then: attention-course changes ps1" in (
            capsys.readouterr().err
        )
        why = "the scheduler is gone"
    else:
        assert run_here(small).interrupted
        why = "interrupted"
    assert [c["student"] for c in changes_file(small)["changes"]] == ["student-01"]
    told = (small.root / "reports" / "ps1-changes.txt").read_text()
    assert told.startswith(f"This run was broken off ({why}).") and "2 → 0" in told
    ends_after_one(None)
    run_here(small)  # goes on, and its own report tells of the other student only
    assert [c["student"] for c in changes_file(small)["changes"]] == ["student-02"]
    both = json.loads(small.command("changes", "ps1", "--json").stdout)
    assert [run["broken_off"] for run in both["runs"]] == ["", why, ""]
    assert [c["student"] for c in both["changes"]] == ["student-01", "student-02"]
    last = json.loads(small.command("changes", "ps1", "--json", "--since", "2").stdout)
    assert [c["student"] for c in last["changes"]] == ["student-02"]


def test_a_report_that_cannot_be_written_costs_a_sentence(
    small: Any, ends_after_one: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ends_after_one(None)
    (small.root / "reports").write_text("a file")
    small.hand_in("student-01")
    assert run_here(small).graded == {"student-01": "not graded yet"}
    said = capsys.readouterr().err
    assert "the report of their changes cannot be written" in said
    assert "attention-course changes ps1 shows them" in said


def test_a_change_is_told_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(summary(unchanged=["student-02"]))
    said = capsys.readouterr().out
    assert "2 → 0 (a person's 1.5 counts)" in said and "checks changed" in said
    assert "1 graded, 1 unchanged in 2.0 s (30 a minute)" in said


def test_an_interrupted_run_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(summary(interrupted=True))
    assert "Continue with: attention-course grade ps1" in capsys.readouterr().out


def test_the_report_is_kept_as_data_and_as_a_table(small: Any) -> None:
    path = write_report(CourseFolder(small.root), summary())
    assert path and "2 → 0 (a person's 1.5 counts)  checks changed" in path.read_text()
    data = json.loads(path.with_suffix(".json").read_text())
    assert data["changes"][0]["student"] == "student-01"


def test_a_run_in_which_nothing_was_graded_leaves_the_last_report(small: Any) -> None:
    assert write_report(CourseFolder(small.root), Summary("ps1")) is None
    assert not (small.root / "reports").exists()


def test_two_runs_in_one_course_do_not_meet(small: Any) -> None:
    folder = CourseFolder(small.root)
    with alone(folder), pytest.raises(Refusal, match="another attention-course grade is at work"):
        with alone(folder):
            pass
    with alone(folder):
        pass


def test_plain_lines_tell_rate_and_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("attention_course.commands.grade.time.monotonic", lambda: now[0])
    lines = Lines()
    lines.begin(4, 2)
    for _ in range(4):
        now[0] += 3.0
        lines.step("student")
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "2 unchanged, not run again",
        "grading 4 submissions",
        "2 of 4, 20 a minute, 6 s left",
    ]


def test_the_bar_shows_sentences_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Bar()
    bar.begin(2, 1)
    bar.step("student-01")
    bar.say("ps1/student-01: [red]no markup[/red]")
    assert "[red]no markup[/red]" in capsys.readouterr().err
    assert bar.progress.tasks[0].completed == 1
