"""Adapters between nbgrader's autograde and the engine: they translate, and decide nothing.

``nbgrader_config.py`` puts them into nbgrader's own lists::

    c.Autograde.sanitize_preprocessors = sanitize_preprocessors()
    c.Autograde.autograde_preprocessors = autograde_preprocessors()
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters.autograde import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    Execute,
    NbGraderPreprocessor,
    SaveAutoGrades,
)
from sqlalchemy.exc import SAWarning
from traitlets import Enum, List

from attention_course.grading.engine import Record, Surroundings, grade_notebook
from attention_course.grading.rebuild import SourceCell, rebuild
from attention_course.grading.sandbox import (
    LEVELS,
    PROTECTIONS,
    REQUIRED,
    Limits,
    level_here,
    refusal,
)
from attention_course.grading.source import InstructorCell, Plan, instructor_cells, plan

# nbgrader's own queries bring these up for every new submission; nobody who grades can act on them.
warnings.filterwarnings("ignore", "Object of type <Submitted", SAWarning)

Resources = ResourcesDict | dict[str, Any]
KEY = "attention_course"


def sanitize_preprocessors() -> list[type]:
    """nbgrader's own list, with ours where it rebuilds the notebook."""
    found = list(Autograde.sanitize_preprocessors.default())
    at = found.index(DeduplicateIds) if DeduplicateIds in found else found.index(ClearOutput) + 1
    return [*found[:at], RebuildFromSource, *found[at:]]


def autograde_preprocessors() -> list[type]:
    """nbgrader's own list, with ours in the place of Execute and after SaveAutoGrades."""
    found: list[type] = []
    for preprocessor in Autograde.autograde_preprocessors.default():
        found.append(TrustedExecute if preprocessor is Execute else preprocessor)
        if preprocessor is SaveAutoGrades:
            found.append(SaveRecord)
    return found


class RebuildFromSource(NbGraderPreprocessor):
    """Puts the instructor's cells back before nbgrader's own preprocessors look at them."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        sources = _source_cells(resources["nbgrader"])
        for change in rebuild(nb, sources):
            where = f"cell {change.grade_id}" if change.grade_id else "notebook"
            self.log.warning("%s: %s %s", _place(resources), where, change.what)
        return nb, resources


class TrustedExecute(Execute):
    """nbgrader's Execute, with the student's cells in a sandbox and the tests in this process.

    Its options are Execute's (``c.Execute.timeout`` is the limit of a cell). A notebook of
    another language runs in its own kernel, as nbgrader would run it.
    """

    isolation = Enum(
        LEVELS,
        default_value="auto",
        help="How a student's code is kept apart: 'bubblewrap' (namespaces), 'landlock', 'plain' "
        "(a child process with no protection of disk and network), or 'auto', the strongest of "
        "these that runs here.",
    ).tag(config=True)

    required = List(
        Enum(tuple(PROTECTIONS)),
        default_value=list(REQUIRED),
        help="What students' code must be kept from for anything to be graded: 'files', "
        "'network', 'processes', 'system calls'. An empty list grades unprotected.",
    ).tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: Resources, **kwargs: Any
    ) -> tuple[NotebookNode, Resources]:
        if not self._is_python(nb):
            return super().preprocess(nb, resources, **kwargs)
        about = resources["nbgrader"]
        sources = _source_cells(about)
        graded = {s.grade_id: s.source for s in sources if s.grade and not s.solution}
        master = self._master(about)
        planned = plan(_master_cells(master, sources), graded)
        if not any(cell.cell_type == "code" for cell in nb.cells):
            return nb, resources
        self._say_how_it_is_protected()
        record = grade_notebook(nb, planned, self._surroundings(resources, master))
        for event in record.events:
            self.log.warning("%s: %s", _place(resources), _say(event))
        nb.metadata["language_info"] = {"name": "python", "file_extension": ".py"}
        resources[KEY] = record
        return nb, resources

    def _say_how_it_is_protected(self) -> None:
        reason = refusal(self.isolation, self.required)
        if reason is not None:
            self.log.critical(
                "Nothing was graded: %s. Install what is missing (attention-course doctor), or "
                "set c.TrustedExecute.required = [] to grade unprotected.",
                reason,
            )
            raise SystemExit(1)
        level = level_here(self.isolation)
        if level.name == "plain" and not TrustedExecute._warned:
            TrustedExecute._warned = True
            self.log.warning(
                "Students' code can reach this machine's files and network: %s. Marks are still "
                "decided in the grader's own process.",
                level.because,
            )

    _warned = False

    def _is_python(self, nb: NotebookNode) -> bool:
        """Whether the kernel that nbgrader would start is a Python one; raises as it would."""
        name = self.kernel_name or nb.metadata.get("kernelspec", {}).get("name", "python")
        name = NATIVE_KERNEL_NAME if name == "python" else name
        spec = KernelSpecManager(parent=self).get_kernel_spec(name)
        return spec.language.lower() == "python"

    def _master(self, about: dict[str, Any]) -> Path | None:
        course = CourseDirectory(parent=self)
        folder = course.format_path(course.source_directory, ".", about["assignment"])
        path = Path(folder) / f"{about['notebook']}.ipynb"
        return path if path.is_file() else None

    def _surroundings(self, resources: Resources, master: Path | None) -> Surroundings:
        folder = Path(resources.get("metadata", {}).get("path") or ".").resolve()
        kept = Autograde(parent=self).exclude_overwriting
        files = frozenset(kept.get(resources["nbgrader"]["assignment"], ()))
        limits = Limits(cell=self.timeout if self.timeout and self.timeout > 0 else None)
        environment = {k: v for k, v in os.environ.items() if k.startswith("NBGRADER_")}
        return Surroundings(
            folder=folder,
            helpers=master.parent.resolve() if master else None,
            student_files=files,
            limits=limits,
            environment=tuple(environment.items()),
            isolation=self.isolation,
            required=tuple(self.required),
        )


class SaveRecord(NbGraderPreprocessor):
    """Marks what could not be judged for a person, and keeps the record with the notebook.

    Comes after SaveAutoGrades, which knows no third outcome beside a score and none.
    """

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        record = resources.get(KEY)
        if not isinstance(record, Record):
            return nb, resources
        nb.metadata[KEY] = nbformat.from_dict(record.to_metadata())
        about = resources["nbgrader"]
        if record.ungraded:
            with Gradebook(about["db_url"]) as gradebook:
                for name, reason in record.ungraded.items():
                    grade = gradebook.find_grade(
                        name, about["notebook"], about["assignment"], about["student"]
                    )
                    grade.auto_score = None
                    grade.needs_manual_grade = True
                    self.log.error("%s", _ungraded(about, name, reason))
                gradebook.db.commit()
        return nb, resources


# -- translations ---------------------------------------------------------------------------


def _source_cells(about: dict[str, Any]) -> list[SourceCell]:
    """What nbgrader's database knows of the released notebook."""
    with Gradebook(about["db_url"]) as gradebook:
        notebook = gradebook.find_notebook(about["notebook"], about["assignment"])
        points = {c.name: float(c.max_score) for c in (*notebook.grade_cells, *notebook.task_cells)}
        grades = {cell.name for cell in notebook.grade_cells}
        tasks = {cell.name for cell in notebook.task_cells}
        solutions = {cell.name for cell in notebook.solution_cells}
        return [
            SourceCell(
                grade_id=cell.name,
                cell_type=cell.cell_type,
                source=cell.source or "",
                checksum=cell.checksum,
                grade=cell.name in grades,
                solution=cell.name in solutions,
                task=cell.name in tasks,
                locked=bool(cell.locked),
                points=points.get(cell.name),
            )
            for cell in notebook.source_cells
        ]


def _master_cells(master: Path | None, sources: list[SourceCell]) -> tuple[InstructorCell, ...]:
    """The master notebook's cells; without one, those that the database knows."""
    if master is not None:
        return instructor_cells(nbformat.read(master, as_version=4))
    kinds = {True: "graded", False: "instructor"}
    return tuple(
        InstructorCell("solution" if s.solution else kinds[s.grade], s.source, s.grade_id)
        for s in sources
        if s.cell_type == "code"
    )


def _place(resources: Resources) -> str:
    about = resources["nbgrader"]
    return f"{about['assignment']}/{about['student']}/{about['notebook']}"


def _say(event: dict[str, Any]) -> str:
    where = f"{event['cell']}: " if "cell" in event else ""
    return f"{where}{event['what']} ({event['why']})"


def _ungraded(about: dict[str, Any], name: str, reason: str) -> str:
    return (
        f"UNGRADED {about['assignment']}/{about['student']}/{name}: {reason}. Not the student's "
        f"fault; the other marks are kept. Retry: nbgrader autograde {about['assignment']} "
        f"--student {about['student']} --force"
    )


__all__ = [
    "CheckCellMetadata",
    "Plan",
    "RebuildFromSource",
    "SaveRecord",
    "TrustedExecute",
    "autograde_preprocessors",
    "sanitize_preprocessors",
]
