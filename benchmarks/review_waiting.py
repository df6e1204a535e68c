"""What the code-quality review adds to grading where no model answers.

    python -m benchmarks.review_waiting [--students 50] [--rounds 3] [--into FILE]

The same class is graded with ``nbgrader autograde`` and with ``attention-course grade`` without
the review, with nothing at the Ollama address, and with a port that takes connections and never
says a word; in turns, in one run, each from an empty gradebook. Medians, and what they are over
the run without the review. Ends with an error where a numeric mark differs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.grading.classes import ASSIGNMENT, PreparedClass, make_class

RESULTS = Path(__file__).parent / "results" / "review_waiting.json"
COMMANDS = {
    "nbgrader autograde": ("nbgrader", "autograde", ASSIGNMENT),
    "attention-course grade": ("attention_course.cli", "grade", ASSIGNMENT),
}
OFF, NOTHING, SILENT = "without the review", "nothing at the address", "a port that is silent"
SETTING = "\nc.Review.enabled = {}\n"
MOST_EXTRA = 5.0  # seconds
Marks = list[tuple[object, ...]]


@contextmanager
def address(mode: str) -> Iterator[str]:
    """An address on this machine where nothing listens, or where nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        if mode == SILENT:
            yield host  # the system takes connections; nobody reads them
            return
    yield host


def grade(made: PreparedClass, command: tuple[str, ...], mode: str) -> tuple[float, str]:
    """Seconds of one run from an empty gradebook, and what it said."""
    made.reset()
    for leftover in (".attention_course", "cache"):
        subprocess.run(["rm", "-rf", str(made.course.root / leftover)], check=True)
    config = made.course.root / "nbgrader_config.py"
    text = config.read_text(encoding="utf-8").split("\nc.Review.enabled")[0]
    config.write_text(text + SETTING.format(mode != OFF), encoding="utf-8")
    with address(mode) as host:
        environment = dict(os.environ, OLLAMA_HOST=host)
        program = [sys.executable, "-m", *command]
        began = time.perf_counter()
        done = subprocess.run(
            program, cwd=made.course.root, env=environment, capture_output=True, text=True
        )
        seconds = time.perf_counter() - began
    return seconds, done.stdout + done.stderr


def marks(made: PreparedClass) -> tuple[Marks, int]:
    """Every numeric mark of the gradebook, and how many task cells wait for their review."""
    query = (
        "SELECT student.id, base_cell.name, grade.auto_score, grade.needs_manual_grade FROM grade "
        "JOIN base_cell ON base_cell.id = grade.cell_id "
        "JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id "
        "JOIN submitted_assignment "
        "ON submitted_assignment.id = submitted_notebook.assignment_id "
        "JOIN student ON student.id = submitted_assignment.student_id ORDER BY 1, 2"
    )
    with sqlite3.connect(made.course.gradebook) as connection:
        rows = connection.execute(query).fetchall()
    numeric = [row for row in rows if row[1] != "code_quality"]
    return numeric, sum(row[1] == "code_quality" and bool(row[3]) for row in rows)


def measure(students: int, rounds: int, folder: Path) -> dict[str, object]:
    made = make_class(folder / "course", students)
    results: dict[str, dict[str, dict[str, object]]] = {}
    for name, command in COMMANDS.items():
        seconds: dict[str, list[float]] = {mode: [] for mode in (OFF, NOTHING, SILENT)}
        waiting: dict[str, int] = {}
        expected: Marks | None = None
        for _ in range(rounds):
            for mode, times in seconds.items():
                took, said = grade(made, command, mode)
                times.append(took)
                found, waiting[mode] = marks(made)
                expected = expected or found
                if not found or found != expected:
                    raise SystemExit(f"{name}, {mode}: other marks than in the first run\n{said}")
                told = f"{ASSIGNMENT} wait: " in said
                if told != (mode != OFF):
                    raise SystemExit(f"{name}, {mode}: it says nothing of what waits\n{said}")
                print(f"  {name}, {mode}: {took:.2f} s", flush=True)
        off = statistics.median(seconds[OFF])
        results[name] = {
            mode: {
                "seconds": [round(value, 3) for value in times],
                "median": round(statistics.median(times), 3),
                "extra": round(statistics.median(times) - off, 3),
                "waiting for a person or a review": waiting[mode],
            }
            for mode, times in seconds.items()
        }
    return {
        "students": students,
        "rounds": rounds,
        "load before": round(LOAD, 2),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "results": results,
    }


LOAD = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.review_waiting", description=__doc__.split("\n", 1)[0]
    )
    parser.add_argument("--students", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--into", type=Path, default=RESULTS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="review-benchmark-") as scratch:
        record = measure(given.students, given.rounds, Path(scratch))
    given.into.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(
        f"{given.students} submissions, median of {given.rounds}, load before {LOAD:.2f}, "
        f"at most {MOST_EXTRA:g} s more are wanted"
    )
    worst = 0.0
    for name, modes in record["results"].items():  # type: ignore[attr-defined]
        for mode, row in modes.items():
            print(f"{name:24} {mode:24} {row['median']:7.2f} s  {row['extra']:+6.2f} s")
            worst = max(worst, row["extra"])
    raise SystemExit(0 if worst <= MOST_EXTRA else f"{worst:.2f} s more: that is too much")


if __name__ == "__main__":
    main()
