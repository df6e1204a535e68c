"""``attention-course report ASSIGNMENT``: the class report as a page, or as JSON."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from attention_course.commands.course_folder import (
    CONFIGURATION,
    CourseFolder,
    Refusal,
    find_course_folder,
)
from attention_course.commands.gradebook import database_words

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    from attention_course.grading.class_results import ClassResults


def loaded_configuration(folder: CourseFolder) -> Config:
    """What nbgrader_config.py of the folder says, read as nbgrader itself reads it.

    Raises Refusal where the file fails; it is a program, and may do so in any way.
    """
    from nbgrader.apps.baseapp import NbGrader

    with contextlib.chdir(folder.root):
        application = NbGrader()
        application.log_level = "ERROR"
        application.raise_config_file_errors = True
        try:
            application.load_config_file()
        except Exception as error:
            raise Refusal(
                f"{folder.root / CONFIGURATION} does not load: {type(error).__name__}: {error}"
            ) from error
    return application.config


def configured(folder: CourseFolder) -> CourseDirectory:
    """nbgrader's own view of the folder: its configuration says where stages and database are."""
    from nbgrader.coursedir import CourseDirectory

    course = CourseDirectory(config=loaded_configuration(folder))
    with contextlib.chdir(folder.root):
        # Both defaults depend on the working folder, so they are asked for here.
        course.root = os.path.abspath(course.root)
        course.db_url  # noqa: B018
    return course


def student_folders(course: CourseDirectory, stage: str, assignment: str) -> dict[str, Path]:
    """Student to folder of this assignment in one stage (``submitted_directory`` and so on)."""
    found = {}
    pattern = course.format_path(stage, "*", assignment)
    before, _, after = pattern.partition("*")
    for path in Path(before).glob("*" + after) if Path(before).is_dir() else ():
        if path.is_dir():
            found[str(path)[len(before) : len(str(path)) - len(after)]] = path
    return found


def read_results(folder: CourseFolder, assignment: str) -> ClassResults:
    """What became of the assignment in the class of this folder."""
    from nbgrader.api import Gradebook

    from attention_course.commands.review import standings
    from attention_course.grading.class_results import read_class, with_reviews
    from attention_course.grading.database import read_url

    course = configured(folder)
    read_url(course.db_url)
    with Gradebook(course.db_url, course.course_id) as gradebook:
        results = read_class(
            gradebook,
            assignment,
            student_folders(course, course.submitted_directory, assignment),
            student_folders(course, course.autograded_directory, assignment),
        )
    cell, reviews = standings(folder, assignment)
    return with_reviews(results, cell, reviews) if reviews else results


def feedback_links(folder: CourseFolder, assignment: str, page: Path) -> dict[str, str]:
    """Each student's feedback page, as a URL relative to the report page.

    Other pages may lie beside it (whatever HTML the assignment came with), so it is the one
    that is named after the graded notebook.
    """
    course = configured(folder)
    graded = student_folders(course, course.autograded_directory, assignment)
    links = {}
    for student, path in student_folders(course, course.feedback_directory, assignment).items():
        notebooks = sorted(graded[student].glob("*.ipynb")) if student in graded else []
        pages = [path / f"{notebook.stem}.html" for notebook in notebooks]
        for found in [candidate for candidate in pages if candidate.is_file()][:1]:
            links[student] = quote(Path(os.path.relpath(found, page.parent)).as_posix())
    return links


def write_report(folder: CourseFolder, assignment: str, page: Path | None = None) -> Path:
    """Write the page (by default reports/ASSIGNMENT.html in the folder) and return where it is."""
    from attention_course.grading.report import render, summarise

    page = (page or folder.root / "reports" / f"{assignment}.html").absolute()
    summary = summarise(read_results(folder, assignment))
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(render(summary, feedback_links(folder, assignment, page)), encoding="utf-8")
    return page


def register(app: typer.Typer) -> None:
    @app.command()
    def report(
        assignment: Annotated[str, typer.Argument(help="The assignment's name.")],
        out: Annotated[
            Path | None, typer.Option(help="The page to write [reports/ASSIGNMENT.html].")
        ] = None,
        as_json: Annotated[
            bool, typer.Option("--json", help="Print the data instead of writing a page.")
        ] = False,
    ) -> None:
        """Write the class report: scores, misconceptions, and who needs a person's look."""
        from attention_course.grading.report import summarise

        folder = find_course_folder()
        folder.expect_assignment(assignment)
        with database_words(folder):
            if as_json:
                data: dict[str, Any] = summarise(read_results(folder, assignment))
                json.dump(data, sys.stdout, indent=2, ensure_ascii=False)
                print()
                return
            print(write_report(folder, assignment, out))
