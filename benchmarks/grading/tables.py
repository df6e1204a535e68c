"""The figures as tables: on the screen, and in Markdown for the document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.grading.runs import Spread

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figures:
    """A table as text: a title, headings, and rows whose first cell is a name."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def markdown(self) -> str:
        lines = [_line(self.headings), _line(["---", *["---:"] * (len(self.headings) - 1)])]
        lines += [_line(row) for row in self.rows]
        if self.note:
            lines += ["", self.note]
        return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def spread(found: Record) -> Spread:
    return Spread(found["median"], found["least"], found["most"])


def tables(record: Record) -> list[Figures]:
    """Everything that was measured, one table a question."""
    found = [speed(record), costs(record)]
    if record["phases"]:
        found.append(milliseconds(record))
    if record["regrade"]:
        found.append(regrading(record))
    return found


def speed(record: Record) -> Figures:
    """How many submissions a minute, and how many times stock's that is."""
    size = record["students"]
    rows = []
    for row in record["contestants"]:
        times, same = row.get("times_stock"), row.get("times_same")
        rows.append(
            (
                _name(row, size),
                spread(row["submissions_a_minute"]).text(),
                spread(times).text(1) if times else "",
                spread(row["start_s"]).text(1),
                spread(row["ms_each"]).text(),
                spread(row["times_stock_without_start"]).text(1) if times else "",
                spread(same).text() if same else "",
                spread(row["times_same_without_start"]).text() if same else "",
            )
        )
    note = f"Medians of {record['rounds']} rounds (smallest–largest)."
    if record["load_before"] > 1:
        note += f" The machine was busy with other work (load {record['load_before']:.0f})."
    if any(row["students"] != size for row in record["contestants"]):
        note += (
            f" Where fewer than {size} were graded, the minute of a class of {size} is computed "
            "from the start and the milliseconds each."
        )
    return Figures(
        f"a class of {size}",
        (
            "who grades",
            "submissions a minute",
            "× stock",
            "start and end, s",
            "then ms each",
            "× stock without start",
            "× stock on the same notebook",
            "the same without start",
        ),
        tuple(rows),
        note,
    )


def _name(row: Record, size: int) -> str:
    graded = row["students"]
    return row["label"] if graded == size else f"{row['label']} ({graded} graded)"


def costs(record: Record) -> Figures:
    """CPU, memory, and whether the marks were right."""
    rows = []
    for row in record["contestants"]:
        marks, peak = row["marks"], row["peak_mb"]
        rows.append(
            (
                row["label"],
                spread(row["cpu_s_each"]).text(3),
                f"{peak:.0f}" if peak else "",
                f"{marks['right_marked']}/{marks['right']}" if marks else "",
                f"{marks['wrong_refused']}/{marks['wrong']}" if marks else "",
            )
        )
    return Figures(
        "what it takes, and what the marks are worth",
        (
            "who grades",
            "CPU s a submission",
            "peak memory MB",
            "right answers marked",
            "wrong refused",
        ),
        tuple(rows),
        "CPU of all processes, the start shared out; memory of all processes together, shared "
        "pages counted once.",
    )


def milliseconds(record: Record) -> Figures:
    """Where each millisecond of one submission goes."""
    phases = record["phases"]
    rows = tuple((phase["name"], f"{phase['ms']:.1f}", phase["what"]) for phase in phases["engine"])
    floor = tuple((phase["name"], f"{phase['ms']:.1f}", phase["what"]) for phase in phases["floor"])
    return Figures(
        "where each millisecond goes",
        ("of one submission", "ms", "what that is"),
        (*rows, *floor),
        phases.get("note", ""),
    )


def regrading(record: Record) -> Figures:
    """A class that nothing changed in."""
    found = record["regrade"]
    return Figures(
        f"{found['students']} submissions on one core",
        ("run", "wall s", "CPU s"),
        (
            ("the first time", f"{found['first_s']:.1f}", f"{found['first_cpu_s']:.1f}"),
            (
                "again, nothing changed",
                spread(found["unchanged_s"]).text(2),
                spread(found["unchanged_cpu_s"]).text(2),
            ),
        ),
    )


def show(record: Record) -> None:
    """Print every table, and a sentence for who could not take part."""
    from rich.table import Table

    from attention_course.commands.terminal import console

    screen = console()
    for figures in tables(record):
        table = Table(title=figures.title, caption=figures.note or None)
        for place, heading in enumerate(figures.headings):
            left = place == 0 or heading == "what that is"
            table.add_column(heading, justify="left" if left else "right")
        for row in figures.rows:
            table.add_row(*row)
        screen.print(table)
    for why in record["skipped"].values():
        screen.print(why, highlight=False, markup=False)
    screen.print(f"The whole benchmark took {record['seconds']:.0f} s.", highlight=False)
