"""Steps of the configuration that need the gradebook itself; they run where it is written."""

from __future__ import annotations

import json
import logging
from typing import Any

import nbformat
from nbformat.v4 import new_notebook
from nbgrader.preprocessors import AssignLatePenalties
from traitlets.utils.importstring import import_item

from attention_course.grading.batch.course import Course
from attention_course.grading.plugins import KEY
from attention_course.grading.review.plugin import SaveReview
from attention_course.grading.steps import written
from attention_course.grading.submission import Assignment, Result


class AfterSteps:
    """What the configuration lists after SaveAutoGrades, beside our own.

    A late penalty is only asked for where a submission is late: the writer has reset it.
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

    @property
    def penalties(self) -> bool:
        return any(isinstance(step, AssignLatePenalties) for step in self.steps)

    def run(self, student: str, result: Result, late: float) -> None:
        """Run them on what came of one submission; they may change its notebooks."""
        for name, text in result.notebooks.items():
            plain: Any = None
            notebook: Any = None
            for step in self.steps:
                if isinstance(step, AssignLatePenalties):
                    if late > 0:
                        step(new_notebook(), self._resources(student, name, None))
                    continue
                if plain is None:
                    plain = json.loads(text)  # as we have just written it
                if isinstance(step, SaveReview):
                    # It only reads; making a notebook of it would take longer than it does.
                    given = plain if notebook is None else notebook
                    step.preprocess(given, self._resources(student, name, given))
                    continue
                if notebook is None:
                    notebook = nbformat.from_dict(plain)
                notebook, _ = step(notebook, self._resources(student, name, notebook))
            if notebook is not None:
                result.notebooks[name] = written(notebook)

    def _resources(self, student: str, notebook: str, node: Any) -> dict[str, Any]:
        about = {
            "student": student,
            "assignment": self.name,
            "notebook": notebook,
            "db_url": self.course.db_url,
        }
        kept = {} if node is None else {KEY: node["metadata"].get(KEY)}
        return {"nbgrader": about, "unique_key": notebook, **kept}
