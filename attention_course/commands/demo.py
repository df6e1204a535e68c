"""``attention-course demo``: a small class, from the master notebooks to feedback and report."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated, Any

import typer

from attention_course.commands.course_folder import (
    CourseFolder,
    Finished,
    Refusal,
    checkout,
    copy_course,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from attention_course.sample_class import SampleStudent

# Left in every folder that a demonstration made, so that the next may clear that folder.
MARKER = ".attention-course-demo"
MOST_WORDS = 110  # characters of one remark in the table
CONVERTING = re.compile(r"Converting notebook .*?/submitted/([^/]+)/")


def prepare(into: Path) -> CourseFolder:
    """A fresh scratch course in ``into``; refuses a folder that holds anything but an old demo."""
    if into.exists() and any(into.iterdir()) and not (into / MARKER).is_file():
        raise Refusal(
            f"{into} holds files that no demonstration made. Choose another folder with --into."
        )
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    (into / MARKER).write_text("Made by attention-course demo, which may clear this folder.\n")
    return copy_course(checkout(), into)


class Demonstration:
    """The steps of the demonstration in one course folder, with a bar for each."""

    def __init__(self, course: CourseFolder, progress: Progress, size: int, seed: int) -> None:
        self.course = course
        self.progress = progress
        self.size = size
        self.seed = seed

    def run(self) -> dict[str, tuple[SampleStudent, ...]]:
        """Release, class, grades, feedback and report of every assignment in source/."""
        classes = {}
        names = self.course.assignments()
        if not names:
            raise Refusal(f"{self.course.root / 'source'} holds no master notebook.")
        for name in names:
            self._step(f"{name}: release", "generate_assignment", name).expect_success()
        from attention_course.sample_class import make_class

        for name in names:
            classes[name] = make_class(self.course, name, size=self.size, seed=self.seed)
        for name in names:
            graded = self._autograde(name)
            missing = [
                student.name
                for student in classes[name]
                if student.gradable
                and not (self.course.root / "autograded" / student.name / name).is_dir()
            ]
            if missing:
                raise Refusal(
                    f"nbgrader autograde {name} did not grade {', '.join(missing)}:\n"
                    f"{graded.last_words(12)}"
                )
        for name in names:
            self._step(f"{name}: feedback", "generate_feedback", name).expect_success()
        return classes

    def _step(self, title: str, *arguments: str) -> Finished:
        task = self.progress.add_task(title, total=1)
        finished = self.course.nbgrader(*arguments)
        self.progress.update(task, completed=1)
        return finished

    def _autograde(self, name: str) -> Finished:
        """Grade all students; those without a readable notebook make the exit code non-zero."""
        task = self.progress.add_task(f"{name}: autograde", total=self.size)
        seen: set[str] = set()

        def on_line(line: str) -> None:
            if match := CONVERTING.search(line):
                seen.add(match[1])
                self.progress.update(task, completed=len(seen) - 1)

        finished = self.course.nbgrader(
            "autograde", name, "--Review.during_autograde=False", on_line=on_line
        )
        self.progress.update(task, completed=self.size)
        return finished


def class_table(summary: dict[str, Any], students: tuple[SampleStudent, ...]) -> Table:
    """A row a student: what was handed in, the mark of each exercise, the named misconception."""
    from rich.markup import escape
    from rich.table import Table

    from attention_course.grading.report import named_and_noted, points

    exercises = summary["exercises"]
    keys = "  ".join(f"{n} {exercise['title']}" for n, exercise in enumerate(exercises, 1))
    table = Table(title=f"assignment {summary['assignment']}", caption=escape(keys))
    table.add_column("student", no_wrap=True)
    table.add_column("handed in", max_width=27)
    for number in range(1, len(exercises) + 1):
        table.add_column(str(number), justify="right", no_wrap=True)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("named misconception, or what to know")
    rows = {row["student"]: row for row in summary["students"]}
    for student in students:
        row = rows.get(student.name)
        if row is None:
            blank = ["–"] * (len(exercises) + 1)
            table.add_row(student.name, escape(student.deed), *blank, "no submission was found")
            continue
        table.add_row(
            student.name,
            escape(student.deed),
            *[points(row["marks"][exercise["cell"]]) for exercise in exercises],
            points(row["score"]),
            escape("; ".join(shorten(text, MOST_WORDS) for text in named_and_noted(row)[:2])),
        )
    return table


def unexpected_marks(
    summary: dict[str, Any], students: tuple[SampleStudent, ...]
) -> tuple[int, list[str]]:
    """How many marks were compared with what the known answers deserve, and those that differ."""
    from attention_course.grading.class_results import exercise_name

    rows = {row["student"]: row["marks"] for row in summary["students"]}
    worth = {exercise["cell"]: exercise["max_score"] for exercise in summary["exercises"]}
    compared, differ = 0, []
    for student in students:
        marks = {exercise_name(c): (c, mark) for c, mark in rows.get(student.name, {}).items()}
        for exercise, right in student.expected.items():
            cell, mark = marks.get(exercise, (exercise, None))
            compared += 1
            deserved = worth.get(cell, 1.0) if right else 0.0
            if mark != deserved:
                differ.append(f"{student.name}/{exercise}: {mark} instead of {deserved}")
    return compared, differ


def show(
    console: Console, course: CourseFolder, classes: dict[str, tuple[SampleStudent, ...]]
) -> list[str]:
    """Print table, paths and the comparison with the known answers; returns what differs."""
    from attention_course.commands.report import read_results, write_report
    from attention_course.grading.report import summarise

    wrong: list[str] = []
    for name, students in classes.items():
        summary = summarise(read_results(course, name))
        page = write_report(course, name)
        compared, differ = unexpected_marks(summary, students)
        wrong += [f"{name}/{text}" for text in differ]
        console.print(class_table(summary, students))
        as_deserved = f"{compared - len(differ)} of {compared}"
        console.print(f"{as_deserved} marks are what the known answers deserve.", highlight=False)
        # Paths stay on one line each, so that they can be copied.
        print(f"report:   {page}")
        print(f"feedback: {course.root / 'feedback'}/student-…/{name}/\n")
    return wrong


def register(app: typer.Typer) -> None:
    @app.command()
    def demo(
        into: Annotated[Path, typer.Option(help="The scratch course folder.")] = Path("demo"),
        students: Annotated[int, typer.Option(min=1, help="How many students.")] = 12,
        seed: Annotated[int, typer.Option(help="Which class; the same seed, the same.")] = 1,
    ) -> None:
        """Grade a small made-up class end to end with nbgrader, and show its report."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

        from attention_course.commands.terminal import console as open_console

        console = open_console()
        began = time.monotonic()
        course = prepare(into)
        console.print(f"A class of {students} in {course.root}", highlight=False, soft_wrap=True)
        columns = (
            "{task.description}",
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=console) as progress:
            classes = Demonstration(course, progress, students, seed).run()
        wrong = show(console, course, classes)
        seconds = time.monotonic() - began
        console.print(f"Done in {seconds:.0f} s.", highlight=False)
        if wrong:
            raise Refusal("these marks are not what the answers deserve:\n" + "\n".join(wrong))
