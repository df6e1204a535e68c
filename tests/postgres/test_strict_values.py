"""What SQLite lets pass and PostgreSQL does not: lengths, NUL, the order of rows."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest

from .contents import run

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

RIGHT = {"test_double": 2.0, "test_half": 1.0, "essay": None, "style": None}
LONG = "s" * 200


def test_a_student_id_that_is_too_long_is_a_sentence_and_stops_nobody(course: Any) -> None:
    course.hand_in(LONG)
    course.hand_in("student-01")
    summary = course.grade()
    assert summary.problems == {
        LONG: "the student's id has 200 characters, this gradebook takes at most 128; rename the "
        "submitted folder"
    }
    assert course.automatic("student-01") == RIGHT
    assert [row[0] for row in course.state()["rows"]["students"]] == ["student-01"]


def test_a_student_id_of_128_characters_is_graded(course: Any) -> None:
    course.hand_in("é" * 127 + "x")
    assert list(course.grade().graded) == ["é" * 127 + "x"]


def test_a_cell_with_a_name_of_200_characters_counts_as_an_extra_one(course: Any) -> None:
    place = course.hand_in("student-01") / "p1.ipynb"
    notebook = nbformat.read(place, 4)
    copied = nbformat.from_dict(json.loads(json.dumps(notebook.cells[1])))
    copied.metadata.nbgrader.grade_id, copied["id"] = "g" * 200, "another"
    notebook.cells.append(copied)
    nbformat.write(notebook, place)
    course.hand_in("student-02")
    summary = course.grade()
    assert summary.problems == {} and course.automatic("student-01") == RIGHT


def test_nul_and_half_characters_in_an_answer_stop_nobody(course: Any) -> None:
    said = 'def double(x):\n    print("\\0" * 3)\n    raise ValueError("a\\0b \\ud800")'
    course.hand_in("student-01", {"double": said, "essay": "nul \0, half \ud800"[:-1] + "."})
    course.hand_in("student-02")
    summary = course.grade()
    assert sorted(summary.graded) == ["student-01", "student-02"]
    assert summary.problems == {}
    assert course.automatic("student-01")["test_double"] == 0.0


def test_nul_in_a_comment_is_stored_as_a_character_that_stands_for_it(
    course: Any, here: type
) -> None:
    class Comments(here):  # type: ignore[misc]
        def one(self, job: Any) -> Any:
            outcome = super().one(job)
            outcome.result.comments["p1"]["style"] = "as\0if \ud800"
            return outcome

    course.hand_in("student-01")
    assert course.grade(pool=Comments).problems == {}
    comments = {row[2]: row[3] for row in course.state()["rows"]["comments"]}
    assert comments["style"] == "as\N{REPLACEMENT CHARACTER}if ?"


def test_a_review_s_comment_may_hold_nul(course: Any) -> None:
    from nbgrader.api import Gradebook

    from attention_course.grading.review.gradebook import write_standing
    from attention_course.grading.review.queue import Place
    from attention_course.grading.review.standing import Standing

    course.hand_in("student-01")
    course.grade()
    place = Place("ps1", "student-01", "p1")
    with Gradebook(course.url) as gradebook:
        write_standing(gradebook, place, "style", Standing("done", 1.0, 1.0, "nul \0", ""))
    comments = {row[2]: row[3] for row in course.state()["rows"]["comments"]}
    assert comments["style"] == "nul \N{REPLACEMENT CHARACTER}"
    assert course.marks("student-01")["style"] == (1.0, None, False)


def test_a_master_with_a_grade_id_of_200_characters_is_not_released_by_halves(
    course: Any, small_courses: Any
) -> None:
    master = small_courses.master()
    master.cells[3].metadata.nbgrader.grade_id = "g" * 200
    place = course.root / "source" / "ps2"
    place.mkdir()
    nbformat.write(master, place / "p2.ipynb")
    done = run(course.root, "nbgrader", "generate_assignment", "ps2")
    assert done.returncode != 0 and "too long for type character varying(128)" in done.stderr
    assert not (course.root / "release" / "ps2").exists()
    course.hand_in("student-01")
    assert course.grade().problems == {} and course.automatic("student-01") == RIGHT


def test_a_cell_that_was_changed_after_submissions_keeps_its_place(
    course: Any, small_courses: Any
) -> None:
    """PostgreSQL returns a row that was updated behind all others."""
    course.hand_in("student-01")
    course.grade()
    names = [cell.grade_id for cell in course.course.assignment("ps1").notebooks[0].cells]
    small_courses.generate(course.root, p1=small_courses.master("assert double(3) == 6"))
    ((stored, *_), *_) = course.query(
        "SELECT array_agg(name) FROM (SELECT name FROM source_cell ORDER BY ctid) AS rows"
    )
    assert stored[-1] == "test_double"  # the risk is real: this is the order of the table
    (known,) = course.course.assignment("ps1").notebooks
    assert [cell.grade_id for cell in known.cells] == names
    assert [cell.source for cell in known.cells][1] == "assert double(3) == 6"
    course.hand_in("student-02")
    assert course.grade().graded == {
        "student-01": "assignment changed",
        "student-02": "not graded yet",
    }
    for student in ("student-01", "student-02"):
        notebook = json.loads(course.autograded(student).read_text())
        found = [c["metadata"].get("nbgrader", {}).get("grade_id") for c in notebook["cells"]]
        assert found == names


def test_rows_that_moved_are_no_reason_to_run_anything_again(course: Any) -> None:
    course.hand_in("student-01")
    course.grade()
    course.query("UPDATE source_cell SET locked = locked WHERE name = 'double'")
    course.query("UPDATE base_cell SET name = name WHERE name = 'test_double'")
    assert course.grade().unchanged == ["student-01"]


def test_times_are_kept_to_the_microsecond_and_in_utc(course: Any) -> None:
    course.hand_in("student-01", timestamp="2026-03-29 02:30:00.123456 CET")
    course.grade()
    ((_, timestamp, _),) = course.state()["rows"]["submissions"]
    assert timestamp.isoformat() == "2026-03-29T01:30:00.123456"


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_the_servers_time_zone_changes_nothing(course: Any, zone: str) -> None:
    course.server.run(f"ALTER DATABASE {course.database} SET timezone TO '{zone}'")
    course.query("UPDATE assignment SET duedate = '2026-01-10 00:00:00'")
    course.hand_in("student-01", timestamp="2026-01-10 00:00:01 UTC")
    course.hand_in("student-02", timestamp="2026-01-10 00:00:00 UTC")
    course.grade()
    from nbgrader.api import Gradebook

    with Gradebook(course.url) as gradebook:
        late = {s.student_id: s.total_seconds_late for s in gradebook.assignment_submissions("ps1")}
    assert late == {"student-01": 1.0, "student-02": 0}
