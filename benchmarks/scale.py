"""What a submission costs in a class of 10, of 100, of 1,000: nothing grows faster than the class.

    python benchmarks/scale.py [--sizes 10 100 1000 10000] [--document]

Each class answers at random from the panel and is graded by one worker on two cores, the middle
one by two workers on two and by one on one core as well. What is asked of the whole class
afterwards (a regrade with nothing changed, the report, nbgrader's export and what formgrader's
pages read) is timed, too. Prints a table, writes benchmarks/results/scale.json and a picture;
--document fills docs/scale.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # started as a file, like its neighbours

from benchmarks.grading.classes import ASSIGNMENT, PreparedClass, make_class  # noqa: E402
from benchmarks.grading.contestants import GRADE, environment, one_core, two_cores  # noqa: E402
from benchmarks.grading.measure import measure  # noqa: E402

RESULTS = HERE / "results"
DOCUMENT = HERE.parent / "docs" / "scale.md"
BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", re.DOTALL)
SIZES = (10, 100, 1000)
MANY = 100_000  # students for whom the page reckons
WARM = 4  # the first submissions of a run, which load what the others find loaded
NBGRADER = [sys.executable, "-m", "nbgrader"]
Figures = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python benchmarks/scale.py")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--document", action="store_true", help="write docs/scale.md's figures")
    chosen = parser.parse_args()
    began, load = time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="scale-") as scratch:
        rows = [of_size(size, Path(scratch)) for size in sorted(chosen.sizes)]
        middle = sorted(chosen.sizes)[len(chosen.sizes) // 2]
        two = efficiency(middle, Path(scratch))
    record = {
        "rows": rows,
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


def graded(
    prepared: PreparedClass,
    workers: int,
    scratch: Path,
    cores: frozenset[int] | None = None,
    memory: bool = False,
) -> Figures:
    """One run over the class, in a process of its own; see _scale_probe.py.

    Looking at the ``memory`` of all processes takes processor time, in each class alike; where
    arrangements are compared nobody looks.
    """
    into = scratch / "probe.json"
    root = prepared.course.root
    probe = [sys.executable, str(HERE / "_scale_probe.py"), str(root), ASSIGNMENT, str(workers)]
    usage = measure([*probe, str(into)], root, environment(scratch), cores=cores, memory=memory)
    found: Figures = json.loads(into.read_text())
    if found["graded"] != len(prepared.students) or found["ungraded"]:
        raise ValueError(f"{found['graded']} were graded, not {len(prepared.students)}: {found}")
    return {**found, "cpu_s": usage.cpu_s, "peak_mb": usage.peak_mb}


def milliseconds_each(done: list[float]) -> float:
    """From one submission to the next, once everything is loaded."""
    return 1000 * (done[-1] - done[WARM - 1]) / (len(done) - WARM)


def of_size(size: int, scratch: Path) -> Figures:
    """Everything that is measured of a class of one size."""
    print(f"a class of {size:,}", flush=True)
    prepared = make_class(scratch / f"class-{size}", size)
    root, surroundings = prepared.course.root, environment(scratch)
    found = graded(prepared, 1, scratch, memory=True)

    def seconds(*command: str) -> float:
        return measure(command, root, surroundings).wall_s

    started = [found["done"][0], found["seconds"] - found["done"][-1]]
    last = prepared.students[-1]
    row = {
        "size": size,
        "each_ms": milliseconds_each(found["done"]),
        "start_and_end_s": sum(started),
        "cpu_each_ms": 1000 * found["cpu_s"] / size,
        "database_each_ms": 1000 * found["spent"]["write"] / size,
        "keep_each_ms": 1000 * found["spent"]["_keep"] / size,
        "look_s": found["spent"]["_tasks"] + found["spent"]["marks"] + found["spent"]["_report"],
        "writer_mb": found["memory"][-1] / 1024,
        "peak_mb": found["peak_mb"],
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
    shutil.rmtree(root)
    return row


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


def efficiency(size: int, scratch: Path) -> Figures:
    """Two workers on two cores against one worker on one, in turns on the same class.

    Besides, one worker on two cores, where the one writer has the second core to itself.
    """
    prepared = make_class(scratch / "two", size)
    arrangements = {
        "one_ms": (1, one_core()),
        "two_ms": (2, two_cores()),
        "one_on_two_ms": (1, two_cores()),
    }
    each: dict[str, list[float]] = {name: [] for name in arrangements}
    for _ in range(3):
        for name, (workers, cores) in arrangements.items():
            prepared.reset()
            found = graded(prepared, workers, scratch, cores)
            each[name].append(milliseconds_each(found["done"]))
    shutil.rmtree(prepared.course.root)
    one, two, one_on_two = (statistics.median(values) for values in each.values())
    return {
        "size": size,
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
    rows, two = record["rows"], record["efficiency"]
    lines = [
        f"Measured on {record['cores']} cores in {record['seconds'] / 60:.0f} minutes "
        f"(load {record['load']:.1f} when it began).\n",
        "| class of | " + " | ".join(f"{row['size']:,}" for row in rows) + " |",
        "| --- |" + " ---: |" * len(rows),
    ]
    for key, (title, digits) in COLUMNS.items():
        values = (f"{row[key]:,.{digits}f}" for row in rows)
        lines.append(f"| {title} | " + " | ".join(values) + " |")
    lines.append(
        f"\nA class of {two['size']:,}, three rounds in turns: "
        f"{statistics.median(two['one_ms']):.1f} ms a submission with one worker on one core, "
        f"{statistics.median(two['two_ms']):.1f} ms with two on two: efficiency "
        f"{two['efficiency']:.2f}. With one worker on two cores, where the one writer has the "
        f"second to itself, {statistics.median(two['one_on_two_ms']):.1f} ms: against that it is "
        f"{two['against_one_on_two']:.2f}."
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
        ("formgrader's table of students", _span(record, "students_page_s")),
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
