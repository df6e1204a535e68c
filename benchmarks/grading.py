"""How long judging and grading take, beside stock nbgrader in the same run.

    python benchmarks/grading.py [--students 8] [--rounds 2] [--json FILE]

First the judge alone: one right and one wrong answer of each exercise, in this process. Then
`nbgrader autograde attention` on one class, in turn with our nbgrader_config.py and with stock
nbgrader (its own preprocessors and kernels, the same notebooks), each time from its start to
its end and into an empty gradebook. Wall time, and CPU time of all processes it waited for.
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
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path

from attention_course.commands.course_folder import CourseFolder, Finished, checkout, copy_course

ASSIGNMENT = "attention"
REPEATS = 5
STOCK = 'c = get_config()\nc.CourseDirectory.course_id = "attention-course"\n'
RESULTS = Path(__file__).parent / "results" / "grading.json"


@dataclass(frozen=True, slots=True)
class Judging:
    """Milliseconds that one verdict takes, the median of some repeats."""

    exercise: str
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
    """One right and one wrong answer of every exercise of the assignment, judged here."""
    import math

    import torch
    import torch.nn.functional as F
    from torch import nn

    from attention_course.checks import exercises_of, judge
    from attention_course.sample_class import known_answers

    torch.set_num_threads(1)
    found = []
    for exercise in exercises_of(ASSIGNMENT):
        medians = []
        for right in (True, False):
            known = known_answers(exercise.name, right=right)[0]
            names = {"torch": torch, "nn": nn, "F": F, "math": math}
            times = []
            # Some known answers print and warn, as students' do.
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                exec(known.source, names)
                for _ in range(REPEATS):
                    began = time.perf_counter()
                    verdict = judge(exercise, names[exercise.answer_name])
                    times.append(time.perf_counter() - began)
            assert verdict.passed is right, verdict.message
            medians.append(1000 * statistics.median(times))
        found.append(Judging(exercise.name, *medians))
    return found


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
    table = Table(title=f"judge, ms a verdict (median of {REPEATS}, one thread)")
    for heading in ("exercise", "right answer", "wrong answer"):
        table.add_column(heading, justify="left" if heading == "exercise" else "right")
    for row in judging:
        table.add_row(row.exercise, f"{row.right_ms:.1f}", f"{row.wrong_ms:.1f}")
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
