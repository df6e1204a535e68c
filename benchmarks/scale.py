"""What a submission costs in a class of 10, of 100, of 1,000: nothing grows faster than the class.

    python benchmarks/scale.py [--sizes 10 100 1000 10000] [--document]

The largest class answers at random from the panel. It is graded in parts by one worker on two
cores; after each part the same submissions are graded as classes of the smaller sizes, so that
each size is measured on the same work in the same minutes. In the same way two workers on two
cores take turns with one on one core. What is asked of a whole class afterwards (a regrade with
nothing changed, the report, nbgrader's export and what formgrader's pages read) is timed, too.
Prints a table, writes benchmarks/results/scale.json and a picture; --document fills
docs/scale.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # started as a file, like its neighbours

from attention_course.commands.course_folder import CourseFolder  # noqa: E402
from benchmarks._scale_turns import (  # noqa: E402
    SKIPPED,
    Figures,
    InParts,
    classes_in_turns,
    graded,
    hand_in,
    without_submissions,
)
from benchmarks.grading.classes import PreparedClass, make_class  # noqa: E402
from benchmarks.grading.contestants import (  # noqa: E402
    ASSIGNMENT,
    GRADE,
    environment,
    one_core,
    two_cores,
)
from benchmarks.grading.measure import measure  # noqa: E402

RESULTS = HERE / "results"
DOCUMENT = HERE.parent / "docs" / "scale.md"
BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", re.DOTALL)
SIZES = (10, 100, 1000)
MANY = 100_000  # students for whom the page reckons
TURNS, PART = 10, 40  # of two workers and of one, and the submissions of each turn
NBGRADER = [sys.executable, "-m", "nbgrader"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python benchmarks/scale.py")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--document", action="store_true", help="write docs/scale.md's figures")
    chosen = parser.parse_args()
    sizes = sorted(set(chosen.sizes))
    if sizes[0] <= SKIPPED:
        parser.error(f"the first {SKIPPED} of a class do not count: {sizes[0]} are too few")
    began, load = time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        scratch = Path(folder)
        source = make_class(scratch / f"class-{sizes[-1]}", max(sizes[-1], TURNS * PART))
        two = efficiency(source, scratch)
        rows = of_sizes(source, sizes, scratch)
    record = {
        "rows": rows,
        "growth": growth(rows),
        "efficiency": two,
        "seconds": time.monotonic() - began,
        "load": load,
        "cores": os.cpu_count(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "scale.json").write_text(json.dumps(record, indent=1) + "\n")
    text = table(record)
    print(text, reckoned(record), sep="\n\n")
    picture = draw(record, RESULTS / "scale")
    if chosen.document:
        page = DOCUMENT.read_text(encoding="utf-8")
        words = "Cost against the size of the class; the table says the same."
        shown = f"\n![{words}](scale.png)\n\n{text}\n\n{reckoned(record)}\n"
        if picture is not None:
            shutil.copyfile(picture, DOCUMENT.with_name("scale.png"))
        DOCUMENT.write_text(BLOCK.sub(lambda m: m[1] + shown + m[2], page), encoding="utf-8")


# -- measuring ------------------------------------------------------------------------------


def of_sizes(source: PreparedClass, sizes: list[int], scratch: Path) -> list[Figures]:
    """Everything that is measured of classes of these sizes, a row each."""
    if len(source.students) > sizes[-1]:
        students = sorted(source.students)[: sizes[-1]]
        course = without_submissions(source, scratch / "largest")
        source = hand_in(source, students, course)
    runs = classes_in_turns(source, sizes, scratch)
    rows = []
    for size in sizes:
        root = source.course.root if size == sizes[-1] else scratch / f"class-{size}"
        course = CourseFolder(root)
        students = sorted(place.name for place in (root / "submitted").iterdir())
        graded_class = PreparedClass(course, {s: source.expected[s] for s in students})
        rows.append(of_size(size, runs[size], graded_class, scratch))
    return rows


def of_size(size: int, runs: list[Figures], prepared: PreparedClass, scratch: Path) -> Figures:
    """What the ``runs`` took, and what is asked of the class once it is graded."""
    print(f"a class of {size:,}", flush=True)
    root, surroundings = prepared.course.root, environment(scratch)

    def seconds(*command: str) -> float:
        return measure(command, root, surroundings).wall_s

    def median(value: Callable[[Figures], float]) -> float:
        return statistics.median(map(value, runs))

    last = prepared.students[-1]
    row = {
        "size": size,
        "each": [each for run in runs for each in run["each_ms"]],
        "start_and_end_s": median(lambda run: run["done"][0] + run["seconds"] - run["done"][-1]),
        "cpu_each_ms": median(lambda run: 1000 * run["cpu_s"] / size),
        "database_each_ms": median(lambda run: 1000 * run["spent"]["write"] / size),
        "keep_each_ms": median(lambda run: 1000 * run["spent"]["_keep"] / size),
        "look_s": median(lambda run: sum(run["spent"][k] for k in ("_tasks", "marks", "_report"))),
        "unchanged_s": statistics.median(seconds(*GRADE) for _ in range(3)),
        "report_s": seconds(sys.executable, "-m", "attention_course.cli", "report", ASSIGNMENT),
        "export_s": seconds(*NBGRADER, "export"),
        "one_more_s": seconds(*GRADE, "--student", last, "--force"),
        "one_more_nbgrader_s": seconds(
            *NBGRADER, "autograde", ASSIGNMENT, "--student", last, "--force"
        ),
        "gradebook_mb": prepared.course.gradebook.stat().st_size / 2**20,
        **pages(root),
    }
    prepared.reset()
    found = graded(prepared, 1, scratch, memory=True)
    return {
        **row,
        "each_ms": statistics.median(row["each"]),
        "writer_mb": found["memory"][-1] / 1024,
        "peak_mb": found["peak_mb"],
    }


def growth(rows: list[Figures]) -> list[float]:
    """What each part of the largest class took against the same submissions as a class."""
    if len(rows) < 2:
        return []
    pairs = zip(rows[-2]["each"], rows[-1]["each"], strict=True)
    return [large / small for small, large in pairs]


def pages(root: Path) -> Figures:
    """What nbgrader's own interface takes for the tables of formgrader."""
    from nbgrader.api import Gradebook

    found: Figures = {}
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", "attention-course") as gradebook:
        for name, ask in {
            "students_page_s": gradebook.student_dicts,
            "submissions_page_s": lambda: gradebook.submission_dicts(ASSIGNMENT),
        }.items():
            began = time.perf_counter()
            ask()
            found[name] = time.perf_counter() - began
    return found


def efficiency(source: PreparedClass, scratch: Path) -> Figures:
    """Two workers on two cores against one worker on one, in turns on the same submissions.

    Besides, one worker on two cores, where the one writer has the second core to itself.
    """
    print("two workers and one", flush=True)
    students = sorted(source.students)[: TURNS * PART]
    arrangements = {
        "one_ms": (1, one_core()),
        "two_ms": (2, two_cores()),
        "one_on_two_ms": (1, two_cores()),
    }
    each: dict[str, list[float]] = {}
    with contextlib.ExitStack() as stack:
        runs = {}
        for name, (workers, cores) in arrangements.items():
            course = without_submissions(source, scratch / name)
            prepared = hand_in(source, students, course)
            run = InParts(prepared, workers, scratch, cores, PART)
            runs[name] = stack.enter_context(run)
        for _ in range(TURNS):
            for run in runs.values():
                run.turn()
        each = {name: run.result()["each_ms"] for name, run in runs.items()}
    one, two, one_on_two = (statistics.median(values) for values in each.values())
    return {
        "size": len(students),
        **each,
        "efficiency": one / (2 * two),
        "against_one_on_two": one_on_two / (2 * two),
    }


# -- showing --------------------------------------------------------------------------------

COLUMNS = {
    "each_ms": ("from one submission to the next, ms", 1),
    "cpu_each_ms": ("CPU of all processes, the start shared out, ms each", 0),
    "keep_each_ms": ("the one writer: folders, gradebook, ledger, ms each", 1),
    "database_each_ms": ("of that the gradebook, ms each", 1),
    "look_s": ("before and after: what changed, which marks, s", 2),
    "start_and_end_s": ("start and end, s", 1),
    "writer_mb": ("memory of the writer, MB", 0),
    "peak_mb": ("memory of all processes, MB", 0),
    "unchanged_s": ("again, nothing changed, s", 2),
    "report_s": ("the class report, s", 2),
    "export_s": ("nbgrader export, s", 2),
    "one_more_s": ("one submission more, attention-course grade, s", 1),
    "one_more_nbgrader_s": ("one submission more, nbgrader autograde, s", 1),
    "students_page_s": ("formgrader's table of students, s", 2),
    "submissions_page_s": ("formgrader's table of submissions, s", 2),
    "gradebook_mb": ("gradebook.db, MB", 1),
}


def table(record: Figures) -> str:
    """The figures as Markdown, a column a size."""
    rows, two, growing = record["rows"], record["efficiency"], record["growth"]
    lines = [
        f"Measured on {record['cores']} cores in {record['seconds'] / 60:.0f} minutes "
        f"(load {record['load']:.1f} when it began).\n",
        "| class of | " + " | ".join(f"{row['size']:,}" for row in rows) + " |",
        "| --- |" + " ---: |" * len(rows),
    ]
    for key, (title, digits) in COLUMNS.items():
        values = (f"{row[key]:,.{digits}f}" for row in rows)
        lines.append(f"| {title} | " + " | ".join(values) + " |")
    if growing:
        lines.append(
            f"\nIn {len(growing)} turns, {rows[-2]['size']:,} submissions each: what one costs as "
            f"part of the class of {rows[-1]['size']:,} is {statistics.median(growing):.2f} times "
            f"({min(growing):.2f} to {max(growing):.2f}) what the same one costs in a class of "
            f"{rows[-2]['size']:,}."
        )
    lines.append(
        f"\nIn {TURNS} turns, {PART} submissions each: {statistics.median(two['one_ms']):.1f} ms a "
        f"submission with one worker on one core, {statistics.median(two['two_ms']):.1f} ms with "
        f"two on two: efficiency {two['efficiency']:.2f}. With one worker on two cores, where the "
        f"one writer has the second to itself, {statistics.median(two['one_on_two_ms']):.1f} ms: "
        f"against that it is {two['against_one_on_two']:.2f}."
    )
    return "\n".join(lines)


def reckoned(record: Figures) -> str:
    """What a course of MANY students takes, from what one of the largest class measured takes."""
    row, two = record["rows"][-1], record["efficiency"]
    hour, size = 3600.0, row["size"]
    rate, two_ms = 1000 / row["keep_each_ms"], statistics.median(two["two_ms"])
    growth = MANY / size
    lines = [
        ("one worker", f"{MANY * row['each_ms'] / 1000 / hour:.1f} hours"),
        ("two workers on two cores", f"{MANY * two_ms / 1000 / hour:.1f} hours"),
        ("the one writer", f"{MANY * row['keep_each_ms'] / 1000 / hour:.1f} hours, "
         f"{rate:.0f} submissions a second at most"),
        ("workers that keep the writer busy", f"{row['each_ms'] * rate / 1000:.0f}"),
        ("a regrade with nothing changed", _span(record, "unchanged_s")),
        ("the class report", _span(record, "report_s")),
        ("gradebook.db", f"{row['gradebook_mb'] * growth / 1024:.1f} GB"),
        ("memory of the writer", f"{_grown(record, 'writer_mb') / 1024:.1f} GB"),
    ]  # fmt: skip
    return "\n".join(
        [f"| {MANY:,} students | reckoned |", "| --- | ---: |"]
        + [f"| {a} | {b} |" for a, b in lines]
    )


def _grown(record: Figures, key: str) -> float:
    """A figure at MANY, on the line through the two largest classes."""
    rows = record["rows"]
    if len(rows) < 2:
        return float(rows[-1][key])
    low, high = rows[-2], rows[-1]
    slope = (high[key] - low[key]) / (high["size"] - low["size"])
    return float(high[key] + max(slope, 0.0) * (MANY - high["size"]))


def _span(record: Figures, key: str) -> str:
    grown = _grown(record, key)
    return f"{grown:.0f} s" if grown < 180 else f"{grown / 60:.0f} minutes"


def draw(record: Figures, stem: Path) -> Path | None:
    """Cost a submission, memory, database and report time against size, each to the least size."""
    from bokeh.embed import file_html
    from bokeh.layouts import gridplot
    from bokeh.models import Range1d
    from bokeh.plotting import figure
    from bokeh.resources import INLINE

    from benchmarks.grading.picture import _photograph

    sizes = [row["size"] for row in record["rows"]]
    plots: list[Any] = []
    for key, colour in (
        ("each_ms", "#3b84c4"),
        ("database_each_ms", "#d9730d"),
        ("writer_mb", "#5b5b5b"),
        ("report_s", "#17466f"),
    ):
        values = [row[key] for row in record["rows"]]
        plot = figure(width=480, height=260, x_axis_type="log", title=COLUMNS[key][0],
                      x_axis_label="students", toolbar_location=None,
                      y_range=Range1d(start=0, end=1.25 * max(values)))  # fmt: skip
        plot.line(sizes, values, color=colour, line_width=2)
        plot.scatter(sizes, values, color=colour, size=9)
        plots.append(plot)
    page = file_html(gridplot([plots[:2], plots[2:]], toolbar_location=None), INLINE, title="Scale")
    html = stem.with_suffix(".html")
    html.write_text(page, encoding="utf-8")
    png = stem.with_suffix(".png")
    return png if _photograph(html, png, 560) else None


if __name__ == "__main__":
    main()
