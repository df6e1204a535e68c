"""A class graded by nbgrader's own loop, for a configuration that workers cannot honour."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.exc import NoResultFound

from attention_course.grading.batch.course import Course, NotReleased
from attention_course.grading.batch.gradebook import Writer
from attention_course.grading.batch.ledger import Ledger
from attention_course.grading.batch.recording import Summary, Tell, recorded
from attention_course.grading.batch.run import Listener
from attention_course.grading.batch.stock import UNFINISHED, grade_by_nbgrader


def grade_one_by_one(
    course: Course,
    assignment: str,
    pattern: str,
    force: bool,
    listener: Listener,
    tell: Tell,
) -> Summary:
    """Grade ``assignment`` as ``nbgrader autograde`` does; raises NotReleased.

    Which submissions are run, nbgrader decides. The changes of marks are noted as those of
    :func:`~.run.grade_class` are.
    """
    summary = Summary(assignment)
    try:
        writer = Writer(course.db_url, course.directory.course_id, assignment)
    except NoResultFound:
        raise NotReleased.for_name(assignment) from None
    ledger = Ledger(course.root)
    try:
        with recorded(summary, ledger, writer.marks, tell):
            _grade_each(course, summary, pattern, force, listener)
    finally:
        ledger.close()
        writer.gradebook.close()
    return summary


def _grade_each(
    course: Course, summary: Summary, pattern: str, force: bool, listener: Listener
) -> None:
    name = summary.assignment
    students = course.submitted(name, pattern)
    listener.begin(len(students), 0)
    for student in students:
        destination = course.path(course.directory.autograded_directory, student, name)
        before = _written(destination)
        summary.problems[student] = UNFINISHED
        problem = grade_by_nbgrader(course, name, student, force)
        if problem:
            summary.problems[student] = problem
            listener.say(f"{name}/{student}: {problem}")
        else:
            del summary.problems[student]
            if before and _written(destination) == before:
                summary.unchanged.append(student)
            else:
                summary.graded[student] = _why(bool(before), force)
        listener.step(student)
    if summary.unchanged:
        listener.say(
            f"{len(summary.unchanged)} left as graded before: nbgrader autograde runs again only "
            "what has a newer timestamp.txt; --force runs all"
        )


def _why(again: bool, force: bool) -> str:
    if not again:
        return "not graded yet"
    return "forced" if force else "nbgrader autograde found it newer"


def _written(destination: Path) -> dict[str, tuple[int, int]]:
    """Which notebooks lie there, and which writing of them."""
    found = {}
    for path in destination.glob("*.ipynb"):
        about = path.stat()
        found[path.name] = (about.st_ino, about.st_mtime_ns)
    return found
