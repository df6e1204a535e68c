"""`attention-course changes`: the recorded runs, and what changed from one to another."""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from attention_course import cli
from attention_course.commands.course_folder import CONFIGURATION, CourseFolder, Refusal
from attention_course.commands.grade import write_report
from attention_course.grading.batch import ledger as ledger_module
from attention_course.grading.batch.changes import Change, merged
from attention_course.grading.batch.ledger import Ledger, read_runs
from attention_course.grading.batch.recording import Summary

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
Marked = tuple[str, float | None, float | None]


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course folder with an assignment ps1 that nobody has graded; the working folder."""
    (tmp_path / "source" / "ps1").mkdir(parents=True)
    (tmp_path / "source" / "ps1" / "p1.ipynb").write_text("{}")
    (tmp_path / CONFIGURATION).write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def change(student: str, before: float | None, after: float | None, why: str = "forced") -> Change:
    return Change(student, "p1", "test_double", before, after, why)


def record(course: Path, *runs: list[Marked], **more: Any) -> None:
    """Record runs a day apart, each with the marks that it changed."""
    ledger = Ledger(course)
    for marked in runs:
        changed = [change(*one) for one in marked]
        graded = {f"student-{number:02d}": "forced" for number in range(1, 25)}
        summary = Summary("ps1", graded, changes=changed, **more)
        ledger.keep_run("ps1", summary.to_record())
        (last,) = ledger._file.execute("SELECT max(number) FROM runs").fetchone()
        at = (BEGAN + timedelta(days=last - 1)).isoformat()
        ledger._file.execute("UPDATE runs SET at = ? WHERE number = ?", (at, last))
    ledger.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.build(), ["changes", "ps1", *arguments])


def data(*arguments: str) -> dict[str, Any]:
    done = run("--json", *arguments)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.output)
    return found


def marks(*arguments: str) -> list[Marked]:
    return [(c["student"], c["before"], c["after"]) for c in data(*arguments)["changes"]]


def refused(*arguments: str) -> str:
    done = run(*arguments)
    assert isinstance(done.exception, Refusal), done.output
    return str(done.exception)


def test_the_runs_are_listed_with_what_they_did(course: Path) -> None:
    record(course, [], [("student-01", 2.0, 0.0), ("student-02", 1.0, 2.0)])
    first, second = data()["runs"]
    assert (first["number"], first["graded"], first["changed"]) == (1, 24, 0)
    assert (second["number"], second["graded"], second["changed"]) == (2, 24, 2)
    assert second["at"] == "2026-03-02T12:00:00+00:00"


def test_the_last_run_is_compared_with_the_one_before(course: Path) -> None:
    record(course, [("student-01", 2.0, 0.0)], [("student-02", None, 1.5)])
    found = data()
    assert (found["since"], found["until"]) == (1, 2)
    assert marks() == [("student-02", None, 1.5)]


def test_a_run_that_was_broken_off_counts_as_one_with_what_went_on(course: Path) -> None:
    record(course, [("student-01", 2.0, 1.0)])
    record(course, [("student-02", 2.0, 0.0)], interrupted=True)
    record(course, [("student-03", 2.0, 0.0)], refused="no worker")
    record(course, [("student-04", 2.0, 0.0)])
    assert [student for student, *_ in marks()] == ["student-02", "student-03", "student-04"]
    assert [one["broken_off"] for one in data()["runs"]] == ["", "interrupted", "no worker", ""]


def test_changes_of_one_mark_become_one_from_first_to_last(course: Path) -> None:
    record(
        course,
        [("student-01", 0.0, 0.5)],
        [("student-01", 0.5, 1.0), ("student-02", 2.0, 1.0)],
        [("student-01", 1.0, 2.0), ("student-02", 1.0, 2.0)],
    )
    assert marks("--since", "1") == [("student-01", 0.5, 2.0)]  # the other came back to its 2
    assert marks("--since", "2") == [("student-01", 1.0, 2.0), ("student-02", 1.0, 2.0)]


def test_the_reasons_of_merged_changes_are_told_in_turn() -> None:
    several = [
        change("student-01", 2.0, 1.0, "checks changed"),
        change("student-01", 1.0, 0.5, "submission changed"),
        change("student-01", 0.5, 0.0, "submission changed"),
    ]
    (one,) = merged(several)
    assert (one.before, one.after) == (2.0, 0.0)
    assert one.why == "checks changed, then submission changed"


def test_the_same_grade_id_in_two_notebooks_is_two_marks() -> None:
    several = [
        Change("student-01", "p1", "test", 1.0, 0.0, "forced"),
        Change("student-01", "p2", "test", 0.0, 1.0, "forced"),
    ]
    assert merged(several) == several


def test_a_time_stands_for_the_last_run_until_then(course: Path) -> None:
    record(course, [("student-01", 2.0, 0.0)], [("student-02", 2.0, 0.0)])
    assert marks("--since", "2026-03-01T12:00:00+00:00") == [("student-02", 2.0, 0.0)]
    assert len(marks("--since", "2026-03-01T11:59:59+00:00")) == 2  # before any run
    assert len(marks("--since", "2026-02-01")) == 2
    assert marks("--since", "2026-04-01") == []


def test_the_only_run_is_compared_with_the_marks_before_it(course: Path) -> None:
    record(course, [("student-01", 2.0, 0.0)])
    assert data()["since"] is None
    assert marks() == [("student-01", 2.0, 0.0)]


def test_a_person_reads_two_tables(course: Path) -> None:
    record(course, [], [("[red]student[/red]", 2.0, 0.0)])
    said = run().output
    assert "Runs of ps1" in said and "Marks that changed after run 1 until run 2" in said
    assert "2 → 0" in said and "[red]student[/red]" in said and "forced" in said


def test_a_person_reads_that_nothing_changed(course: Path) -> None:
    record(course, [], [])
    assert "No mark that was there before has changed after run 1 until run 2." in run().output
    assert "No run has graded anything after run 2." in run("--since", "2").output


def test_without_a_run_it_says_how_to_make_one_and_leaves_no_file(course: Path) -> None:
    said = refused()
    assert f'no run of "ps1" is recorded in {course}' in said
    assert "Grade it first: attention-course grade ps1" in said
    assert not (course / ledger_module.FOLDER).exists()


def test_a_number_that_no_run_has_is_refused_with_those_there_are(course: Path) -> None:
    record(course, [], [])
    assert refused("--since", "7") == (
        "--since 7: no such run is recorded. There is: 1, 2. Name one of these, or a time such as "
        "2026-03-01."
    )


@pytest.mark.parametrize("since", ["yesterday", "-1", "2026-13-01", ""])
def test_what_is_neither_number_nor_time_is_refused(course: Path, since: str) -> None:
    record(course, [], [])
    assert f'--since "{since}" is neither' in refused(f"--since={since}")


def test_a_damaged_ledger_is_named_and_left_where_it_is(course: Path) -> None:
    place = course / ledger_module.FOLDER / ledger_module.NAME
    place.parent.mkdir()
    place.write_bytes(b"no database" * 100)
    assert f"the runs in {place} cannot be read" in refused()
    assert place.read_bytes() == b"no database" * 100


def test_a_ledger_that_cannot_be_opened_is_no_damaged_one(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(course, [])

    def refuse(*about: Any, **more: Any) -> None:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite3, "connect", refuse)
    said = refused()
    assert "Run this as the account that grades" in said and "Move" not in said


def test_what_a_later_version_notes_besides_is_passed_over(course: Path) -> None:
    record(course, [("student-01", 2.0, 0.0)])
    ledger = Ledger(course)
    ((report,),) = ledger._file.execute("SELECT report FROM runs").fetchall()
    later = {**json.loads(report), "more": 1}
    later["changes"][0]["more"] = 2
    ledger._file.execute("UPDATE runs SET report = ?", (json.dumps(later),))
    ledger.close()
    assert marks() == [("student-01", 2.0, 0.0)]


def test_a_report_names_a_student_whose_id_is_no_utf_8(course: Path) -> None:
    student = os.fsdecode(b"student-\xff")
    summary = Summary("ps1", {student: "forced"}, changes=[change(student, 1.0, 2.0)])
    text = write_report(CourseFolder(course), summary)
    assert text is not None and "student-\\udcff" in text.read_text()
    kept = json.loads(text.with_suffix(".json").read_text())
    assert kept["changes"][0]["student"] == student


def test_another_assignments_runs_are_another_matter(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A regression: many runs of one assignment pushed those of another out."""
    monkeypatch.setattr(ledger_module, "KEPT_RUNS", 3)
    record(course, [])
    ledger = Ledger(course)
    for _ in range(5):
        ledger.keep_run("ps2", Summary("ps2").to_record())
    ledger.close()
    assert [one["number"] for one in read_runs(course, "ps1")] == [1]
    assert [one["number"] for one in read_runs(course, "ps2")] == [4, 5, 6]
