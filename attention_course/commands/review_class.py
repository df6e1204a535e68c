"""``attention-course review ASSIGNMENT``: work off what waits, and say how the class stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attention_course.commands.course_folder import CourseFolder, Refusal
from attention_course.commands.review import bar, open_desk, open_reviewer, review_settings
from attention_course.commands.terminal import console as open_console

if TYPE_CHECKING:
    from rich.console import Console
    from traitlets.config import Config

    from attention_course.grading.review.desk import Desk
    from attention_course.grading.review.worker import Tally


def take_in_autograded(folder: CourseFolder, config: Config, desk: Desk, assignment: str) -> None:
    """Queue the graded submissions that no review is known of, as after a lost review file."""
    import nbformat
    from nbgrader.converters.autograde import Autograde

    from attention_course.commands.report import configured, student_folders
    from attention_course.grading.review.plugin import KEY, student_files, submitted_of
    from attention_course.grading.review.queue import Place

    course = configured(folder)
    master = Path(course.format_path(course.source_directory, ".", assignment))
    names = Autograde(config=config).exclude_overwriting.get(assignment, ())
    known = {job.place for job in desk.jobs(assignment)}
    graded = student_folders(course, course.autograded_directory, assignment)
    for student, place in sorted(graded.items()):
        handed_in = course.format_path(course.submitted_directory, student, assignment)
        for path in sorted(place.glob("*.ipynb")):
            where = Place(assignment, student, path.stem)
            if where in known:
                continue
            try:
                notebook = nbformat.read(path, as_version=4)
            except Exception:  # the report names notebooks that cannot be read
                continue
            verdicts = notebook.metadata.get(KEY, {}).get("verdicts", [])
            files = student_files(names, handed_in)
            source = master / path.name
            submitted = submitted_of(notebook, source, verdicts, files, desk.settings)
            if submitted is not None:
                desk.take(where, submitted)


def work_off(folder: CourseFolder, assignment: str, again: bool, student: str | None) -> bool:
    """Review what waits and write it into the gradebook; True where nothing is left to do."""
    from attention_course.commands.report import configured, loaded_configuration
    from attention_course.grading.review.gradebook import GradebookWriter

    config = loaded_configuration(folder)
    settings = review_settings(config)
    if not settings.enabled:
        raise Refusal("the review is switched off: c.Review.enabled is False in nbgrader_config.py")
    writer = GradebookWriter(configured(folder).db_url, settings.cell, config)
    console = open_console()
    with open_desk(folder, settings) as desk:
        take_in_autograded(folder, config, desk, assignment)
        if again:
            desk.queue.ask_again(assignment, student)
        jobs = desk.jobs(assignment)
        if not jobs:
            raise Refusal(
                f"no graded submission of {assignment} has a task cell {settings.cell}. "
                f"Grade first: nbgrader autograde {assignment}"
            )
        desk.apply_finished(assignment, writer.write)
        waiting = desk.waiting([assignment])
        tally, refusal = None, ""
        if waiting:
            try:
                with open_reviewer(settings) as reviewer, bar(console) as progress:
                    task = progress.add_task(f"{assignment}: review", total=waiting)
                    tally = desk.work_off(
                        assignment, reviewer, writer.write, lambda: progress.advance(task)
                    )
                    refusal = tally.stopped or "; ".join(tally.failed[:1])
            except Refusal as error:
                refusal = str(error)
                desk.queue.say_why(assignment, refusal)
            except KeyboardInterrupt:
                refusal = "stopped by you"
        show_class(console, desk, assignment)
        return say_what_came(console, desk, assignment, tally, refusal)


def show_class(console: Console, desk: Desk, assignment: str) -> None:
    from rich.markup import escape
    from rich.table import Table

    from attention_course.grading.report import points

    table = Table(title=f"code quality of {assignment}")
    for heading in ("student", "review", "points", "proposed", "what a grader should know"):
        table.add_column(heading, justify="right" if heading in ("points", "proposed") else "left")
    for job in desk.jobs(assignment):
        said = desk.standing(job)
        proposed = "" if said.score is not None else points(said.proposed)
        table.add_row(
            escape(job.place.student),
            said.state,
            points(said.score),
            proposed,
            escape(said.why),
        )
    console.print(table)


def say_what_came(
    console: Console, desk: Desk, assignment: str, tally: Tally | None, refusal: str
) -> bool:
    left = desk.waiting([assignment])
    if tally is not None:
        each = tally.calls / tally.reviewed if tally.reviewed else 0.0
        console.print(
            f"{tally.reviewed} reviewed with {tally.calls} model calls ({each:.2f} each); "
            f"{tally.answers - tally.calls} readings came from stored answers.",
            highlight=False,
        )
    if left:
        console.print(
            f"{left} still to come: {refusal or 'another process has them'}\n"
            f"Go on with: attention-course review {assignment}",
            highlight=False,
            markup=False,
        )
    elif tally is not None:
        console.print(
            f"Feedback that was written before: nbgrader generate_feedback {assignment} --force",
            highlight=False,
        )
    return not left
