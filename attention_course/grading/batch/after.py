"""Steps of the configuration that need the gradebook itself; they run where it is written."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat.v4 import new_notebook
from nbgrader.preprocessors import AssignLatePenalties
from traitlets.utils.importstring import import_item

from attention_course.grading.batch.course import Course
from attention_course.grading.batch.gradebook import Reviews
from attention_course.grading.batch.submitted import read_submission
from attention_course.grading.plugins import KEY
from attention_course.grading.review.plugin import SaveReview
from attention_course.grading.review.queue import Place
from attention_course.grading.review.submitted import solutions
from attention_course.grading.steps import written
from attention_course.grading.submission import Assignment, Result

if TYPE_CHECKING:
    from attention_course.grading.review.desk import Desk
    from attention_course.grading.review.standing import Standing

READ_AHEAD = 50  # submissions whose answers one run of ruff reads


class AfterSteps:
    """What the configuration lists after SaveAutoGrades, beside our own.

    A late penalty is only asked for where a submission is late: the writer has reset it. A
    review that comes first is not run among them: the writer takes what it gives along with
    the marks.
    """

    def __init__(self, course: Course, assignment: Assignment) -> None:
        self.course = course
        self.name = assignment.name
        log = logging.getLogger("attention_course.grading.after")
        self.steps = []
        for kind in assignment.steps.after:
            step = import_item(kind)(config=course.config)
            step.log = log
            if not isinstance(step, SaveReview) or step.enabled():
                self.steps.append(step)
        first = self.steps[0] if self.steps else None
        self._review = first if isinstance(first, SaveReview) else None
        if self._review:
            self.steps = self.steps[1:]
        self._desk: Desk | None = None
        self._taken: list[tuple[Place, Standing]] = []
        self._coming: Iterator[list[str]] = iter(())

    def close(self) -> None:
        if self._desk is not None:
            self._desk.close()

    @property
    def penalties(self) -> bool:
        return any(isinstance(step, AssignLatePenalties) for step in self.steps)

    def expect(self, submitted: Iterable[tuple[str, Path]]) -> None:
        """These submissions (student and folder) will come, roughly in this order."""
        self._coming = (self._answers(folder, student) for student, folder in submitted)

    def reviews(self, student: str, result: Result) -> Reviews:
        """What the reviews of a submission give, to be written along with its marks."""
        found: dict[str, dict[str, tuple[float | None, str]]] = {}
        self._taken = []
        step = self._review
        if step is None:
            return found
        for name, text in result.notebooks.items():
            plain = json.loads(text)  # as we have just written it
            if not step.asks_about(plain):
                continue
            place = Place(self.name, student, name)
            with step.never_failing(place):
                if self._desk is None:
                    self._desk = step.desk()
                said = step.take(plain, place, self._desk, self._ahead)
                self._taken.append((place, said))
                found[name] = {step.cell: (said.score, said.comment)}
        return found

    def run(self, student: str, result: Result, late: float) -> None:
        """Run the others on what came of one submission; they may change its notebooks.

        Its reviews have been written by now, which is noted first.
        """
        for place, said in self._taken:
            if self._review and self._desk:
                with self._review.never_failing(place):
                    self._desk.noted(place, said)
        self._taken = []
        for name, text in result.notebooks.items():
            notebook: Any = None
            for step in self.steps:
                if isinstance(step, AssignLatePenalties):
                    if late > 0:
                        step(new_notebook(), self._resources(student, name, None))
                    continue
                if notebook is None:
                    notebook = nbformat.from_dict(json.loads(text))  # as we have just written it
                notebook, _ = step(notebook, self._resources(student, name, notebook))
            if notebook is not None:
                result.notebooks[name] = written(notebook)

    def _ahead(self) -> Iterable[str]:
        return itertools.chain.from_iterable(itertools.islice(self._coming, READ_AHEAD))

    def _answers(self, folder: Path, student: str) -> list[str]:
        """The answers in what was handed in, where it can be read; nothing hangs on it."""
        found: list[str] = []
        with contextlib.suppress(Exception):
            submission = read_submission(folder, student, self.course.ignore)
            for data in submission.notebooks.values():
                found += solutions(json.loads(data)).values()
        return found

    def _resources(self, student: str, notebook: str, node: Any) -> dict[str, Any]:
        about = {
            "student": student,
            "assignment": self.name,
            "notebook": notebook,
            "db_url": self.course.db_url,
        }
        kept = {} if node is None else {KEY: node["metadata"].get(KEY)}
        return {"nbgrader": about, "unique_key": notebook, **kept}
