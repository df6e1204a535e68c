"""The class that everybody grades: varied submissions of the real lesson, the same each time."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from attention_course.commands.course_folder import CourseFolder, checkout, copy_course

ASSIGNMENT = "attention"
NOTEBOOK = "lesson.ipynb"

# Stock nbgrader stops the whole batch at these, or grades nothing; nobody is timed on them.
LEFT_OUT = (
    "cells deleted",
    "a cell duplicated",
    "a file that is no notebook",
    "no notebook handed in",
)
Expected = dict[str, dict[str, bool]]
"""By student and exercise, whether the answer deserves its mark."""


@dataclass(frozen=True, slots=True)
class PreparedClass:
    """A course folder with everybody's submission in it, and a gradebook that is still empty."""

    course: CourseFolder
    expected: Expected

    @property
    def students(self) -> tuple[str, ...]:
        return tuple(self.expected)

    def fresh_gradebook(self) -> Path:
        return self.course.root / "fresh.db"

    def reset(self) -> None:
        """As if nobody had been graded yet."""
        shutil.rmtree(self.course.root / "autograded", ignore_errors=True)
        for kept in ("gradebook.db*", "cache/reviews.db*", ".attention_course/ledger.sqlite*"):
            for leftover in self.course.root.glob(kept):
                leftover.unlink()
        shutil.copy2(self.fresh_gradebook(), self.course.gradebook)

    def keep_only(self, students: tuple[str, ...], spare: Path) -> None:
        """Take all other students' submissions out of the course folder, into ``spare``."""
        submitted = self.course.root / "submitted"
        spare.mkdir(parents=True, exist_ok=True)
        for name in self.students:
            here, there = submitted / name, spare / name
            if name in students and there.exists():
                there.rename(here)
            elif name not in students and here.exists():
                here.rename(there)


def make_class(folder: Path, students: int, seed: int = 1) -> PreparedClass:
    """Our course with ``students`` submissions that stock nbgrader can grade as well."""
    from attention_course.sample_class import make_class as write_class

    course = copy_course(checkout(), folder)
    course.nbgrader("generate_assignment", ASSIGNMENT).expect_success()
    made = write_class(course, ASSIGNMENT, size=students + len(LEFT_OUT), seed=seed)
    kept = [student for student in made if student.deed not in LEFT_OUT]
    for student in made:
        if student not in kept[:students]:
            shutil.rmtree(course.root / "submitted" / student.name)
    shutil.copy2(course.gradebook, folder / "fresh.db")
    return PreparedClass(course, {s.name: s.expected for s in kept[:students]})


def answers_of(notebook: Path) -> dict[str, str]:
    """The source of each solution cell of a submission, by its grade_id."""
    found = {}
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        data = cell["metadata"].get("nbgrader", {})
        if data.get("solution") and not data.get("task"):
            found[str(data["grade_id"])] = "".join(cell["source"])
    return found
