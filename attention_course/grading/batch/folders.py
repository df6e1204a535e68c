"""Autograded folders: written beside their place, and moved there whole."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

from nbgrader.converters.autograde import Autograde
from nbgrader.utils import rmtree

from attention_course.grading.sandbox import write_folder
from attention_course.grading.submission import Assignment, Result, Submission


class _InPlace(Autograde):
    """nbgrader's own setting of permissions, on the folder that is just being written."""

    _place = ""

    def _format_dest(self, assignment_id: str, student_id: str, escape: bool = False) -> str:
        return self._place


class Folders:
    """Writes the autograded folders of one assignment as nbgrader would."""

    def __init__(self, converter: Autograde, assignment: Assignment) -> None:
        self.assignment = assignment
        self._nbgrader = _InPlace(coursedir=converter.coursedir, config=converter.config)
        self._nbgrader.permissions = converter.permissions
        self.kept = assignment.student_files

    def write(self, destination: Path, submission: Submission, result: Result) -> None:
        """Replace ``destination`` by what came of a submission; all of it, or nothing."""
        made, old = _beside(destination, "new"), _beside(destination, "old")
        clear_away(destination)
        made.mkdir(parents=True)
        try:
            files: dict[str, Any] = dict(submission.files)
            files |= {n: d for n, d in self.assignment.files.items() if n not in self.kept}
            write_folder(made, files | result.files)
            for name, text in result.notebooks.items():
                (made / f"{name}.ipynb").write_text(text, encoding="utf-8")
            self._nbgrader._place = str(made)
            self._nbgrader.set_permissions(self.assignment.name, submission.student)
            if destination.exists():
                destination.rename(old)
            made.rename(destination)
        except BaseException:
            remove(made)
            if old.exists() and not destination.exists():
                old.rename(destination)
            raise
        remove(old)

    def remove(self, destination: Path) -> None:
        """Take away what an earlier run left, as nbgrader does where a submission fails."""
        clear_away(destination)
        remove(destination)


def clear_away(destination: Path) -> None:
    """Remove what a run left beside ``destination`` that was killed while it wrote."""
    for kind in ("new", "old"):
        remove(_beside(destination, kind))


def remove(folder: Path) -> None:
    if not folder.exists():
        return
    try:
        shutil.rmtree(folder)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            rmtree(str(folder))  # nbgrader's own, which makes read-only folders writable


def _beside(destination: Path, kind: str) -> Path:
    return destination.parent / f".{destination.name}.{kind}"
