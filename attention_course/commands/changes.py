"""``attention-course changes ASSIGNMENT``: which marks changed between two runs, and why."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from attention_course.commands.course_folder import CourseFolder, Refusal, find_course_folder

if TYPE_CHECKING:
    from rich.table import Table

    from attention_course.grading.batch.history import PastRun


def recorded_runs(folder: CourseFolder, assignment: str) -> list[PastRun]:
    """The runs of an assignment, oldest first; a Refusal where there is none to be read."""
    from attention_course.grading.batch.history import past_runs
    from attention_course.grading.batch.ledger import FOLDER, NAME

    path = folder.root / FOLDER / NAME
    try:
        runs = past_runs(folder.root, assignment)
    except sqlite3.OperationalError as error:
        raise Refusal(
            f"{path} cannot be opened ({error}). Run this as the account that grades, and not "
            "while a disk is full."
        ) from error
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise Refusal(
            f"the runs in {path} cannot be read ({error}). Move that file away if it is damaged; "
            f"the next attention-course grade {assignment} makes another, without earlier runs."
        ) from error
    if not runs:
        raise Refusal(
            f'no run of "{assignment}" is recorded in {path}. Grade it first: attention-course '
            f"grade {assignment} (nbgrader autograde by itself records none)."
        )
    return runs


def chosen_run(runs: Sequence[PastRun], since: str) -> PastRun | None:
    """The run of that number, or the last one until that time; None for a time before the first.

    Raises Refusal where it is neither, or no such run is recorded.
    """
    if since.isdecimal():
        for run in runs:
            if run.number == int(since):
                return run
        known = ", ".join(str(run.number) for run in runs)
        raise Refusal(
            f"--since {since}: no such run is recorded. There is: {known}. Name one of these, or a "
            "time such as 2026-03-01."
        )
    try:
        at = datetime.fromisoformat(since).astimezone()
    except (ValueError, OverflowError, OSError):
        raise Refusal(
            f'--since "{since}" is neither a run\'s number nor a time. Give a number between '
            f'{runs[0].number} and {runs[-1].number}, or a time such as "2026-03-01 14:30".'
        ) from None
    return next((run for run in reversed(runs) if run.at <= at), None)


def _runs_table(assignment: str, runs: Sequence[PastRun]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"Runs of {assignment}", title_justify="left")
    for name in ("run", "ended", "graded", "marks changed", ""):
        table.add_column(name, justify="left" if name in ("ended", "") else "right")
    for run in runs:
        note = escape(f"broken off: {run.broken_off}") if run.broken_off else ""
        numbers = (str(run.graded), str(len(run.changes)))
        table.add_row(str(run.number), run.local, *numbers, note)
    return table


def register(app: typer.Typer) -> None:
    @app.command()
    def changes(
        assignment: Annotated[str, typer.Argument(help="The assignment's name.")],
        since: Annotated[
            str | None,
            typer.Option(
                metavar="RUN",
                help="Compare with this run, by its number or by a time, such as 2026-03-01 "
                "[the run before the last].",
            ),
        ] = None,
        as_json: Annotated[
            bool, typer.Option("--json", help="Print runs and changes as data.")
        ] = False,
    ) -> None:
        """List the runs of attention-course grade, and the marks that changed between two."""
        folder = find_course_folder()
        folder.expect_assignment(assignment)
        runs = recorded_runs(folder, assignment)

        from attention_course.grading.batch.history import before_the_last, changes_after

        base = before_the_last(runs) if since is None else chosen_run(runs, since)
        found = changes_after(runs, base)
        if as_json:
            data = {
                "assignment": assignment,
                "runs": [run.to_record() for run in runs],
                "since": base.number if base else None,
                "until": runs[-1].number,
                "changes": [change.to_record() for change in found],
            }
            json.dump(data, sys.stdout, indent=2, ensure_ascii=False)
            print()
            return
        from attention_course.commands.grade import changes_table
        from attention_course.commands.terminal import console

        out = console()
        out.print(_runs_table(assignment, runs))
        start = f"after run {base.number}" if base else "from before the first of these runs"
        span = f"{start} until run {runs[-1].number}"
        if base is runs[-1]:
            out.print(f"No run has graded anything after run {base.number}.", highlight=False)
        elif found:
            out.print(changes_table(f"Marks that changed {span}", found))
        else:
            out.print(f"No mark that was there before has changed {span}.", highlight=False)
