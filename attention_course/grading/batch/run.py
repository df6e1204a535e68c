"""One run over a class: what is to be graded, by whom, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nbgrader.utils import parse_utc

from attention_course.grading.batch.after import AfterSteps
from attention_course.grading.batch.changes import plain_marks
from attention_course.grading.batch.course import Course
from attention_course.grading.batch.folders import Folders, clear_away
from attention_course.grading.batch.gradebook import Marks, UnknownStudent, Writer
from attention_course.grading.batch.helper import Outcome
from attention_course.grading.batch.ledger import Entry, Ledger, why_again
from attention_course.grading.batch.pool import Pool
from attention_course.grading.batch.recording import Summary, Tell, recorded, uninterrupted
from attention_course.grading.batch.stock import UNFINISHED, grade_by_nbgrader
from attention_course.grading.batch.submitted import read_submission
from attention_course.grading.batch.worker import Job
from attention_course.grading.submission import (
    Assignment,
    Result,
    Submission,
    digest_of,
    digest_of_submission,
)


class Listener(Protocol):
    """Who is told how a run goes."""

    def begin(self, total: int, unchanged: int) -> None: ...

    def step(self, student: str) -> None: ...

    def say(self, sentence: str) -> None: ...


class Grades(Protocol):
    """Who grades the submissions of a run; see :class:`~.pool.Pool`."""

    def __enter__(self) -> Grades: ...

    def __exit__(self, *about: object) -> None: ...

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]: ...


MakePool = Callable[[Assignment, int, float | None], Grades]


class Silent:
    """Tells nobody."""

    def begin(self, total: int, unchanged: int) -> None: ...

    def step(self, student: str) -> None: ...

    def say(self, sentence: str) -> None: ...


@dataclass
class _Task:
    """A submission that is to be graded."""

    student: str
    folder: Path
    destination: Path
    why: str
    digest: str
    parts: dict[str, str]


class Run:
    """Grades what changed of one assignment. Use :func:`grade_class`."""

    def __init__(self, course: Course, name: str, listener: Listener, pool: MakePool) -> None:
        self.course = course
        self.pool = pool
        self.listener = listener
        self.assignment: Assignment = course.assignment(name)
        self.summary = Summary(name)
        self.ledger = Ledger(course.root)
        self.after = AfterSteps(course, self.assignment)
        self.writer = Writer(
            course.db_url,
            course.directory.course_id,
            name,
            course.converter.create_student,
            self.after.penalties,
        )
        self.folders = Folders(course.converter, self.assignment)
        self._foreign: list[_Task] = []

    def close(self) -> None:
        self.after.close()
        self.ledger.close()
        self.writer.gradebook.close()

    def start(self, pattern: str, workers: int, force: bool, tell: Tell) -> Summary:
        with recorded(self.summary, self.ledger, self.writer.marks, tell) as before:
            tasks = self._tasks(pattern, force, before)
            self.listener.begin(len(tasks), len(self.summary.unchanged))
            self._grade(tasks, workers)
            for task in self._foreign:
                self._by_nbgrader(task)
        return self.summary

    # -- what is to be done -----------------------------------------------------------------

    def _tasks(self, pattern: str, force: bool, before: dict[str, Marks]) -> list[_Task]:
        name = self.assignment.name
        entries, parts = self.ledger.entries(name), self.course.parts(self.assignment)
        extensions = self.writer.extensions()
        known = {notebook.name for notebook in self.assignment.notebooks}
        tasks = []
        for student, folder in self.course.submitted(name, pattern).items():
            destination = self.course.path(
                self.course.directory.autograded_directory, student, name
            )
            try:
                submission = read_submission(folder, student, self.course.ignore)
            except OSError as error:
                self._problem(student, f"cannot be read ({error})")
                continue
            if not submission.notebooks:
                self._problem(student, f"no notebook was handed in ({_names(submission)})")
                continue
            due = digest_of(str(self.writer.due), str(extensions.get(student)))
            own = {**parts, "due date": due}
            digest = digest_of_submission(submission)
            entry = entries.get(student)
            why = "forced" if force and entry else why_again(entry, digest, own)
            if why is None and entry is not None:
                why = self._missing(entry, destination, before.get(student))
            if why is None and entry is not None:
                self.summary.unchanged.append(student)
                if entry.problem:
                    self._problem(student, entry.problem)
                continue
            if why == "not graded yet" and destination.exists():
                why = "was graded by nbgrader autograde"
            task = _Task(student, folder, destination, str(why), digest, own)
            if not known & submission.notebooks.keys():
                self._unknown(task, submission, known)
                continue
            tasks.append(task)
        return tasks

    def _missing(self, entry: Entry, destination: Path, marks: Marks | None) -> str | None:
        """Why an unchanged submission's results are not what the ledger says, or None."""
        if marks is None:
            return "its marks were missing"
        if entry.problem:
            return None
        for notebook, size in entry.written.items():
            path = destination / f"{notebook}.ipynb"
            if not path.is_file() or path.stat().st_size != size:
                return "its autograded folder was missing or another"
        now = plain_marks(marks)
        for notebook, cells in entry.marks.items():
            for cell, mark in cells.items():
                if now.get(notebook, {}).get(cell) != mark:
                    return "its marks were not those of the last run"
        return None

    # -- grading ----------------------------------------------------------------------------

    def _grade(self, tasks: list[_Task], workers: int) -> None:
        if not tasks:
            return
        by_student = {task.student: task for task in tasks}
        ignore = tuple(self.course.ignore)
        jobs = [Job(task.student, str(task.folder), ignore) for task in tasks]
        limit = self.course.seconds_of_a_submission()
        self.after.expect((task.student, task.folder) for task in tasks)
        with self.pool(self.assignment, min(workers, len(jobs)), limit) as pool:
            for outcome in pool.run(jobs):
                task = by_student[outcome.job.student]
                with uninterrupted():
                    self._keep(task, outcome.result, outcome.digest, outcome.lost)
                self.listener.step(task.student)

    def _keep(self, task: _Task, result: Result | None, digest: str, lost: str | None) -> None:
        """Write what came of one submission; its entry in the ledger comes last."""
        if result is not None and result.foreign:
            self._foreign.append(task)
            return
        try:
            submission = read_submission(task.folder, task.student, self.course.ignore)
            if result is not None and digest_of_submission(submission) != digest:
                self._problem(task.student, "was changed while it was graded; run this again")
                return
            entry = self._write(task, submission, result, digest)
        except UnknownStudent as error:
            self._problem(task.student, str(error))
            return
        except Exception as error:
            said = " ".join(str(error).split())[:300]
            self._problem(task.student, f"could not be written ({type(error).__name__}: {said})")
            return
        self.summary.graded[task.student] = task.why
        if entry is None:
            self._say_ungraded(task.student, {"every test": str(lost)})
            return
        self.ledger.put(self.assignment.name, task.student, entry)
        assert result is not None
        if result.problem:
            self._problem(task.student, result.problem)
        for cells in result.ungraded.values():
            self._say_ungraded(task.student, cells)

    def _write(
        self, task: _Task, submission: Submission, result: Result | None, digest: str
    ) -> Entry | None:
        name, student = self.assignment.name, task.student
        self.ledger.forget(name, student)
        timestamp = _time(submission)
        if submission.timestamp and timestamp is None:
            self.listener.say(f"{name}/{student}: timestamp.txt holds no time; none is noted")
        reviews = {} if result is None or result.problem else self.after.reviews(student, result)
        self.writer.write(student, submission.timestamp if timestamp else None, result, reviews)
        if result is None or result.problem:
            self.folders.remove(task.destination)
        else:
            late = self.writer.late_by(student, timestamp)
            self.after.run(student, result, late)
            self.folders.write(task.destination, submission, result)
        if result is None:
            return None
        marks = {
            n: {**m, **dict.fromkeys(result.ungraded.get(n, ()))} for n, m in result.marks.items()
        }
        written = {n: len(t.encode("utf-8")) for n, t in result.notebooks.items()}
        return Entry(digest, task.parts, written, marks, result.problem, result.passing)

    def _unknown(self, task: _Task, submission: Submission, known: set[str]) -> None:
        """None of the notebooks is one of this assignment: rows for it, and a sentence."""
        names = ", ".join(f"{name}.ipynb" for name in sorted(known))
        problem = f"{names} is missing ({_names(submission)})"
        result = Result(task.student, problem=problem)
        with uninterrupted():
            self._keep(task, result, task.digest, None)

    def _by_nbgrader(self, task: _Task) -> None:
        """A notebook of another language: nbgrader starts its kernel."""
        with uninterrupted():
            self.ledger.forget(self.assignment.name, task.student)
        clear_away(task.destination)
        self.summary.problems[task.student] = UNFINISHED
        problem = grade_by_nbgrader(self.course, self.assignment.name, task.student)
        if problem:
            self._problem(task.student, problem)
            return
        del self.summary.problems[task.student]
        written = {path.stem: path.stat().st_size for path in task.destination.glob("*.ipynb")}
        marks = plain_marks(self.writer.marks().get(task.student, {}))
        entry = Entry(task.digest, task.parts, written, marks)
        self.ledger.put(self.assignment.name, task.student, entry)
        self.summary.graded[task.student] = task.why
        self.listener.step(task.student)

    # -- words ------------------------------------------------------------------------------

    def _problem(self, student: str, what: str) -> None:
        self.summary.problems[student] = what
        self.listener.say(f"{self.assignment.name}/{student}: {what}")

    def _say_ungraded(self, student: str, cells: dict[str, str]) -> None:
        self.summary.ungraded.setdefault(student, {}).update(cells)
        name = self.assignment.name
        for cell, reason in cells.items():
            self.listener.say(
                f"UNGRADED {name}/{student}/{cell}: {reason}. Not the student's fault; the other "
                f"marks are kept. Retry: attention-course grade {name} --student {student} --force"
            )


def grade_class(
    course: Course,
    assignment: str,
    workers: int = 1,
    pattern: str = "*",
    force: bool = False,
    listener: Listener | None = None,
    pool: MakePool = Pool,
    tell: Tell = lambda summary: None,
) -> Summary:
    """Grade what changed of ``assignment``; raises NotReleased and NoWorkers.

    Interrupted, it leaves every submission either graded or as it was. ``tell`` hears of a run
    that graded anything, one that ends with an exception included.
    """
    run = Run(course, assignment, listener or Silent(), pool)
    try:
        return run.start(pattern, workers, force, tell)
    finally:
        run.close()


def _names(submission: Submission) -> str:
    names = sorted([f"{name}.ipynb" for name in submission.notebooks] + list(submission.files))
    return f"there is: {', '.join(names[:5]) or 'nothing'}"


def _time(submission: Submission) -> Any:
    if not submission.timestamp:
        return None
    try:
        return parse_utc(submission.timestamp)
    except (ValueError, OverflowError):
        return None
