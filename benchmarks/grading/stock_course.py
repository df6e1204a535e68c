"""The same lesson and class as an instructor with stock nbgrader 0.9.6 would have them.

Every student's cell is the same. A test cell is plain asserts (:mod:`asserts`) in place of
``check.…(…)``, and stock nbgrader's own preprocessors and kernel run everything. Demonstration
cells, which our grading skips, are left out as well: an instructor who cares for speed has none,
and stock is faster for it. ``demonstrations=True`` keeps them, to show what they cost.
"""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from pathlib import Path
from typing import Any

from attention_course.commands.course_folder import CourseFolder
from benchmarks.grading.asserts import ASSERTS
from benchmarks.grading.classes import ASSIGNMENT, NOTEBOOK, PreparedClass, answers_of

CONFIGURATION = 'c = get_config()\nc.CourseDirectory.course_id = "attention-course"\n'
OURS = re.compile(r"^from attention_course import .*$\n?", re.MULTILINE)
NEEDS = re.compile(r"\Awith needs\(.*\):\n")

Notebook = dict[str, Any]


def stock_master(ours: Notebook, *, demonstrations: bool = False) -> Notebook:
    """Our master notebook without anything of ours: asserts for checks, no plug-ins' words."""
    cells = []
    for cell in ours["cells"]:
        shown = "demonstration" in cell["metadata"].get("tags", ())
        if shown and not demonstrations:
            continue
        source = "".join(cell["source"])
        data = cell["metadata"].get("nbgrader", {})
        if data.get("grade") and not data.get("solution"):
            source = ASSERTS[data["grade_id"].removeprefix("test_")]
        elif cell["cell_type"] == "code" and not demonstrations:
            source = _without_ours(source)
        cells.append({**cell, "source": source})
    return {**ours, "cells": cells}


def _without_ours(source: str) -> str:
    source = OURS.sub("", source).rstrip() + "\n"
    match = NEEDS.match(source)
    return (textwrap.dedent(source[match.end() :]) if match else source).rstrip("\n")


def make_stock_class(
    folder: Path, ours: PreparedClass, *, demonstrations: bool = False
) -> PreparedClass:
    """A stock course in ``folder`` with the same students' same answers."""
    source = folder / "source" / ASSIGNMENT
    shutil.copytree(ours.course.root / "source" / ASSIGNMENT, source)
    master = json.loads((source / NOTEBOOK).read_text(encoding="utf-8"))
    _write(source / NOTEBOOK, stock_master(master, demonstrations=demonstrations))
    (folder / "nbgrader_config.py").write_text(CONFIGURATION)
    course = CourseFolder(folder)
    course.nbgrader("generate_assignment", ASSIGNMENT).expect_success()
    shutil.copy2(course.gradebook, folder / "fresh.db")
    for student in ours.students:
        theirs = ours.course.root / "submitted" / student / ASSIGNMENT / NOTEBOOK
        copy_submission(course, student, answers_of(theirs))
    return PreparedClass(course, ours.expected)


def copy_submission(course: CourseFolder, student: str, answers: dict[str, str]) -> None:
    """The course's release with ``answers`` filled in, handed in by ``student``."""
    release = course.root / "release" / ASSIGNMENT
    folder = course.root / "submitted" / student / ASSIGNMENT
    shutil.copytree(release, folder)
    notebook = json.loads((release / NOTEBOOK).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        data = cell["metadata"].get("nbgrader", {})
        if data.get("solution") and data["grade_id"] in answers:
            cell["source"] = answers[data["grade_id"]]
    _write(folder / NOTEBOOK, notebook)


def _write(path: Path, notebook: Notebook) -> None:
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
