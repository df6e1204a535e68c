"""nbgrader's own steps of an autograde, run on one notebook in memory.

The preprocessors are nbgrader's classes and ours, with their options from the configuration;
only where one would open the gradebook it is given a stand-in that holds plain data. So what
``attention-course grade`` makes of a notebook cannot drift from what ``nbgrader autograde`` does.
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbconvert.preprocessors import ClearMetadataPreprocessor, Preprocessor
from nbformat import NotebookNode, reader, validator
from nbformat.v4.nbjson import BytesEncoder
from nbformat.v4.rwbase import split_lines, strip_transient
from nbgrader.api import MissingEntry
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    IgnorePattern,
    LimitOutput,
    NbGraderPreprocessor,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)
from traitlets.config import Config

from attention_course.grading.known import KnownNotebook
from attention_course.grading.plugins import (
    CheckMetadata,
    RebuildFromSource,
    SaveRecord,
    TrustedExecute,
)


class _Database:
    def commit(self) -> None:
        """Nothing to do: what is written here is read by whoever made the stand-in."""


@dataclass
class GradebookOfOne:
    """Stands where a preprocessor would open nbgrader's Gradebook, for one submitted notebook.

    Answers from what is known of the release, and takes down the marks and comments.
    """

    known: KnownNotebook
    grades: dict[str, SimpleNamespace] = field(default_factory=dict)
    comments: dict[str, SimpleNamespace] = field(default_factory=dict)
    db: _Database = field(default_factory=_Database)

    def __enter__(self) -> GradebookOfOne:
        return self

    def __exit__(self, *about: object) -> None:
        pass

    def close(self) -> None:
        pass

    def find_notebook(self, name: str, assignment: str) -> SimpleNamespace:
        by_kind = {
            kind: [_cell(s) for s in self.known.cells if getattr(s, kind)]
            for kind in ("grade", "solution", "task")
        }
        spec = self.known.kernelspec
        return SimpleNamespace(
            kernelspec=None if spec is None else json.dumps(spec),
            source_cells=[_cell(source) for source in self.known.cells],
            grade_cells=by_kind["grade"],
            solution_cells=by_kind["solution"],
            task_cells=by_kind["task"],
        )

    def find_source_cell(self, name: str, notebook: str, assignment: str) -> SimpleNamespace:
        if name not in self.known.by_name:
            raise MissingEntry(f"no source cell {name}")
        return _cell(self.known.by_name[name])

    find_graded_cell = find_source_cell

    def find_grade(
        self, name: str, notebook: str, assignment: str, student: str
    ) -> SimpleNamespace:
        fresh = SimpleNamespace(auto_score=None, manual_score=None, needs_manual_grade=False)
        return self.grades.setdefault(name, fresh)

    def find_comment(
        self, name: str, notebook: str, assignment: str, student: str
    ) -> SimpleNamespace:
        return self.comments.setdefault(name, SimpleNamespace(auto_comment=None))


def _cell(source: Any) -> SimpleNamespace:
    return SimpleNamespace(
        name=source.grade_id,
        cell_type=source.cell_type,
        source=source.source,
        checksum=source.checksum,
        locked=source.locked,
        max_score=source.points,
    )


class _Kernelspec(OverwriteKernelspec):
    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        spec = resources["nbgrader"]["known"].kernelspec
        if spec:
            nb.metadata["kernelspec"] = nbformat.from_dict(copy.deepcopy(spec))
        return nb, resources


class _Overwrite(OverwriteCells):
    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        about = resources["nbgrader"]
        self.notebook_id, self.assignment_id = about["notebook"], about["assignment"]
        self.gradebook = about["gradebook"]
        nb, resources = NbGraderPreprocessor.preprocess(self, nb, resources)
        if self.add_missing_cells:
            nb, resources = self.add_missing_grade_cells(nb, resources)
            nb, resources = self.add_missing_task_cells(nb, resources)
        return nb, resources


class _Marks(SaveAutoGrades):
    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        about = resources["nbgrader"]
        self.notebook_id, self.assignment_id = about["notebook"], about["assignment"]
        self.student_id, self.gradebook = about["student"], about["gradebook"]
        return NbGraderPreprocessor.preprocess(self, nb, resources)


# What serves in memory for each class that an autograde may list.
IN_MEMORY: dict[type, type] = {
    OverwriteKernelspec: _Kernelspec,
    OverwriteCells: _Overwrite,
    SaveAutoGrades: _Marks,
    CheckCellMetadata: CheckMetadata,
    **{
        kind: kind
        for kind in (
            ClearOutput,
            RebuildFromSource,
            DeduplicateIds,
            CheckMetadata,
            TrustedExecute,
            IgnorePattern,
            ClearMetadataPreprocessor,
            LimitOutput,
            SaveRecord,
        )
    },
}


class NotInMemory(ValueError):
    """A listed preprocessor that only nbgrader itself can run; the message names it."""


@dataclass(frozen=True)
class StepNames:
    """The two lists of the configuration by name, and what is left for the gradebook's writer.

    ``after`` are the classes that come after SaveAutoGrades and need the gradebook itself:
    late penalties, and whatever a course adds there. They run in the process that writes.
    """

    sanitize: tuple[str, ...]
    autograde: tuple[str, ...]
    after: tuple[str, ...]


def step_names(sanitize: Iterable[type], autograde: Iterable[type]) -> StepNames:
    """Divide the configuration's lists; raises NotInMemory where they cannot be divided."""
    first, second, after = list(sanitize), list(autograde), []
    if SaveAutoGrades not in second or TrustedExecute not in second:
        missing = SaveAutoGrades if SaveAutoGrades not in second else TrustedExecute
        raise NotInMemory(f"the configuration does not list {missing.__name__}")
    saved = second.index(SaveAutoGrades)
    for place, kind in enumerate(second):
        if place > saved and (kind is AssignLatePenalties or kind not in IN_MEMORY):
            after.append(kind)
    for kind in (*first, *second):
        if kind not in IN_MEMORY and kind not in after:
            raise NotInMemory(f"the configuration lists {_name(kind)}, which is not known here")
    kept = [kind for kind in second if kind not in after]
    return StepNames(tuple(map(_name, first)), tuple(map(_name, kept)), tuple(map(_name, after)))


def _name(kind: type | str) -> str:
    return kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"


class Steps:
    """The preprocessors of one assignment, made once and used for every submission."""

    def __init__(self, names: StepNames, options: Mapping[str, Mapping[str, Any]]) -> None:
        known = {_name(kind): serving for kind, serving in IN_MEMORY.items()}
        config = Config({section: dict(values) for section, values in options.items()})
        self.notes = Notes()
        self._sanitize = [self._make(known[name], config) for name in names.sanitize]
        self._autograde = [self._make(known[name], config) for name in names.autograde]
        self.execute = next(s for s in self._autograde if isinstance(s, TrustedExecute))

    def _make(self, kind: type, config: Config) -> Preprocessor:
        made: Preprocessor = kind(config=config)
        made.log = self.notes.log
        return made

    def read(self, data: bytes) -> NotebookNode:
        """A notebook as nbgrader reads it; raises where it is none."""
        notebook = nbformat.convert(reader.reads(data.decode("utf-8")), 4)
        _, notebook = validator.normalize(notebook)
        return notebook

    def sanitize(self, notebook: NotebookNode, resources: Any) -> NotebookNode:
        return _through(self._sanitize, notebook, resources)

    def autograde(self, notebook: NotebookNode, resources: Any) -> NotebookNode:
        return _through(self._autograde, notebook, resources)

    def autograde_without_running(self, notebook: NotebookNode, resources: Any) -> NotebookNode:
        kept = [step for step in self._autograde if not isinstance(step, TrustedExecute)]
        return _through(kept, notebook, resources)

    def resources(
        self, student: str, assignment: str, known: KnownNotebook, folder: str, more: dict[str, Any]
    ) -> ResourcesDict:
        made = ResourcesDict()
        made["unique_key"] = known.name
        made["output_files_dir"] = f"{known.name}_files"
        made["output_extension"] = ".ipynb"
        made["metadata"] = ResourcesDict(name=known.name, path=folder)
        made["nbgrader"] = {
            "student": student,
            "assignment": assignment,
            "notebook": known.name,
            "known": known,
            "gradebook": GradebookOfOne(known),
            **more,
        }
        return made


def _through(steps: list[Preprocessor], notebook: NotebookNode, resources: Any) -> NotebookNode:
    for step in steps:
        notebook, resources = step(notebook, resources)
    # As nbconvert does, though once and not after each step.
    nbformat.validate(notebook, relax_add_props=True)
    return strip_transient(notebook)  # so does writing a notebook to its file


def written(notebook: NotebookNode) -> str:
    """The text of a notebook's file, as nbconvert's NotebookExporter writes it.

    Takes the notebook's long texts apart in place: it is of no use afterwards.
    """
    # What nbformat.writes does, without its copy of a notebook that nobody needs any more.
    lines = strip_transient(split_lines(notebook))
    text = json.dumps(
        lines,
        ensure_ascii=False,
        indent=1,
        sort_keys=True,
        separators=(",", ": "),
        cls=BytesEncoder,
    )
    return text + "\n"


class Notes(logging.Handler):
    """What the preprocessors warn of, kept as sentences."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []
        self.log = logging.Logger("attention_course.grading.steps", logging.WARNING)
        self.log.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage()[:500])

    def take(self) -> tuple[str, ...]:
        said, self.said = tuple(self.said), []
        return said
