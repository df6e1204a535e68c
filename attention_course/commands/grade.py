"""``attention-course grade ASSIGNMENT``: grade a class with a pool of workers."""

from __future__ import annotations

import contextlib
import functools
import gc
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from attention_course.commands.course_folder import CourseFolder, Refusal, find_course_folder

if TYPE_CHECKING:
    from rich.table import Table

    from attention_course.grading.batch.changes import Change
    from attention_course.grading.batch.course import Course
    from attention_course.grading.batch.launcher import Launcher
    from attention_course.grading.batch.recording import Summary
    from attention_course.grading.batch.run import Listener, MakePool

FAILED, INTERRUPTED = 1, 130


class Lines:
    """Tells how a run goes in plain lines, for logs and pipes."""

    every = 5.0  # seconds

    def __init__(self) -> None:
        self.total = self.done = 0
        self.began = self.told = time.monotonic()

    def begin(self, total: int, unchanged: int) -> None:
        self.total, self.began = total, time.monotonic()
        if unchanged:
            self.say(f"{unchanged} unchanged, not run again")
        if total:
            self.say(f"grading {total} submission{'s' if total != 1 else ''}")

    def step(self, student: str) -> None:
        self.done += 1
        now = time.monotonic()
        if now - self.told > self.every and self.done < self.total:
            self.told = now
            rate = self.done / (now - self.began)
            left = (self.total - self.done) / rate
            self.say(f"{self.done} of {self.total}, {60 * rate:.0f} a minute, {left:.0f} s left")

    def say(self, sentence: str) -> None:
        print(sentence, file=sys.stderr, flush=True)


class Bar:
    """Tells it in a progress bar; sentences appear above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self.console = Console(stderr=True)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self.console,
        )
        self.task: Any = None
        self.done = 0
        self.began = time.monotonic()

    def begin(self, total: int, unchanged: int) -> None:
        if unchanged:
            self.say(f"{unchanged} unchanged, not run again")
        if total:
            self.began = time.monotonic()
            self.task = self.progress.add_task("grading", total=total, rate="")

    def step(self, student: str) -> None:
        self.done += 1
        if self.task is not None:
            rate = 60 * self.done / max(time.monotonic() - self.began, 1e-3)
            self.progress.update(self.task, completed=self.done, rate=f"{rate:.0f}/min")

    def say(self, sentence: str) -> None:
        self.console.print(sentence, markup=False, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def listener() -> Iterator[Listener]:
    """A progress bar at a terminal, plain lines elsewhere."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    bar = Bar()
    with bar.progress:
        yield bar


@contextlib.contextmanager
def alone(folder: CourseFolder) -> Iterator[None]:
    """Hold the course's lock; two runs would write the same folders. Raises Refusal."""
    from attention_course.grading.batch.ledger import FOLDER

    place = folder.root / FOLDER
    place.mkdir(exist_ok=True)
    with (place / "lock").open("a+") as lock:
        try:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass  # Windows; there the second run waits for the first one's transactions
        except OSError:
            raise Refusal(
                f"another attention-course grade is at work in {folder.root}; wait for its end"
            ) from None
        yield


def grade_assignment(
    folder: CourseFolder,
    assignment: str,
    workers: int,
    pattern: str | None,
    force: bool,
    scheduler: str | None = None,
) -> Summary:
    """Grade, on this machine or on the workers of a Dask ``scheduler``, and report.

    Raises Refusal where nothing can be graded at all.
    """
    # This loads what takes long; a launcher is forked before a configuration is read, which may
    # start threads, load torch, and hold secrets.
    gc.disable()  # what is loaded here stays
    import attention_course.grading.submission  # noqa: F401
    from attention_course.grading.batch.launcher import Launcher, take_fresh

    gc.freeze()
    gc.enable()
    if scheduler:
        return _grade(folder, assignment, workers, pattern, force, scheduler, None)
    with take_fresh() or Launcher.fork() or contextlib.nullcontext() as launcher:
        return _grade(folder, assignment, workers, pattern, force, None, launcher)


def _grade(
    folder: CourseFolder,
    assignment: str,
    workers: int,
    pattern: str | None,
    force: bool,
    scheduler: str | None,
    launcher: Launcher | None,
) -> Summary:
    from attention_course.commands.report import database_words, loaded_configuration
    from attention_course.grading.batch.course import Course, NotReleased
    from attention_course.grading.batch.one_by_one import grade_one_by_one
    from attention_course.grading.batch.run import grade_class
    from attention_course.grading.sandbox import refusal

    course = Course(folder.root, loaded_configuration(folder))
    execute = course.execute()
    # A cluster's workers answer for their own protection: it is they who run students' code.
    reason = None if scheduler else refusal(execute.isolation, execute.required)
    if reason is not None:
        raise Refusal(
            f"nothing was graded: {reason}. Install what is missing (attention-course doctor), "
            f"or set c.TrustedExecute.required = [] to grade unprotected"
        )
    pattern = pattern or course.directory.student_id
    stock = course.why_stock()
    with database_words(folder), alone(folder), listener() as told, contextlib.chdir(folder.root):
        tell = functools.partial(_write_report, folder, told)
        try:
            if stock is not None:
                told.say(f"{stock}: graded by nbgrader autograde, one after another")
                return grade_one_by_one(course, assignment, pattern, force, told, tell)
            pool = _cluster(course, scheduler, told) if scheduler else _pool(launcher)
            return grade_class(course, assignment, workers, pattern, force, told, pool, tell)
        except (NotReleased, RuntimeError) as error:
            raise Refusal(str(error)) from error


def _pool(launcher: Launcher | None) -> MakePool:
    from attention_course.grading.batch.pool import Pool

    return functools.partial(Pool, launcher=launcher)


def _cluster(course: Course, scheduler: str, told: Listener) -> MakePool:
    from attention_course.grading.distributed import ClusterPool

    execute = course.execute()
    return functools.partial(
        ClusterPool,
        address=scheduler,
        isolation=execute.isolation,
        required=tuple(execute.required),
        say=told.say,
    )


def write_report(folder: CourseFolder, summary: Summary) -> Path | None:
    """Keep the last run's report in reports/, as data and as a table."""
    if not (summary.graded or summary.changes):
        return None
    place = folder.root / "reports"
    place.mkdir(exist_ok=True)
    data = json.dumps(summary.to_record(), indent=2, ensure_ascii=False)
    # A folder's name may hold what is no UTF-8, and so may the id of its student.
    data_file = place / f"{summary.assignment}-changes.json"
    data_file.write_text(data + "\n", encoding="utf-8", errors="backslashreplace")
    text = place / f"{summary.assignment}-changes.txt"
    lines = "\n".join(_table(summary)) + "\n"
    text.write_text(lines, encoding="utf-8", errors="backslashreplace")
    return text


def _write_report(folder: CourseFolder, told: Listener, summary: Summary) -> None:
    try:
        write_report(folder, summary)
    except OSError as error:
        told.say(
            f"the marks are in the gradebook, but the report of their changes cannot be written "
            f"({error}); attention-course changes {summary.assignment} shows them"
        )
    if summary.refused and summary.changes:
        count = len(summary.changes)
        told.say(
            f"{count} mark{'s' if count != 1 else ''} had changed by then: "
            f"attention-course changes {summary.assignment}"
        )


def _table(summary: Summary) -> list[str]:
    lines = []
    if summary.interrupted or summary.refused:
        lines = [f"This run was broken off ({summary.refused or 'interrupted'})."]
    if not summary.changes:
        return [*lines, "No mark that was there before has changed."]
    rows = [("student", "cell", "mark", "why")]
    rows += [(c.student, c.cell, c.in_words, c.why) for c in summary.changes]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return lines + [
        "  ".join([*(v.ljust(w) for v, w in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]


def changes_table(title: str, changes: Sequence[Change]) -> Table:
    """Changed marks as a person reads them."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for name in ("student", "cell", "mark", "why"):
        table.add_column(name)
    for change in changes:
        row = (change.student, change.cell, change.in_words, change.why)
        table.add_row(*map(escape, row))
    return table


def print_summary(summary: Summary) -> None:
    """What a person at a terminal wants to know."""
    from attention_course.commands.terminal import console

    out = console()
    if summary.changes:
        out.print(changes_table("Marks that changed", summary.changes))
    graded, unchanged = len(summary.graded), len(summary.unchanged)
    parts = [f"{graded} graded", f"{unchanged} unchanged"]
    if summary.problems:
        parts.append(f"{len(summary.problems)} not graded")
    if summary.ungraded:
        parts.append(f"{len(summary.ungraded)} waiting for a person through a fault of ours")
    rate = f" ({60 * graded / summary.seconds:.0f} a minute)" if graded and summary.seconds else ""
    out.print(f"{', '.join(parts)} in {summary.seconds:.1f} s{rate}", highlight=False)
    if summary.interrupted:
        out.print(f"Interrupted. Continue with: attention-course grade {summary.assignment}")


def register(app: typer.Typer) -> None:
    @app.command()
    def grade(
        assignment: Annotated[str, typer.Argument(help="The assignment's name.")],
        workers: Annotated[
            int | None, typer.Option(min=1, help="Processes that grade at once [processors].")
        ] = None,
        student: Annotated[
            str | None, typer.Option(help="Only students whose id fits, such as 'student-1*'.")
        ] = None,
        scheduler: Annotated[
            str | None,
            typer.Option(
                metavar="ADDRESS",
                help="Grade on the workers of this Dask scheduler, such as tcp://host:8786.",
            ),
        ] = None,
        force: Annotated[
            bool, typer.Option("--force", help="Run unchanged submissions again, too.")
        ] = False,
        as_json: Annotated[
            bool, typer.Option("--json", help="Print what was done as data.")
        ] = False,
    ) -> None:
        """Grade submissions that are new or changed, many at a time, and say what changed."""
        folder = find_course_folder()
        folder.expect_assignment(assignment)
        if scheduler and workers:
            raise Refusal(
                "--workers counts processes of this machine, --scheduler names a cluster whose "
                "workers all grade: give one of them"
            )
        from attention_course.grading.batch.processors import processors

        summary = grade_assignment(
            folder, assignment, workers or processors(), student, force, scheduler
        )
        if not summary.interrupted:
            from attention_course.commands.review import after_grading

            after_grading(folder, assignment, lambda said: print(said, file=sys.stderr))
        if as_json:
            json.dump(summary.to_record(), sys.stdout, indent=2, ensure_ascii=False)
            print()
        else:
            print_summary(summary)
        if summary.interrupted:
            raise SystemExit(INTERRUPTED)
        if summary.problems or summary.ungraded:
            raise SystemExit(FAILED)
