"""What lies in the gradebook and in autograded/ after a run, beyond the plain case."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_notebook

from attention_course.grading.batch import gradebook as gradebook_module
from attention_course.grading.batch.folders import Folders
from attention_course.grading.submission import Result

DUE = "2026-01-10 00:00:00.000000"
LATE, IN_TIME = "2026-01-11 00:00:00 UTC", "2026-01-09 00:00:00 UTC"
PENALTY = """
from nbgrader.plugins import BasePlugin
class HalfAPoint(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 0.5 * total_seconds_late / 86400
c.AssignLatePenalties.plugin_class = HalfAPoint
"""


def penalties(small: Any) -> dict[str, float | None]:
    return {row[0]: row[3] for row in small.state()["rows"]["notebooks"]}


def test_a_late_submission_pays_what_the_courses_plugin_says(small: Any) -> None:
    small.query("UPDATE assignment SET duedate = ?", DUE)
    small.configure(PENALTY)
    small.hand_in("late", timestamp=LATE)
    small.hand_in("in-time", timestamp=IN_TIME)
    small.grade()
    assert penalties(small) == {"late": 0.5, "in-time": None}


def test_an_extension_takes_the_penalty_away(small: Any) -> None:
    small.query("UPDATE assignment SET duedate = ?", DUE)
    small.configure(PENALTY)
    small.hand_in("late", timestamp=LATE)
    small.grade()
    small.query("UPDATE submitted_assignment SET extension = '1970-01-03 00:00:00.000000'")
    assert small.grade().graded == {"late": "due date changed"}
    assert penalties(small) == {"late": None}


def test_the_time_of_handing_in_is_kept(small: Any) -> None:
    small.hand_in("student-01", timestamp="2026-01-11 12:00:00 CET")
    small.grade()
    ((_, timestamp, _),) = small.state()["rows"]["submissions"]
    assert timestamp == "2026-01-11 11:00:00.000000"
    kept = small.autograded("student-01").parent / "timestamp.txt"
    assert kept.read_text() == "2026-01-11 12:00:00 CET"


def test_a_timestamp_that_is_no_time_costs_nobody_a_mark(small: Any) -> None:
    small.hand_in("student-01", timestamp="yesterday-ish")
    small.grade()
    assert small.automatic("student-01")["test_double"] == 2.0
    assert any("timestamp.txt holds no time" in sentence for sentence in small.told.sentences)


def test_each_notebook_of_an_assignment_is_graded(two: Any) -> None:
    two.hand_in("student-01")
    two.hand_in("student-01", {"third": "def third(x):\n    return x"}, notebook="p2")
    two.grade()
    assert two.automatic("student-01")["test_double"] == 2.0
    assert two.automatic("student-01")["test_third"] == 0.0
    assert two.autograded("student-01", "p2").is_file()


def test_a_notebook_that_was_not_handed_in_scores_zero_as_in_nbgrader(two: Any) -> None:
    two.hand_in("student-01")
    two.grade()
    assert two.marks("student-01")["test_third"] == (0.0, None, False)
    assert two.automatic("student-01")["test_double"] == 2.0


def test_a_notebook_of_another_assignment_beside_it_is_passed_over(small: Any) -> None:
    place = small.hand_in("student-01")
    shutil.copy(place / "p1.ipynb", place / "mine.ipynb")
    small.grade()
    assert not (small.autograded("student-01").parent / "mine.ipynb").exists()
    assert small.automatic("student-01")["test_double"] == 2.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no JSON", "p1.ipynb is not a notebook (its JSON cannot be read)"),
        ("", "p1.ipynb is not a notebook (its JSON cannot be read)"),
        ("[" * 50_000, "p1.ipynb is nested too deeply to be read"),
        ('{"nbformat": 4}', "p1.ipynb cannot be read"),
        ('{"cells": 5, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "cannot be read"),
    ],
)
def test_a_file_that_is_no_notebook_is_a_sentence_and_stops_nobody(
    small: Any, text: str, words: str
) -> None:
    small.hand_in_text("broken", text)
    small.hand_in("student-01")
    summary = small.grade()
    assert words in summary.problems["broken"]
    assert set(small.automatic("broken").values()) == {None}
    assert not small.autograded("broken").exists()
    assert small.automatic("student-01")["test_double"] == 2.0
    again = small.grade()
    assert again.problems == summary.problems and again.graded == {}


def test_bytes_that_are_no_text_are_a_sentence(small: Any) -> None:
    small.hand_in_text("broken", "")
    (small.root / "submitted" / "broken" / "ps1" / "p1.ipynb").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in small.grade().problems["broken"]


def test_a_submission_that_broke_loses_its_old_folder_and_keeps_its_marks(small: Any) -> None:
    small.hand_in("student-01")
    small.grade()
    small.hand_in_text("student-01", "no JSON any more")
    small.grade()
    assert not small.autograded("student-01").parent.exists()
    assert small.automatic("student-01")["test_double"] == 2.0


def test_a_folder_without_a_notebook_is_a_sentence(small: Any) -> None:
    (small.root / "submitted" / "empty" / "ps1").mkdir(parents=True)
    assert "no notebook was handed in" in small.grade().problems["empty"]
    assert small.state()["rows"]["submissions"] == []


def test_a_notebook_of_another_name_is_a_sentence(small: Any) -> None:
    place = small.hand_in("student-01")
    (place / "p1.ipynb").rename(place / "p1 (1).ipynb")
    summary = small.grade()
    assert "p1.ipynb is missing (there is: p1 (1).ipynb)" in summary.problems["student-01"]


def test_students_are_not_made_up_where_the_course_forbids_it(small: Any) -> None:
    small.configure("c.Autograde.create_student = False")
    small.hand_in("stranger")
    assert small.grade().problems["stranger"] == "no student 'stranger' is in the gradebook"
    assert small.state()["rows"]["students"] == []


def test_links_in_a_submission_are_not_followed(small: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the answers")
    place = small.hand_in("student-01")
    (place / "notes.txt").symlink_to(secret)
    small.grade()
    assert "notes.txt" not in {p.name for p in small.autograded("student-01").parent.iterdir()}


def test_files_are_read_only_as_nbgrader_leaves_them_and_can_be_replaced(small: Any) -> None:
    small.hand_in("student-01", notes="mine")
    small.grade()
    folder = small.autograded("student-01").parent
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}
    os.chmod(folder, 0o555)
    try:
        small.grade(force=True)
    finally:
        os.chmod(folder, 0o755)
    assert small.autograded("student-01").is_file()


def test_the_instructors_files_lie_over_the_students(small: Any) -> None:
    (small.root / "source" / "ps1" / "notes.txt").write_text("theirs")
    small.hand_in("student-01", notes="mine", more="mine")
    small.grade()
    folder = small.autograded("student-01").parent
    assert (folder / "notes.txt").read_text() == "theirs"
    assert (folder / "more.txt").read_text() == "mine"


def test_files_that_the_students_code_writes_are_kept(small: Any) -> None:
    small.hand_in("student-01", {"half": "open('made.txt', 'w').write('by me')"})
    small.grade()
    assert (small.autograded("student-01").parent / "made.txt").read_text() == "by me"


def test_what_a_killed_run_left_is_cleared_away(small: Any) -> None:
    small.hand_in("student-01")
    place = small.root / "autograded" / "student-01"
    for kind in ("new", "old"):
        (place / f".ps1.{kind}").mkdir(parents=True)
        (place / f".ps1.{kind}" / "p1.ipynb").write_text("half a file")
    small.grade()
    assert [path.name for path in place.iterdir()] == ["ps1"]


def test_a_full_disk_is_a_sentence_and_the_next_run_goes_on(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.hand_in("student-01")
    small.hand_in("student-02")
    write = Folders.write

    def full(self: Folders, destination: Path, submission: Any, result: Result) -> None:
        if submission.student == "student-01":
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, destination, submission, result)

    monkeypatch.setattr(Folders, "write", full)
    summary = small.grade()
    assert "No space left on device" in summary.problems["student-01"]
    assert list(summary.graded) == ["student-02"]
    monkeypatch.undo()
    assert list(small.grade().graded) == ["student-01"]


def test_a_gradebook_that_somebody_writes_to_is_waited_for(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    small.hand_in("student-01")
    waits: list[float] = []
    monkeypatch.setattr(gradebook_module.time, "sleep", waits.append)
    write, tries = gradebook_module.Writer._write, [0]

    def locked(self: Any, *arguments: Any) -> None:
        tries[0] += 1
        if tries[0] < 3:
            raise OperationalError("INSERT", {}, Exception("database is locked"))
        write(self, *arguments)

    monkeypatch.setattr(gradebook_module.Writer, "_write", locked)
    assert list(small.grade().graded) == ["student-01"]
    assert len(waits) == 2


def test_a_released_stub_counts_as_no_response(small: Any) -> None:
    small.hand_in("student-01", {"essay": None, "double": None})
    small.grade()
    comments = {row[2]: row[3] for row in small.state()["rows"]["comments"]}
    assert comments["essay"] == "No response." and comments["half"] is None
    assert small.marks("student-01")["essay"] == (0.0, None, False)


def test_a_step_that_the_course_adds_after_the_marks_is_run(small: Any) -> None:
    (small.root / "our_steps.py").write_text(
        "from nbgrader.preprocessors import NbGraderPreprocessor\n"
        "class Stamp(NbGraderPreprocessor):\n"
        "    def preprocess(self, nb, resources):\n"
        "        nb.metadata['stamped'] = resources['nbgrader']['student']\n"
        "        return nb, resources\n"
    )
    small.configure(
        "import sys; sys.path.insert(0, '.')",
        "from our_steps import Stamp",
        "c.Autograde.autograde_preprocessors = [*autograde_preprocessors(), Stamp]",
    )
    small.hand_in("student-01")
    small.grade()
    assert '"stamped": "student-01"' in small.autograded("student-01").read_text()


def test_a_step_before_the_marks_needs_nbgraders_own_loop(small: Any) -> None:
    small.configure(
        "from nbgrader.preprocessors import NbGraderPreprocessor",
        "class Before(NbGraderPreprocessor): pass",
        "c.Autograde.sanitize_preprocessors = [*sanitize_preprocessors(), Before]",
    )
    assert "Before, which is not known here" in str(small.course.why_stock())


def test_a_hook_needs_nbgraders_own_loop(small: Any) -> None:
    small.configure("c.Autograde.pre_convert_hook = lambda **about: None")
    assert "hook" in str(small.course.why_stock())


def test_our_own_configuration_needs_no_other_loop(small: Any) -> None:
    assert small.course.why_stock() is None


def test_an_empty_master_notebook_has_nothing_to_wait_for(small: Any) -> None:
    small.hand_in_text("student-01", __import__("nbformat").writes(new_notebook()))
    small.grade()
    assert small.automatic("student-01")["test_double"] == 0.0
