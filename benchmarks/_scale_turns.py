"""Runs that take turns on the same submissions, for scale.py.

The machine's speed drifts by more than the differences that are asked for. So whatever is to be
compared is graded in parts, a part of the one and then the same part of the other.
"""

from __future__ import annotations

import concurrent.futures
import functools
import itertools
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from attention_course.commands.course_folder import CourseFolder
from benchmarks.grading.classes import ASSIGNMENT, PreparedClass
from benchmarks.grading.contestants import environment, two_cores
from benchmarks.grading.measure import measure

PROBE = Path(__file__).with_name("_scale_probe.py")
# The first of each part do not count: they load what the others find loaded, or had been graded
# ahead of a pause.
SKIPPED = 6
Figures = dict[str, Any]
_number = itertools.count()


def graded(
    prepared: PreparedClass,
    workers: int,
    scratch: Path,
    cores: frozenset[int] | None = None,
    memory: bool = False,
    pausing: tuple[str, ...] = (),
) -> Figures:
    """One run over the class, in a process of its own; see _scale_probe.py.

    Looking at the ``memory`` of all processes takes processor time; nothing else is read off
    such a run.
    """
    into = scratch / f"probe-{next(_number)}.json"
    root = prepared.course.root
    probe = [sys.executable, str(PROBE), str(root), ASSIGNMENT, str(workers), str(into), *pausing]
    usage = measure(probe, root, environment(scratch), cores=cores, memory=memory)
    found: Figures = json.loads(into.read_text())
    if found["graded"] != found["asked"] or found["ungraded"]:
        raise ValueError(f"{found['graded']} were graded, not {found['asked']}: {found['said']}")
    return {**found, "cpu_s": usage.cpu_s, "peak_mb": usage.peak_mb}


def milliseconds_each(done: list[float]) -> float:
    """From one submission of a part to the next, from the moments when they were done."""
    return 1000 * (done[-1] - done[SKIPPED - 1]) / (len(done) - SKIPPED)


class InParts:
    """A run that does ``every`` submissions a turn and waits in between; a context."""

    def __init__(
        self,
        prepared: PreparedClass,
        workers: int,
        scratch: Path,
        cores: frozenset[int] | None,
        every: int,
    ) -> None:
        self._every = every
        self._waits = scratch / f"waits-{next(_number)}"
        self._free = self._waits.with_suffix(".free")
        pausing = (str(every), str(self._waits), str(self._free))
        self._thread = concurrent.futures.ThreadPoolExecutor(1)
        self._grade = functools.partial(graded, prepared, workers, scratch, cores, pausing=pausing)
        self._run: concurrent.futures.Future[Figures] | None = None

    def __enter__(self) -> InParts:
        return self

    def __exit__(self, *about: object) -> None:
        self._free.touch()  # whatever is left is done without a pause
        self._waits.unlink(missing_ok=True)
        self._thread.shutdown()

    def turn(self) -> None:
        """Let it do its next part, and wait until it has."""
        self._waits.unlink(missing_ok=True)
        if self._run is None:
            self._run = self._thread.submit(self._grade)
        while not self._waits.exists() and not self._run.done():
            time.sleep(0.02)

    def result(self) -> Figures:
        """What came of the whole run; with ``each_ms``, a figure for each of its parts."""
        assert self._run is not None
        found = self._run.result()
        done = found["done"]
        return {**found, "each_ms": [milliseconds_each(part) for part in _parts(done, self._every)]}


def without_submissions(prepared: PreparedClass, place: Path) -> CourseFolder:
    """A copy of the course with nobody in it, to which :func:`hand_in` brings some."""
    root = prepared.course.root
    shutil.copytree(root, place, ignore=shutil.ignore_patterns("submitted"), symlinks=True)
    return CourseFolder(place)


def hand_in(source: PreparedClass, students: list[str], course: CourseFolder) -> PreparedClass:
    """``course`` with the submissions of just these students, and nobody graded."""
    submitted = course.root / "submitted"
    shutil.rmtree(submitted, ignore_errors=True)
    for student in students:
        shutil.copytree(source.course.root / "submitted" / student, submitted / student)
    prepared = PreparedClass(course, {student: source.expected[student] for student in students})
    prepared.reset()
    return prepared


def classes_in_turns(source: PreparedClass, sizes: list[int], scratch: Path) -> dict[int, Any]:
    """The class of the largest size in parts, and after each part the same submissions, graded as
    classes of the smaller sizes. One worker on two cores. By size, the runs.
    """
    students = sorted(source.students)
    every = sizes[-2] if len(sizes) > 1 else len(students)
    courses = {s: without_submissions(source, scratch / f"class-{s}") for s in sizes[:-1]}
    runs: dict[int, list[Figures]] = {size: [] for size in sizes}
    with InParts(source, 1, scratch, two_cores(), every) as large:
        for part in _parts(students, every):
            large.turn()
            for size, course in courses.items():
                small = hand_in(source, part[:size], course)
                found = graded(small, 1, scratch, two_cores())
                runs[size].append({**found, "each_ms": [milliseconds_each(found["done"])]})
        runs[sizes[-1]].append(large.result())
    return runs


def _parts(whole: list[Any], every: int) -> list[list[Any]]:
    """In order; without a rest of which nothing would count."""
    parts = [whole[at : at + every] for at in range(0, len(whole), every)]
    return [part for part in parts if len(part) > SKIPPED]
