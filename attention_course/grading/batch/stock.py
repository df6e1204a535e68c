"""Hands a submission to nbgrader's own autograde, for what workers cannot do."""

from __future__ import annotations

import glob
import logging

from nbgrader.converters.autograde import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory

from attention_course.grading.batch.course import Course

# What is said of a submission until nbgrader is done with it, which may not come to pass.
UNFINISHED = "nbgrader autograde did not come to its end"


def grade_by_nbgrader(
    course: Course, assignment: str, student: str, force: bool = True
) -> str | None:
    """Autograde one student; why that failed, or None.

    Our preprocessors in the configuration do here what they do in ``nbgrader autograde``.
    """
    said: list[str] = []
    directory = CourseDirectory(config=course.config)
    directory.root = course.directory.root
    directory.db_url = course.db_url
    directory.assignment_id = assignment
    directory.student_id = glob.escape(student)  # nbgrader takes a pattern
    converter = Autograde(coursedir=directory, config=course.config)
    converter.force = force
    handler = _Errors(said)
    converter.log.addHandler(handler)
    try:
        converter.start()
    except NbGraderException as error:
        lines = [line for line in said if line.strip()] or [str(error)]
        return f"nbgrader autograde failed ({lines[0].splitlines()[-1][:300]})"
    finally:
        converter.log.removeHandler(handler)
    return None


class _Errors(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.ERROR)
        self.said = said

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
