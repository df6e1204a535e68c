"""A class that has been graded before: what it takes to find out that nothing changed."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.grading.classes import PreparedClass, make_class
from benchmarks.grading.contestants import GRADE, environment, one_core
from benchmarks.grading.marks import compare, marks_in_gradebook
from benchmarks.grading.measure import measure
from benchmarks.grading.runs import Spread

if TYPE_CHECKING:
    from benchmarks.grading.session import Options

TIMES = 3


def regrade(options: Options, ours: PreparedClass, scratch: Path) -> dict[str, Any]:
    """A large class graded once, then again with nothing changed."""
    large = make_class(scratch / "large", options.many)
    surroundings = environment(scratch)
    command = [*GRADE, "--workers", "1"]
    first = measure(command, large.course.root, surroundings, cores=one_core())
    before = marks_in_gradebook(large)
    compare(before, large.expected)  # raises where somebody is missing
    again = [
        measure(command, large.course.root, surroundings, cores=one_core()) for _ in range(TIMES)
    ]
    if marks_in_gradebook(large) != before:
        raise ValueError("the marks changed when an unchanged class was graded again")
    shutil.rmtree(large.course.root)
    return {
        "students": options.many,
        "first_s": first.wall_s,
        "first_cpu_s": first.cpu_s,
        "unchanged_s": asdict(Spread.of(usage.wall_s for usage in again)),
        "unchanged_cpu_s": asdict(Spread.of(usage.cpu_s for usage in again)),
    }
