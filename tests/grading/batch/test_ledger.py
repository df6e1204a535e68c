"""Only what changed is graded again, and the report says what that changed and why."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from attention_course.grading.batch import course as course_module
from attention_course.grading.batch.ledger import Entry, Ledger, read_runs, why_again

RIGHT = {"test_double": 2.0, "test_half": 1.0, "essay": None, "style": None}


def test_each_answer_earns_its_mark(small: Any) -> None:
    small.hand_in("student-01")
    small.hand_in("student-02", {"double": "def double(x):\n    return x"})
    small.hand_in("student-03", {"half": "def half(x):\n    return x // 2"})
    small.grade()
    assert small.automatic("student-01") == RIGHT
    assert small.automatic("student-02") == {**RIGHT, "test_double": 0.0}
    assert small.automatic("student-03") == {**RIGHT, "test_half": 0.5}
    assert small.marks("student-01")["essay"] == (None, None, True)


def test_an_unchanged_submission_is_not_run_again(small: Any) -> None:
    small.hand_in("student-01")
    first = small.grade()
    assert first.graded == {"student-01": "not graded yet"}
    before = small.state()
    second = small.grade()
    assert (second.graded, second.unchanged) == ({}, ["student-01"])
    assert small.state() == before


def test_only_the_changed_submission_is_run_again(small: Any) -> None:
    small.hand_in("student-01")
    small.hand_in("student-02")
    small.grade()
    small.hand_in("student-02", {"double": "def double(x):\n    return x"})
    summary = small.grade()
    assert summary.graded == {"student-02": "submission changed"}
    assert summary.unchanged == ["student-01"]
    (change,) = summary.changes
    assert (change.student, change.cell, change.before, change.after, change.why) == (
        "student-02",
        "test_double",
        2.0,
        0.0,
        "submission changed",
    )


def test_a_file_beside_the_notebook_is_part_of_the_submission(small: Any) -> None:
    small.hand_in("student-01")
    small.grade()
    small.hand_in("student-01", notes="more")
    assert small.grade().graded == {"student-01": "submission changed"}


def test_force_runs_everything_again_and_changes_nothing(small: Any) -> None:
    small.hand_in("student-01")
    small.hand_in("student-02", {"double": "oops("})
    small.grade()
    before = small.state()
    summary = small.grade(force=True)
    assert summary.graded == {"student-01": "forced", "student-02": "forced"}
    assert summary.changes == [] and small.state() == before


def test_other_settings_run_everything_again(small: Any) -> None:
    small.hand_in("student-01")
    small.grade()
    small.configure("c.Execute.timeout = 29")
    assert small.grade().graded == {"student-01": "settings changed"}


def test_another_assignment_runs_everything_again(small: Any) -> None:
    small.hand_in("student-01")
    small.grade()
    (small.root / "source" / "ps1" / "helper.py").write_text("A = 1\n")
    assert small.grade().graded == {"student-01": "assignment changed"}


def test_other_checks_run_everything_again(small: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    small.hand_in("student-01")
    small.grade()
    monkeypatch.setattr(course_module, "marking_code", lambda: "another")
    assert small.grade().graded == {"student-01": "checks changed"}


def test_other_versions_run_everything_again(small: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    small.hand_in("student-01")
    small.grade()
    monkeypatch.setattr(course_module, "versions", lambda: {"torch": "99"})
    assert small.grade().graded == {"student-01": "versions changed"}


def test_a_later_due_date_runs_everything_again(small: Any) -> None:
    small.hand_in("student-01")
    small.grade()
    small.query("UPDATE assignment SET duedate = '2026-02-01 00:00:00.000000'")
    assert small.grade().graded == {"student-01": "due date changed"}


def test_a_missing_autograded_folder_is_made_again(small: Any) -> None:
    small.hand_in("student-01")
    small.grade()
    before = small.state()
    shutil.rmtree(small.root / "autograded" / "student-01")
    summary = small.grade()
    assert summary.graded == {"student-01": "its autograded folder was missing or another"}
    assert small.state() == before


def test_marks_that_another_run_wrote_are_noticed(small: Any) -> None:
    small.hand_in("student-01")
    small.grade()
    small.query("UPDATE grade SET auto_score = 0 WHERE auto_score = 2")
    summary = small.grade()
    assert summary.graded == {"student-01": "its marks were not those of the last run"}
    assert small.automatic("student-01") == RIGHT


def test_a_gradebook_begun_anew_is_filled_again(small: Any) -> None:
    small.hand_in("student-01")
    small.grade()
    small.query("DELETE FROM grade")
    small.query("DELETE FROM submitted_notebook")
    small.query("DELETE FROM submitted_assignment")
    assert small.grade().graded == {"student-01": "its marks were missing"}
    assert small.automatic("student-01") == RIGHT


def test_a_persons_mark_wins_and_is_to_be_confirmed(small: Any) -> None:
    small.hand_in("student-01")
    small.grade()
    small.mark_by_hand("student-01", "test_double", 1.5)
    small.mark_by_hand("student-01", "essay", 3)
    small.mark_by_hand("student-01", "style", 1)
    small.hand_in("student-01", {"double": "def double(x):\n    return x"})
    (change,) = small.grade().changes
    marks = small.marks("student-01")
    assert marks["test_double"] == (0.0, 1.5, True)
    assert marks["essay"] == (None, 3.0, True)
    # nbgrader leaves a task cell alone: nothing automatic could change what a person saw.
    assert marks["style"] == (None, 1.0, False)
    assert change.in_words == "2 → 0 (a person's 1.5 counts)"


def test_a_persons_mark_alone_is_no_reason_to_run_again(small: Any) -> None:
    small.hand_in("student-01")
    small.grade()
    small.mark_by_hand("student-01", "test_double", 1)
    assert small.grade().unchanged == ["student-01"]


def test_a_student_pattern_leaves_the_others_alone(small: Any) -> None:
    for student in ("student-01", "student-02", "guest-01"):
        small.hand_in(student)
    summary = small.grade("student-*")
    assert sorted(summary.graded) == ["student-01", "student-02"]
    assert not small.autograded("guest-01").exists()


def test_excluded_students_are_left_out(small: Any) -> None:
    small.hand_in("student-01")
    small.hand_in("student-02")
    small.configure("c.CourseDirectory.student_id_exclude = 'student-02'")
    assert list(small.grade().graded) == ["student-01"]


def test_the_ledger_keeps_the_reports_of_runs(small: Any) -> None:
    small.hand_in("student-01")
    small.grade()
    small.hand_in("student-01", {"double": "def double(x):\n    return x"})
    small.grade()
    first, second = read_runs(small.root, "ps1")
    assert first["changes"] == [] and first["graded"] == {"student-01": "not graded yet"}
    assert second["changes"][0]["why"] == "submission changed"
    assert second["seconds"] > 0


def test_a_damaged_ledger_costs_a_regrade_and_nothing_else(small: Any) -> None:
    small.hand_in("student-01")
    small.grade()
    before = small.state()
    for path in (small.root / ".attention_course").glob("ledger.sqlite-*"):
        path.unlink()
    (small.root / ".attention_course" / "ledger.sqlite").write_bytes(b"no database" * 100)
    assert small.grade().graded == {"student-01": "was graded by nbgrader autograde"}
    assert small.state() == before


@pytest.mark.parametrize(
    ("old", "expected"),
    [
        (None, "not graded yet"),
        (Entry("s", {"checks": "1"}), None),
        (Entry("other", {"checks": "1"}), "submission changed"),
        (Entry("s", {"checks": "2"}), "checks changed"),
        (Entry("s", {"checks": "1"}, passing=True), "was ungraded"),
    ],
)
def test_the_reason_is_told_in_words(old: Entry | None, expected: str | None) -> None:
    assert why_again(old, "s", {"checks": "1"}) == expected


def test_entries_of_another_version_are_left_out(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.put("ps1", "student-01", Entry("s", {}))
    ledger._file.execute("INSERT INTO graded VALUES ('ps1', 'student-02', '{\"old\": 1}')")
    assert list(ledger.entries("ps1")) == ["student-01"]
    ledger.close()
