"""Where each millisecond of one submission goes, in the engine and on the floor.

    python -m benchmarks.grading.phases COURSE RESULT.json

grades a course's class in this process twice, as a worker of ``attention-course grade`` would,
and times the second pass part by part. What a worker does not do (handing work out, writing
folders and the gradebook) is the rest of what one submission took in the timed runs.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.grading.classes import ASSIGNMENT, PreparedClass
from benchmarks.grading.stopwatch import Stopwatch

if TYPE_CHECKING:
    from benchmarks.grading.session import Options

START, CELLS, CALLS, CHECKS = (
    "a sandboxed fork",
    "student's cells",
    "calls for the checks",
    "checks",
)
READING, STEPS, WRITING, FILES, REST = (
    "reading and rebuilding",
    "nbgrader's steps",
    "writing the notebook",
    "files and the end",
    "one writer and the pool",
)
FORK = "the fork"
WORDS = {
    START: "a child with the walls around it, ready to run",
    CELLS: "the student's and the instructor's cells, run in the child by IPython",
    CALLS: "calls of the student's functions and the way there and back",
    CHECKS: "drawing inputs, comparing, naming faults; test cells around it",
    READING: "reading JSON, rebuilding it around the instructor's cells",
    STEPS: "the other preprocessors of an autograde, marks included",
    WRITING: "the autograded notebook's text",
    FILES: "a working folder before, what the code left in it after, ending the child",
    REST: "handing out, folders on disk, gradebook, and anything not listed",
    FORK: "fork, exit, and the pages in between",
}


def phases(
    options: Options, ours: PreparedClass, scratch: Path, each_ms: Mapping[str, float]
) -> dict[str, Any]:
    """Where each millisecond of one submission goes.

    ``each_ms`` are the milliseconds from one submission to the next of "grade-1" in the timed
    runs. Raises CommandFailed where the course cannot be graded so.
    """
    from benchmarks.grading.contestants import Floor, environment, one_core
    from benchmarks.grading.measure import measure

    result = scratch / "phases.json"
    module = "benchmarks.grading.phases"
    command = [sys.executable, "-m", module, str(ours.course.root), str(result)]
    ours.reset()
    ours.keep_only(ours.students, scratch / "spare" / ours.course.root.name)
    measure(command, ours.course.root, environment(scratch, modules=True), cores=one_core())
    found = json.loads(result.read_text())
    engine = {part: found["parts"].get(part, 0.0) for part in WORDS if part in found["parts"]}
    if "grade-1" in each_ms:
        engine[REST] = max(0.0, each_ms["grade-1"] - sum(engine.values()))
    floor = Floor("floor", "the floor", ours, scratch, cores=one_core())
    floor.grade(1)
    answers = list(floor.answers().values())
    mean = {
        key: sum(answer[key] for answer in answers) / len(answers)
        for key in ("ms", "cells_ms", "checks_ms")
    }
    bottom = {
        FORK: mean["ms"] - mean["cells_ms"] - mean["checks_ms"],
        CELLS: mean["cells_ms"],
        CHECKS: mean["checks_ms"],
    }
    note = (
        f"Means over the class, on one core. The engine's parts add up to "
        f"{sum(engine.values()):.1f} ms, {sum(engine.values()) / mean['ms']:.2f} times the "
        f"floor's {mean['ms']:.1f} ms; each submission is asked {found['exchanges']:.0f} times "
        f"for something. On the floor the checks call the student's functions directly."
    )
    return {
        "engine": _listed(engine),
        "floor": _listed(bottom),
        "times_floor": sum(engine.values()) / mean["ms"],
        "exchanges": found["exchanges"],
        "note": note,
    }


def _listed(parts: Mapping[str, float]) -> list[dict[str, Any]]:
    return [{"name": part, "ms": round(ms, 2), "what": WORDS[part]} for part, ms in parts.items()]


def watch_the_engine(watch: Stopwatch) -> None:
    """Put the stopwatch around the engine's parts; raises NoSuchPart where one has moved."""
    from attention_course.grading import engine, student_side, submission
    from attention_course.grading.remote import Wall
    from attention_course.grading.steps import Steps

    watch.time(START, student_side.Surroundings, "start")
    watch.time(CELLS, student_side.StudentSide, "run_cell")
    watch.time(CHECKS, engine, "_grade_cell")
    watch.time(FILES, student_side.StudentSide, "keep_files")
    watch.time(FILES, student_side.StudentSide, "close")
    watch.time(READING, Steps, "read")
    watch.time(READING, Steps, "sanitize")
    watch.time(STEPS, Steps, "autograde")
    watch.time(WRITING, submission, "written")
    watch.time(CALLS, Wall, "exchange", within=CHECKS)


def main() -> None:
    import torch

    from attention_course.commands.course_folder import CourseFolder
    from attention_course.commands.report import loaded_configuration
    from attention_course.grading.batch.course import Course
    from attention_course.grading.batch.submitted import read_submission
    from attention_course.grading.remote import Wall
    from attention_course.grading.submission import grade_submission

    torch.set_num_threads(1)
    root, result = Path(sys.argv[1]), Path(sys.argv[2])
    course = Course(root, loaded_configuration(CourseFolder(root)))
    assignment = course.assignment(ASSIGNMENT)
    work = [
        read_submission(folder, student, course.ignore)
        for student, folder in course.submitted(ASSIGNMENT).items()
    ]
    for submission in work:
        grade_submission(submission, assignment)
    watch = Stopwatch()
    watch_the_engine(watch)
    asked = 0
    exchange = Wall.exchange

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal asked
        asked += 1
        return exchange(*args, **kwargs)

    Wall.exchange = counted  # type: ignore[method-assign]
    began = time.perf_counter()
    for submission in work:
        # What belongs to no part is the working folder's and the files'.
        watch.run(FILES, grade_submission, submission, assignment)
    whole = time.perf_counter() - began
    parts = {part: 1000 * seconds / len(work) for part, seconds in watch.seconds.items()}
    found = {"parts": parts, "ms": 1000 * whole / len(work), "exchanges": asked / len(work)}
    result.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
