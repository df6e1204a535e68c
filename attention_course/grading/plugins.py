"""Adapters between nbgrader's autograde and the engine: they translate, and decide nothing.

``nbgrader_config.py`` puts them into nbgrader's own lists::

    c.Autograde.sanitize_preprocessors = sanitize_preprocessors()
    c.Autograde.autograde_preprocessors = autograde_preprocessors()
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar

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
from traitlets import Dict, Enum, Integer, List, TraitError, validate

from attention_course.grading.engine import REFUSED, Record, Surroundings, grade_notebook
from attention_course.grading.known import KnownNotebook
from attention_course.grading.rebuild import rebuild
from attention_course.grading.released import known_notebook
from attention_course.grading.review.plugin import SaveReview
from attention_course.grading.sandbox import (
    LEVELS,
    PROTECTIONS,
    REQUIRED,
    Limits,
    Unprotected,
    level_here,
    refusal,
)
from attention_course.grading.sandbox.warm import warm_process

# nbgrader's own queries bring these up for every new submission; nobody who grades can act on them.
warnings.filterwarnings("ignore", "Object of type <Submitted", SAWarning)

Resources = ResourcesDict | dict[str, Any]
KEY = "attention_course"


def sanitize_preprocessors() -> list[type]:
    """nbgrader's own list, with ours where it rebuilds the notebook."""
    found = list(Autograde.sanitize_preprocessors.default())
    at = found.index(DeduplicateIds) if DeduplicateIds in found else found.index(ClearOutput) + 1
    return [_ours(kind) for kind in (*found[:at], RebuildFromSource, *found[at:])]


def autograde_preprocessors() -> list[type]:
    """nbgrader's own list, with ours in the place of Execute and after SaveAutoGrades."""
    found: list[type] = []
    for preprocessor in Autograde.autograde_preprocessors.default():
        found.append(_ours(preprocessor))
        if preprocessor is SaveAutoGrades:
            found += [SaveRecord, SaveReview]
    return found


def _ours(kind: type) -> type:
    return {Execute: TrustedExecute, CheckCellMetadata: CheckMetadata}.get(kind, kind)


class RebuildFromSource(NbGraderPreprocessor):
    """Puts the instructor's cells back before nbgrader's own preprocessors look at them."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        for change in rebuild(nb, _known(self, resources["nbgrader"]).cells):
            where = f"cell {change.grade_id}" if change.grade_id else "notebook"
            self.log.warning("%s: %s %s", _place(resources), where, change.what)
        return nb, resources


class CheckMetadata(CheckCellMetadata):
    """nbgrader's check, which looks at the same metadata only once.

    What the instructor's cells carry is the same in every submission, and checking it against
    nbgrader's schema takes longer than to run the cells.
    """

    _passed: ClassVar[set[str]] = set()

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        found = [cell for cell in nb.cells if "nbgrader" in cell.metadata]
        keys = [json.dumps([cell.cell_type, cell.metadata["nbgrader"]]) for cell in found]
        names = [cell.metadata["nbgrader"].get("grade_id") for cell in found]
        if self._passed.issuperset(keys) and len(set(names)) == len(names):
            return nb, resources
        nb, resources = super().preprocess(nb, resources)
        if all(cell.metadata["nbgrader"].get("cell_type") == cell.cell_type for cell in found):
            self._passed.update(keys)
        return nb, resources


class TrustedExecute(Execute):
    """nbgrader's Execute, with the student's cells in a sandbox and the tests in this process.

    Its options are Execute's (``c.Execute.timeout`` is the limit of a cell). A notebook of
    another language runs in its own kernel, as nbgrader would run it, where nothing is required.
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

    seed = Integer(
        None,
        allow_none=True,
        help="Makes the secret inputs of the checks the same in every run. For tests of the "
        "course alone: what can be known beforehand can be handed in as an answer.",
    ).tag(config=True)

    limits = Dict(
        help="What a submission may use, beside c.Execute.timeout for each cell: seconds as "
        "'submission' (all cells together) and 'cpu', bytes as 'memory', 'file_size' and "
        "'scratch' (all files), numbers as 'processes', 'open_files' and 'restarts'.",
    ).tag(config=True)

    @validate("limits")
    def _known_limits(self, proposal: dict[str, Any]) -> Any:
        unknown = set(proposal["value"]) - {field.name for field in fields(Limits)}
        if unknown:
            known = ", ".join(sorted(field.name for field in fields(Limits)))
            raise TraitError(
                f"c.TrustedExecute.limits: there is no limit {sorted(unknown)[0]!r}; "
                f"the limits are {known}"
            )
        return proposal["value"]

    def preprocess(
        self, nb: NotebookNode, resources: Resources, **kwargs: Any
    ) -> tuple[NotebookNode, Resources]:
        if not self.runs_python(nb):
            if self.required:
                raise Unprotected(
                    f"{_place(resources)} is no Python notebook: its kernel would run unprotected. "
                    "c.TrustedExecute.required = [] allows that"
                )
            return super().preprocess(nb, resources, **kwargs)
        if not any(cell.cell_type == "code" for cell in nb.cells):
            return nb, resources
        about = resources["nbgrader"]
        planned = _known(self, about).plan
        self._say_how_it_is_protected(resources)
        record = grade_notebook(nb, planned, self._surroundings(resources), self._seed(about))
        for event in record.events:
            self.log.warning("%s: %s", _place(resources), _say(event))
        nb.metadata["language_info"] = {"name": "python", "file_extension": ".py"}
        resources[KEY] = record
        return nb, resources

    def _say_how_it_is_protected(self, resources: Resources) -> None:
        reason = refusal(self.isolation, self.required)
        if reason is not None:
            self.log.critical(
                "Nothing was graded: %s. Install what is missing (attention-course doctor), or "
                "set c.TrustedExecute.required = [] to grade unprotected.",
                reason,
            )
            # As nbgrader does with what it could not finish: half of it would count as graded.
            shutil.rmtree(self._folder(resources), ignore_errors=True)
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

    def all_limits(self) -> Limits:
        """What the options say of limits, put together."""
        cell = self.timeout if self.timeout and self.timeout > 0 else None
        return Limits(**{"cell": cell, **self.limits})

    def warm_up(self) -> None:
        """Start what submissions are forked from; raises where that cannot be had."""
        walls = self.walls()
        if walls is not None:
            warm_process(*walls, self.all_limits())

    def walls(self) -> tuple[str, tuple[str, ...]] | None:
        """The level, and what cannot be imported; None where nothing is forked."""
        if refusal(self.isolation, self.required) is not None:
            return None
        level = level_here(self.isolation).name
        return None if level == "plain" else (level, REFUSED)

    def runs_python(self, nb: NotebookNode) -> bool:
        """Whether the kernel that nbgrader would start is a Python one; raises as it would."""
        name = self.kernel_name or nb.metadata.get("kernelspec", {}).get("name", "python")
        name = NATIVE_KERNEL_NAME if name == "python" else name
        if name not in self._languages:
            spec = KernelSpecManager(parent=self).get_kernel_spec(name)
            self._languages[name] = spec.language.lower()
        return self._languages[name] == "python"

    _languages = Dict()

    def _seed(self, about: dict[str, Any]) -> int | None:
        """Fresh secret inputs for each notebook, unless somebody wants a run to be repeatable."""
        seed = about.get("seed", self.seed)
        if seed is None:
            return None
        digest = hashlib.sha256(f"{seed}/{about['assignment']}/{about['notebook']}".encode())
        return int.from_bytes(digest.digest()[:7], "big")

    def _folder(self, resources: Resources) -> Path:
        return Path(resources.get("metadata", {}).get("path") or ".").resolve()

    def _surroundings(self, resources: Resources) -> Surroundings:
        about = resources["nbgrader"]
        helpers = about.get("helpers")
        if "known" in about:
            files = frozenset(about.get("student_files", ()))
        else:
            kept = Autograde(parent=self).exclude_overwriting
            files = frozenset(kept.get(about["assignment"], ()))
            master = _master(self, about)
            helpers = master.parent.resolve() if master else None
        environment = {k: v for k, v in os.environ.items() if k.startswith("NBGRADER_")}
        return Surroundings(
            folder=self._folder(resources),
            helpers=helpers,
            student_files=files,
            limits=self.all_limits(),
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
            with about.get("gradebook") or Gradebook(about["db_url"]) as gradebook:
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


def _known(step: NbGraderPreprocessor, about: dict[str, Any]) -> KnownNotebook:
    """What was released: as handed to this step, or else from nbgrader's database."""
    known = about.get("known")
    if isinstance(known, KnownNotebook):
        return known
    master = _master(step, about)
    return known_notebook(about["db_url"], about["assignment"], about["notebook"], master)


def _master(step: NbGraderPreprocessor, about: dict[str, Any]) -> Path | None:
    course = CourseDirectory(parent=step)
    folder = course.format_path(course.source_directory, ".", about["assignment"])
    path = Path(folder) / f"{about['notebook']}.ipynb"
    return path if path.is_file() else None


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
    "CheckMetadata",
    "RebuildFromSource",
    "SaveRecord",
    "SaveReview",
    "TrustedExecute",
    "autograde_preprocessors",
    "sanitize_preprocessors",
]
