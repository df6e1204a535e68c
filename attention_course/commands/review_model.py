"""The model that judges: ``attention-course review --pull`` and ``review calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attention_course.commands.course_folder import CourseFolder, Refusal
from attention_course.commands.review import bar, open_desk, open_reviewer, review_settings
from attention_course.commands.terminal import console as open_console

if TYPE_CHECKING:
    from rich.console import Console

    from attention_course.grading.review.calibration import CalibrationRecord
    from attention_course.grading.review.settings import Settings


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
            record = measure(
                judge,
                progress=lambda: progress.advance(task),
                reference=reference_answers(folder),
            )
        except ReviewUnavailable as error:
            raise Refusal(f"{error}. Nothing was kept; calibrate again then") from error
        if reviewer.server().digest != digest:
            raise Refusal("the model was replaced while it was calibrated; calibrate again")
        desk.keep_calibration(digest, record.passed, record.to_record())
    show_calibration(console, settings.model, digest, record)
    return record.passed


def reference_answers(folder: CourseFolder) -> dict[str, str]:
    """The instructor's answers of all assignments, which stand in a class's questions too."""
    import nbformat

    from attention_course.commands.report import configured
    from attention_course.grading.review.submitted import solutions

    course = configured(folder)
    found: dict[str, str] = {}
    for assignment in folder.assignments():
        place = Path(course.format_path(course.source_directory, ".", assignment))
        for path in sorted(place.glob("*.ipynb")):
            found |= solutions(nbformat.read(path, as_version=4))
    return found


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
        f"{record.resisted} of {record.canaries} canaries resisted, {record.alone} of them with "
        f"nobody pointing at them; {record.unreadable:.0%} of the answers could not be read",
    ]
    if record.passed:
        lines.append("Its marks are given from now on: attention-course review ASSIGNMENT")
    else:
        lines += ["Its marks stay proposals:", *(f"- {why}" for why in record.shortcomings)]
    console.print("\n".join(lines), highlight=False, markup=False)
