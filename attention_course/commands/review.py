"""``attention-course review``: work off, show, calibrate, and fetch the model that judges."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from attention_course.commands.course_folder import CourseFolder, Refusal, find_course_folder
from attention_course.commands.terminal import console as open_console

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from traitlets.config import Config

    from attention_course.grading.review.calibration import CalibrationRecord
    from attention_course.grading.review.client import Reviewer
    from attention_course.grading.review.desk import Desk
    from attention_course.grading.review.provenance import Provenance
    from attention_course.grading.review.settings import Settings
    from attention_course.grading.review.worker import Tally

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


# -- working off --------------------------------------------------------------------------------


def take_in_autograded(folder: CourseFolder, config: Config, desk: Desk, assignment: str) -> None:
    """Queue the graded submissions that no review is known of, as after a lost review file."""
    import nbformat

    from attention_course.commands.report import configured, student_folders
    from attention_course.grading.review.plugin import KEY, student_files, submitted_of
    from attention_course.grading.review.queue import Place

    course = configured(folder)
    master = Path(course.format_path(course.source_directory, ".", assignment))
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
            files = student_files(config, assignment, handed_in)
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


# -- one student --------------------------------------------------------------------------------


def show_student(folder: CourseFolder, student: str, assignment: str | None, full: bool) -> None:
    from attention_course.commands.report import loaded_configuration
    from attention_course.grading.report import points
    from attention_course.grading.review.provenance import provenance_of

    console = open_console()
    settings = review_settings(loaded_configuration(folder))
    with open_desk(folder, settings) as desk:
        names = [assignment] if assignment else desk.queue.assignments()
        jobs = [job for name in names for job in desk.jobs(name, student)]
        if not jobs:
            raise Refusal(
                f'no review of a student "{student}" is known. Grade first: nbgrader autograde '
                "ASSIGNMENT"
            )
        for job in jobs:
            said = desk.standing(job)
            console.rule(f"{job.place}", style="dim")
            lines = [f"review: {said.state}" + (f" ({said.why})" if said.why else "")]
            lines.append(f"points: {points(said.score)}, proposed {points(said.proposed)}")
            if job.result:
                computed, judged = job.result["mechanical"], job.result["judged"]
                lines.append(
                    f"computed part {computed:.2f} of 1, judged part {points(judged)} of 1"
                )
            lines += ["", said.comment]
            for one in provenance_of(desk.storage, job.place):
                lines += ["", *_provenance(one, full)]
            console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def _provenance(one: Provenance, full: bool) -> Iterator[str]:
    reading = "reading with strings masked" if one.masked else "reading"
    source = "asked for this review" if one.asked else "kept from an equal answer"
    yield f"{one.exercise}, {reading} ({source}, {one.created})"
    yield f"  model {one.model}, digest {one.digest}"
    yield f"  versions: {', '.join(f'{name} {v}' for name, v in one.versions.items())}"
    counts = ", ".join(f"{name} {number}" for name, number in one.counts.items())
    seconds = ", ".join(f"{name} {number:.2f} s" for name, number in one.durations.items())
    yield f"  {counts}; {seconds}; {one.attempts} attempt{'s' if one.attempts != 1 else ''}"
    if one.refused:
        yield f"  refused: {one.refused}"
    yield f"  answer: {one.text or one.raw}"
    if full:
        yield f"  request: {json.dumps(one.request, ensure_ascii=False)}"
        yield f"  raw answer: {one.raw}"


# -- model --------------------------------------------------------------------------------------


def pull_model(settings: Settings) -> None:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    from attention_course.grading.review.client import Reviewer
    from attention_course.grading.review.protocol import ReviewUnavailable

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    try:
        with Reviewer(settings) as reviewer, Progress(*columns, console=open_console()) as shown:
            tasks: dict[str, Any] = {}
            for step, completed, total in reviewer.pull():
                if step not in tasks:
                    tasks[step] = shown.add_task(step, total=total or 1)
                shown.update(tasks[step], completed=completed if total else 1)
            digest = reviewer.server().digest
    except ReviewUnavailable as error:
        raise Refusal(str(error)) from error
    print(f"{settings.model} is there, digest {digest}.")


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


def calibrate(folder: CourseFolder) -> bool:
    """Judge the gold set with the configured model and keep the record of its digest."""
    from attention_course.commands.report import loaded_configuration
    from attention_course.grading.review.calibration import measure, questions
    from attention_course.grading.review.judgement import BadAnswer
    from attention_course.grading.review.prompt import ReviewRequest
    from attention_course.grading.review.protocol import AnswerRefused, ReviewUnavailable

    settings = review_settings(loaded_configuration(folder))
    console = open_console()
    with (
        open_desk(folder, settings) as desk,
        open_reviewer(settings) as reviewer,
        bar(console) as progress,
    ):
        digest = reviewer.server().digest
        task = progress.add_task(f"{settings.model}: calibration", total=questions())

        def judge(request: ReviewRequest) -> str:
            try:
                return reviewer.judge(request).text
            except AnswerRefused as refused:
                raise BadAnswer(str(refused)) from refused

        try:
            record = measure(judge, progress=lambda: progress.advance(task))
        except ReviewUnavailable as error:
            raise Refusal(f"{error}. Nothing was kept; calibrate again then") from error
        if reviewer.server().digest != digest:
            raise Refusal("the model was replaced while it was calibrated; calibrate again")
        desk.keep_calibration(digest, record.passed, record.to_record())
    show_calibration(console, settings.model, digest, record)
    return record.passed


def show_calibration(console: Console, model: str, digest: str, record: CalibrationRecord) -> None:
    from rich.table import Table

    table = Table(title=f"{model}, digest {digest[:12]}")
    for heading in ("criterion", "weighted kappa", "mean error in levels"):
        table.add_column(heading)
    for criterion, found in record.agreement.items():
        table.add_row(criterion, f"{found.kappa:.2f}", f"{found.error:.2f}")
    console.print(table)
    lines = [
        f"{record.answers} graded answers, {record.runs} runs: the same score in {record.same:.0%}",
        f"{record.resisted} of {record.canaries} canaries resisted; "
        f"{record.unreadable:.0%} of the answers could not be read",
    ]
    if record.passed:
        lines.append("Its marks are given from now on: attention-course review ASSIGNMENT")
    else:
        lines += ["Its marks stay proposals:", *(f"- {why}" for why in record.shortcomings)]
    console.print("\n".join(lines), highlight=False, markup=False)
