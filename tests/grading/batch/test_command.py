"""What `attention-course grade` says and with which exit code it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from attention_course.commands.course_folder import CourseFolder, Refusal
from attention_course.commands.grade import Bar, Lines, alone, print_summary, write_report
from attention_course.grading.batch.changes import Change
from attention_course.grading.batch.run import Summary


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
