"""How long judging and grading take, beside stock nbgrader in the same run.

    python benchmarks/grading.py [--students 8] [--rounds 2] [--json FILE]

First the judge alone: every known answer of each exercise, in this process. Then `nbgrader
autograde attention` on one class, in turn with our nbgrader_config.py and with stock nbgrader
(its own preprocessors and kernels, the same notebooks; it runs demonstration cells too, since
nothing tells it otherwise), each time from its start to its end and into an empty gradebook.
Wall time, and CPU time of all processes it waited for.
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import resource
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from attention_course.commands.course_folder import CourseFolder, Finished, checkout, copy_course

if TYPE_CHECKING:
    from attention_course.panel import KnownAnswer

ASSIGNMENT = "attention"
STOCK = 'c = get_config()\nc.CourseDirectory.course_id = "attention-course"\n'
RESULTS = Path(__file__).parent / "results" / "grading.json"


@dataclass(frozen=True, slots=True)
class Judging:
    """Milliseconds that one verdict takes, the medians over the panel's answers."""

    exercise: str
    answers: int
    right_ms: float
    wrong_ms: float


@dataclass(frozen=True, slots=True)
class Grading:
    """One whole `nbgrader autograde` of the class."""

    who: str
    students: int
    wall_s: float
    cpu_s: float

    @property
    def per_minute(self) -> float:
        return 60 * self.students / self.wall_s


def time_judge() -> list[Judging]:
    """Every known answer to every exercise of the assignment, judged here once."""
    import torch

    from attention_course.checks import exercises_of
    from attention_course.sample_class import known_answers

    torch.set_num_threads(1)
    found = []
    for exercise in exercises_of(ASSIGNMENT):
        right = known_answers(exercise.name, right=True)
        wrong = known_answers(exercise.name, right=False)
        _time_verdict(right[0])  # the first call of all pays for loading
        medians = [statistics.median(map(_time_verdict, answers)) for answers in (right, wrong)]
        found.append(Judging(exercise.name, len(right) + len(wrong), *medians))
    return found


def _time_verdict(known: KnownAnswer) -> float:
    """Milliseconds that judging one known answer takes."""
    import math

    import torch
    import torch.nn.functional as F
    from torch import nn

    from attention_course.checks import EXERCISES, MISSING, judge

    exercise = EXERCISES[known.exercise]
    names = {"torch": torch, "nn": nn, "F": F, "math": math}
    # Some known answers print and warn, as students' do, and some fail before they are defined.
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        with suppress(Exception):
            exec(known.source, names)
        began = time.perf_counter()
        judge(exercise, names.get(exercise.answer_name, MISSING))
        return 1000 * (time.perf_counter() - began)


def make_course(folder: Path, students: int) -> CourseFolder:
    from attention_course.sample_class import make_class

    course = copy_course(checkout(), folder)
    course.nbgrader("generate_assignment", ASSIGNMENT).expect_success()
    make_class(course, ASSIGNMENT, size=students)
    # The last two of the first twelve hand in nothing that can be graded.
    for student in (course.root / "submitted").iterdir():
        if not _is_readable(student / ASSIGNMENT):
            shutil.rmtree(student)
    return course


def _is_readable(folder: Path) -> bool:
    try:
        return all("cells" in json.loads(path.read_text()) for path in folder.glob("*.ipynb")) and (
            any(folder.glob("*.ipynb"))
        )
    except ValueError:
        return False


def grade(course: CourseFolder, who: str, gradebook: Path) -> Grading:
    """Autograde everybody once, from an empty autograded/ and a copy of the fresh gradebook."""
    shutil.rmtree(course.root / "autograded", ignore_errors=True)
    shutil.copy2(gradebook, course.gradebook)
    students = len(list((course.root / "submitted").iterdir()))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    finished = course.nbgrader("autograde", ASSIGNMENT)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    _expect_all(course, finished, students)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Grading(who, students, wall, cpu)


def _expect_all(course: CourseFolder, finished: Finished, students: int) -> None:
    finished.expect_success()
    graded = len(list((course.root / "autograded").glob(f"*/{ASSIGNMENT}")))
    if graded != students:
        sys.exit(f"only {graded} of {students} submissions were graded:\n{finished.last_words()}")


def compare(students: int, rounds: int) -> list[Grading]:
    """Ours and stock in turn, so that a busy machine slows both."""
    runs = []
    with tempfile.TemporaryDirectory() as scratch:
        course = make_course(Path(scratch) / "course", students)
        fresh = Path(scratch) / "fresh.db"
        shutil.copy2(course.gradebook, fresh)
        configuration = course.root / "nbgrader_config.py"
        ours = configuration.read_text()
        for number in range(1, rounds + 1):
            for who, text in (("ours", ours), ("stock", STOCK)):
                print(f"round {number} of {rounds}: {who}", flush=True)
                configuration.write_text(text)
                runs.append(grade(course, who, fresh))
    return runs


def show(judging: list[Judging], runs: list[Grading]) -> dict[str, float]:
    from rich.table import Table

    from attention_course.commands.terminal import console

    screen = console()
    table = Table(title="judge, ms a verdict (median over known answers, one thread)")
    for heading in ("exercise", "answers", "right", "wrong"):
        table.add_column(heading, justify="left" if heading == "exercise" else "right")
    for row in judging:
        table.add_row(row.exercise, str(row.answers), f"{row.right_ms:.1f}", f"{row.wrong_ms:.1f}")
    screen.print(table)
    table = Table(title=f"nbgrader autograde {ASSIGNMENT}, whole command")
    for heading in ("who", "students", "wall s", "CPU s", "s a submission", "a minute"):
        table.add_column(heading, justify="left" if heading == "who" else "right")
    for run in runs:
        table.add_row(
            run.who,
            str(run.students),
            f"{run.wall_s:.1f}",
            f"{run.cpu_s:.1f}",
            f"{run.wall_s / run.students:.2f}",
            f"{run.per_minute:.1f}",
        )
    screen.print(table)
    medians = {
        who: statistics.median(run.wall_s for run in runs if run.who == who)
        for who in ("ours", "stock")
    }
    ratio = medians["stock"] / medians["ours"]
    screen.print(f"Ours grades {ratio:.2f} times as many submissions a minute as stock.")
    return {**medians, "ratio": ratio}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--students", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", type=Path, default=RESULTS)
    options = parser.parse_args()
    judging = time_judge()
    runs = compare(options.students, options.rounds)
    medians = show(judging, runs)
    record = {
        "machine": {"system": platform.platform(), "python": platform.python_version()},
        "judge": [asdict(row) for row in judging],
        "runs": [asdict(run) for run in runs],
        "median_wall_s": medians,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(record, indent=2) + "\n")
    print(f"figures: {options.json}")


if __name__ == "__main__":
    main()
