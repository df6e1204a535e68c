"""``attention-course review``: work off, show, calibrate, and fetch the model that judges."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from attention_course.commands.course_folder import CourseFolder, Refusal, find_course_folder

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from traitlets.config import Config

    from attention_course.grading.review.client import Reviewer
    from attention_course.grading.review.desk import Desk
    from attention_course.grading.review.settings import Settings

SHOW, CALIBRATE = "show", "calibrate"


def review_settings(config: Config) -> Settings:
    from traitlets import TraitError

    from attention_course.grading.review.settings import Review

    try:
        return Review(config=config).settings()
    except TraitError as error:
        raise Refusal(f"nbgrader_config.py: {error}") from None


@contextlib.contextmanager
def open_desk(folder: CourseFolder, settings: Settings) -> Iterator[Desk]:
    from attention_course.grading.review.desk import Desk
    from attention_course.grading.review.storage import StorageUnreadable

    try:
        with Desk(settings, folder.root) as desk:
            yield desk
    except StorageUnreadable as error:
        raise Refusal(str(error)) from error


def open_reviewer(settings: Settings) -> Reviewer:
    """A reviewer whose server and model answer; else a Refusal that says how to mend it."""
    from attention_course.grading.review.client import Reviewer
    from attention_course.grading.review.protocol import ReviewUnavailable

    reviewer = Reviewer(settings)
    try:
        reviewer.server()
    except ReviewUnavailable as error:
        reviewer.close()
        raise Refusal(str(error)) from error
    return reviewer


def bar(console: Console) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=console)


def standings(folder: CourseFolder, assignment: str) -> tuple[str, dict[str, tuple[str, str]]]:
    """The reviewed cell, and for each student the review's state and what a person should know.

    Empty where nothing was reviewed or the review file cannot be read; makes no file.
    """
    from attention_course.commands.report import loaded_configuration
    from attention_course.grading.report import points

    settings = review_settings(loaded_configuration(folder))
    found: dict[str, tuple[str, str]] = {}
    if not (folder.root / settings.file).is_file():
        return settings.cell, found
    with contextlib.suppress(Refusal), open_desk(folder, settings) as desk:
        for job in desk.jobs(assignment):
            said = desk.standing(job)
            reason = "" if said.score is not None else f"review {said.state}: {said.why}"
            if said.score is None and said.proposed is not None:
                reason = f"{reason}; it proposes {points(said.proposed)} points"
            found[job.place.student] = (said.state, reason)
    return settings.cell, found


def after_grading(folder: CourseFolder, assignment: str, say: Callable[[str], None]) -> None:
    """Go on with the reviews once every numeric mark is saved; says in sentences how it goes."""
    from attention_course.commands.report import configured, loaded_configuration

    config = loaded_configuration(folder)
    settings = review_settings(config)
    if not settings.enabled or not (folder.root / settings.file).is_file():
        return
    from attention_course.grading.review.gradebook import GradebookWriter
    from attention_course.grading.review.run import finish_reviews

    writer = GradebookWriter(configured(folder).db_url, settings.cell, config)
    try:
        for sentence in finish_reviews(folder.root, settings, [assignment], writer.write):
            say(sentence)
    except KeyboardInterrupt:
        say(f"Stopped. Go on with: attention-course review {assignment}")
    except Exception as error:  # the numeric marks are there, whatever a review does
        say(
            f"The code-quality reviews stopped ({type(error).__name__}: {error}). All marks are "
            f"saved; the reviews wait: attention-course review {assignment}"
        )


def register(app: typer.Typer) -> None:
    @app.command()
    def review(
        what: Annotated[
            str | None,
            typer.Argument(
                metavar="ASSIGNMENT | show | calibrate",
                help="The assignment whose waiting reviews to work off; or show, or calibrate.",
            ),
        ] = None,
        student: Annotated[
            str | None, typer.Argument(metavar="[STUDENT]", help="The student, after show.")
        ] = None,
        pull: Annotated[
            bool, typer.Option("--pull", help="First fetch the model onto the server.")
        ] = False,
        again: Annotated[
            bool, typer.Option("--again", help="Review anew, and ask again what was refused.")
        ] = False,
        full: Annotated[
            bool, typer.Option("--full", help="With show: requests and raw answers as well.")
        ] = False,
        assignment: Annotated[
            str | None, typer.Option(help="With show: this assignment only.")
        ] = None,
    ) -> None:
        """Review how the code reads: work off what waits, show a student's, calibrate the model.

        Ends with exit code 1 where reviews are still to come.
        """
        from attention_course.commands.report import database_words, loaded_configuration
        from attention_course.commands.review_class import work_off
        from attention_course.commands.review_model import calibrate, pull_model
        from attention_course.commands.review_student import show_student

        folder = find_course_folder()
        if pull:
            pull_model(review_settings(loaded_configuration(folder)))
        if what is None:
            if not pull:
                raise Refusal(
                    "say what to review: attention-course review ASSIGNMENT, or review show "
                    "STUDENT, or review calibrate"
                )
            return
        if what == CALIBRATE:
            if not calibrate(folder):
                raise typer.Exit(1)
            return
        if what == SHOW:
            if student is None:
                raise Refusal("say whose review: attention-course review show STUDENT")
            show_student(folder, student, assignment, full)
            return
        folder.expect_assignment(what)
        with database_words(folder):
            if not work_off(folder, what, again, student):
                raise typer.Exit(1)
