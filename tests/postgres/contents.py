"""What a gradebook says, without its random ids and in no order that a database chose."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from attention_course.grading.released import known_notebook

COURSE = "attention-course"


def run(folder: Path, *command: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """``python -m …`` in a course folder."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=500,
        env=dict(os.environ, **more),
    )


def contents(url: str, source: Path) -> dict[str, list[Any]]:
    """Every table by content; the cells also in the order in which grading meets them."""
    with Gradebook(url, COURSE) as book:
        found = {
            "students": [
                (one.id, one.first_name, one.last_name, one.email) for one in book.students
            ],
            "assignments": [
                (one.name, one.duedate, one.course_id, one.max_score, one.num_submissions)
                for one in book.assignments
            ],
            "notebooks": [
                (one.name, notebook.name, notebook.kernelspec, notebook.max_score)
                for one in book.assignments
                for notebook in one.notebooks
            ],
            "cells": [
                (type(cell).__name__, cell.name, getattr(cell, "max_score", None))
                for one in book.assignments
                for notebook in one.notebooks
                for cell in (
                    *notebook.grade_cells,
                    *notebook.solution_cells,
                    *notebook.task_cells,
                )
            ],
            "source cells": [
                (cell.name, cell.cell_type, bool(cell.locked), cell.source, cell.checksum)
                for one in book.assignments
                for notebook in one.notebooks
                for cell in notebook.source_cells
            ],
        }
        found |= {"submissions": [], "submitted notebooks": [], "grades": [], "comments": []}
        for assignment in book.assignments:
            for one in assignment.submissions:
                _add_submission(found, assignment.name, one)
        names = [(one.name, n.name) for one in book.assignments for n in one.notebooks]
    found = {name: sorted(rows, key=repr) for name, rows in found.items()}
    found["cells in order"] = [
        (
            assignment,
            notebook,
            [cell.grade_id for cell in _known(url, source, assignment, notebook)],
        )
        for assignment, notebook in sorted(names)
    ]
    return found


def _known(url: str, source: Path, assignment: str, notebook: str) -> Any:
    master = source / assignment / f"{notebook}.ipynb"
    return known_notebook(url, assignment, notebook, master).cells


def _add_submission(found: dict[str, list[Any]], assignment: str, one: Any) -> None:
    found["submissions"].append(
        (
            assignment,
            one.student_id,
            one.timestamp,
            one.extension,
            one.total_seconds_late,
            one.score,
            bool(one.needs_manual_grade),
            one.late_submission_penalty,
        )
    )
    for notebook in one.notebooks:
        about = (assignment, one.student_id, notebook.name)
        found["submitted notebooks"].append(
            (
                *about,
                bool(notebook.flagged),
                notebook.late_submission_penalty,
                notebook.score,
                bool(notebook.needs_manual_grade),
            )
        )
        found["grades"] += [
            (
                *about,
                grade.name,
                grade.auto_score,
                grade.manual_score,
                grade.extra_credit,
                bool(grade.needs_manual_grade),
                grade.score,
            )
            for grade in notebook.grades
        ]
        found["comments"] += [
            (*about, comment.name, comment.auto_comment, comment.manual_comment)
            for comment in notebook.comments
        ]
