"""Grades one submission in memory: plain data in, plain data out.

No database, no shared disk: whoever calls :func:`grade_submission` may be a process of this
machine or a worker of a cluster. Everything here can be pickled.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat.reader import NotJSONError
from nbgrader.utils import setenv

from attention_course.grading.engine import Record
from attention_course.grading.known import KnownNotebook
from attention_course.grading.plugins import KEY
from attention_course.grading.rebuild import AnotherNotebook
from attention_course.grading.sandbox import read_folder, write_folder
from attention_course.grading.steps import StepNames, Steps, written

LARGEST_NOTEBOOK = 100_000_000  # bytes; more than that nobody wrote
MOST_FILES = 2**31  # bytes of a working folder that are looked through for what a run made


@dataclass(frozen=True)
class Submission:
    """What one student handed in: notebooks by name, other files by relative path."""

    student: str
    notebooks: Mapping[str, bytes]
    files: Mapping[str, bytes] = field(default_factory=dict)
    timestamp: str | None = None


@dataclass(frozen=True)
class Assignment:
    """What a submission is graded with.

    ``files`` are the instructor's, put over the student's of the same path; those in
    ``student_files`` stay the student's. ``helpers`` is what the tests may import.
    ``options`` are the preprocessors' by class name, as in the configuration. ``digest`` names
    all of this, and the versions of what runs it: another digest may give another mark.
    """

    name: str
    notebooks: tuple[KnownNotebook, ...]
    steps: StepNames
    files: Mapping[str, bytes] = field(default_factory=dict)
    helpers: Mapping[str, bytes] = field(default_factory=dict)
    student_files: frozenset[str] = frozenset()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""


@dataclass
class Result:
    """What came of one submission.

    ``notebooks`` holds the autograded notebooks' text, ``files`` what the code made or changed.
    ``marks`` and ``comments`` are by notebook and grade_id as nbgrader's own preprocessor gives
    them; a mark of None waits for a person, and ``ungraded`` says where that is a fault of ours.
    ``problem`` is set where nothing could be graded, ``foreign`` where a notebook needs a kernel
    of its own; ``passing`` where another run may well end otherwise.
    """

    student: str
    notebooks: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    marks: dict[str, dict[str, float | None]] = field(default_factory=dict)
    comments: dict[str, dict[str, str | None]] = field(default_factory=dict)
    verdicts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    ungraded: dict[str, dict[str, str]] = field(default_factory=dict)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    durations: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problem: str | None = None
    foreign: bool = False
    passing: bool = False


def grade_submission(
    submission: Submission, assignment: Assignment, seed: int | None = None
) -> Result:
    """Grade every notebook of one submission; raises nothing for what a student handed in.

    Without ``seed`` the checks draw fresh secret inputs.
    """
    return _convert(submission, assignment, seed, None)


def set_aside(submission: Submission, assignment: Assignment, reason: str) -> Result:
    """The same notebooks with nothing run: every test is ungraded because of ``reason``."""
    return _convert(submission, assignment, None, reason)


def _convert(
    submission: Submission, assignment: Assignment, seed: int | None, reason: str | None
) -> Result:
    began = time.perf_counter()
    result = Result(submission.student)
    tools = _tools(assignment)
    tools.steps.notes.take()
    with _working_folder(submission, assignment) as folder:
        before = dict(submission.files) | _instructors_files(assignment)
        for known in assignment.notebooks:
            data = submission.notebooks.get(known.name)
            if data is None:
                continue
            try:
                _one(result, known, data, tools, assignment, folder, seed, reason)
            except _Foreign:
                result.foreign = True
                break
            except _Unreadable as error:
                result.problem = f"{known.name}.ipynb {error}"
                break
        if result.problem is None and reason is None:
            made = read_folder(folder, MOST_FILES)
            result.files = {name: data for name, data in made.items() if before.get(name) != data}
    result.notes = tools.steps.notes.take()
    result.durations["total"] = time.perf_counter() - began
    return result


def _one(
    result: Result,
    known: KnownNotebook,
    data: bytes,
    tools: _Tools,
    assignment: Assignment,
    folder: Path,
    seed: int | None,
    reason: str | None,
) -> None:
    more: dict[str, Any] = {"helpers": tools.helpers, "student_files": assignment.student_files}
    if seed is not None:
        more["seed"] = seed
    resources = tools.steps.resources(
        result.student, assignment.name, known, folder.as_posix(), more
    )
    notebook = _read(data, tools, resources)
    if reason is None:
        if not tools.is_python(notebook):
            raise _Foreign
        with setenv(NBGRADER_EXECUTION="autograde"):
            notebook = tools.steps.autograde(notebook, resources)
    else:
        resources[KEY] = _unrun(notebook, reason)
        notebook = tools.steps.autograde_without_running(notebook, resources)
    record, book = resources.get(KEY), resources["nbgrader"]["gradebook"]
    result.marks[known.name] = {name: g.auto_score for name, g in book.grades.items()}
    result.comments[known.name] = {name: c.auto_comment for name, c in book.comments.items()}
    if isinstance(record, Record):
        result.verdicts[known.name] = record.verdicts
        result.events[known.name] = record.events
        if record.ungraded:
            result.ungraded[known.name] = dict(record.ungraded)
        for phase, seconds in record.durations.items():
            name = f"{phase} of cells" if phase == "total" else phase
            result.durations[name] = result.durations.get(name, 0.0) + seconds
        result.passing |= any(event.get("what") == "sandbox" for event in record.events)
    result.notebooks[known.name] = written(notebook)


class _Foreign(Exception):
    """A notebook that needs a kernel of its own."""


def _unrun(notebook: Any, reason: str) -> Record:
    """The record of a notebook that was not run, with a word about it under each test."""
    from nbformat import from_dict

    record = Record(events=[{"what": "sandbox", "why": reason}])
    note = f"Not graded yet: {reason}. A person will look at it; it is not counted as wrong.\n"
    for cell in notebook.cells:
        data = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and data.get("grade") and not data.get("solution"):
            record.ungraded[data["grade_id"]] = reason
            output = {"output_type": "stream", "name": "stdout", "text": note}
            cell.outputs = [from_dict(output)]
    return record


class _Unreadable(Exception):
    """What was handed in is no notebook of this assignment; the message says so in words."""


def _read(data: bytes, tools: _Tools, resources: Any) -> Any:
    """The notebook rebuilt around the instructor's cells; raises _Unreadable."""
    if len(data) > LARGEST_NOTEBOOK:
        raise _Unreadable(f"has {len(data):,} bytes, more than a notebook may have")
    try:
        return tools.steps.sanitize(tools.steps.read(data), resources)
    except (UnicodeDecodeError, NotJSONError) as error:
        raise _Unreadable("is not a notebook (its JSON cannot be read)") from error
    except RecursionError as error:
        raise _Unreadable("is nested too deeply to be read") from error
    except AnotherNotebook as error:
        raise _Unreadable(f"cannot be graded: {error}") from error
    except Exception as error:  # whatever a file does to those who read notebooks
        said = " ".join(str(error).split())[:200]
        raise _Unreadable(f"cannot be read ({type(error).__name__}: {said})") from error


# -- kept from one submission to the next -----------------------------------------------------


class _Tools:
    """What an assignment needs and no submission changes."""

    def __init__(self, assignment: Assignment) -> None:
        self.steps = Steps(assignment.steps, assignment.options)
        self.helpers = Path(tempfile.mkdtemp(prefix="attention-course-helpers-")).resolve()
        atexit.register(shutil.rmtree, self.helpers, ignore_errors=True)
        write_folder(self.helpers, assignment.helpers)

    def is_python(self, notebook: Any) -> bool:
        return self.steps.execute.runs_python(notebook)


@functools.lru_cache(maxsize=4)
def _tools_for(digest: str, holder: _ByDigest) -> _Tools:
    return _Tools(holder.assignment)


class _ByDigest:
    """An assignment that compares by its digest, for :func:`_tools_for`."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment

    def __hash__(self) -> int:
        return hash(self.assignment.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByDigest) and (
            other.assignment is self.assignment
            or (self.assignment.digest != "" and other.assignment.digest == self.assignment.digest)
        )


def _tools(assignment: Assignment) -> _Tools:
    return _tools_for(assignment.digest, _ByDigest(assignment))


def _instructors_files(assignment: Assignment) -> dict[str, bytes]:
    return {n: data for n, data in assignment.files.items() if n not in assignment.student_files}


@contextmanager
def _working_folder(submission: Submission, assignment: Assignment) -> Iterator[Path]:
    """A private folder with the student's files and the instructor's over them."""
    with tempfile.TemporaryDirectory(prefix="attention-course-", ignore_cleanup_errors=True) as at:
        folder = Path(at).resolve()
        write_folder(folder, submission.files)
        write_folder(folder, _instructors_files(assignment))
        yield folder


def digest_of(*parts: bytes | str) -> str:
    """One name for all ``parts``, each with its length, so that no two lists share one."""
    made = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        made.update(b"%d:" % len(data))
        made.update(data)
    return made.hexdigest()


def digest_of_submission(submission: Submission) -> str:
    """The name of what a student handed in."""
    parts: list[bytes | str] = [submission.student]
    for kind in (submission.notebooks, submission.files):
        parts.append(str(len(kind)))
        for name in sorted(kind):
            parts += [name, kind[name]]
    return digest_of(*parts)


def walls_of(assignment: Assignment) -> tuple[str, tuple[str, ...]] | None:
    """What the process that submissions are forked from is made with; None where there is none."""
    return Steps(assignment.steps, assignment.options).execute.walls()


def warm_up(assignment: Assignment) -> None:
    """Start the process that submissions are forked from, before the first one comes."""
    _tools(assignment).steps.execute.warm_up()
