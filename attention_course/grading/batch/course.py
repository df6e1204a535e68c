"""What an assignment is graded with, read once from configuration, database and source folder."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
from pathlib import Path
from typing import Any

from nbgrader.converters.autograde import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files
from traitlets.config import Config, LazyConfigValue

from attention_course.grading.batch.versions import marking_code, versions
from attention_course.grading.known import KnownNotebook
from attention_course.grading.plugins import TrustedExecute
from attention_course.grading.released import (
    engine_for,
    master_cells,
    notebook_rows,
    source_cells,
)
from attention_course.grading.sandbox import read_folder
from attention_course.grading.steps import NotInMemory, step_names
from attention_course.grading.submission import MOST_FILES, Assignment, digest_of


class NotReleased(LookupError):
    """The gradebook knows no such assignment."""

    @classmethod
    def for_name(cls, name: str) -> NotReleased:
        return cls(
            f"the gradebook knows no notebook of {name!r}; run: nbgrader generate_assignment {name}"
        )


class Course:
    """A course folder under its configuration, as nbgrader's autograde sees it."""

    def __init__(self, root: Path, config: Config) -> None:
        self.root = root
        self.config = config
        self.directory = CourseDirectory(config=config)
        with contextlib.chdir(root):
            # Both defaults depend on the working folder, so they are asked for here.
            self.directory.root = os.path.abspath(self.directory.root)
            self.db_url: str = self.directory.db_url
        self.converter = Autograde(coursedir=self.directory, config=config)

    @property
    def ignore(self) -> list[str]:
        return list(self.directory.ignore)

    def path(self, stage: str, student: str, assignment: str) -> Path:
        return Path(self.directory.format_path(stage, student, assignment))

    def submitted(self, assignment: str, pattern: str = "*") -> dict[str, Path]:
        """Student to submitted folder, of those whose id fits ``pattern``."""
        found = self._students(self.directory.submitted_directory, assignment, pattern)
        left_out = set(filter(None, self.directory.student_id_exclude.split(",")))
        return {name: path for name, path in sorted(found.items()) if name not in left_out}

    def _students(self, stage: str, assignment: str, pattern: str) -> dict[str, Path]:
        marker = "\0"
        path = self.directory.format_path(stage, marker, assignment)
        before, _, after = path.partition(marker)
        found = {}
        for folder in Path(before).glob(pattern + after) if Path(before).is_dir() else ():
            name = str(folder)[len(before) : len(str(folder)) - len(after)]
            if folder.is_dir() and not name.startswith("."):
                found[name] = folder
        return found

    def why_stock(self) -> str | None:
        """Why this configuration needs nbgrader's own loop over the submissions, or None."""
        made = self.converter
        if made.pre_convert_hook or made.post_convert_hook:
            return "the configuration has a pre_convert_hook or post_convert_hook"
        if self.directory.notebook_id != "*":
            return f"only notebooks {self.directory.notebook_id!r} are to be graded"
        if made.exporter_class.__name__ != "NotebookExporter":
            return f"the configuration exports with {made.exporter_class.__name__}"
        try:
            step_names(made.sanitize_preprocessors, made.autograde_preprocessors)
            pickle.dumps(self._options())
        except NotInMemory as error:
            return str(error)
        except Exception as error:
            return f"an option of the configuration cannot be handed to a worker ({error})"
        return None

    def assignment(self, name: str) -> Assignment:
        """All that grading needs to know; raises NotReleased."""
        source = self.path(self.directory.source_directory, ".", name)
        notebooks = []
        with engine_for(self.db_url).connect() as connection:
            for notebook, (identity, spec) in notebook_rows(connection, name).items():
                master = source / f"{notebook}.ipynb"
                cells = tuple(source_cells(connection, identity))
                found = master_cells(master) if master.is_file() else None
                known = KnownNotebook(notebook, cells, json.loads(spec) if spec else None, found)
                notebooks.append(known)
        if not notebooks:
            raise NotReleased.for_name(name)
        steps = step_names(
            self.converter.sanitize_preprocessors, self.converter.autograde_preprocessors
        )
        kept = frozenset(self.converter.exclude_overwriting.get(name, ()))
        files = {
            os.path.relpath(path, source): Path(path).read_bytes()
            for path in find_all_files(str(source), [*self.ignore, "*.ipynb"])
        }
        helpers = read_folder(source, MOST_FILES)
        helpers = {k: v for k, v in helpers.items() if not k.endswith(".ipynb")}
        made = Assignment(
            name=name,
            notebooks=tuple(notebooks),
            steps=steps,
            files=files,
            helpers=helpers,
            student_files=kept,
            options=self._options(),
            versions=versions(),
        )
        digest = digest_of(*(value for pair in self.parts(made).items() for value in pair))
        return Assignment(**{**made.__dict__, "digest": digest})

    def parts(self, assignment: Assignment) -> dict[str, str]:
        """The digests that decide whether a submission is graded again, by what changed."""
        contents: list[bytes | str] = [assignment.name, *sorted(assignment.student_files)]
        for known in assignment.notebooks:
            contents += [known.name, repr(known.cells), repr(known.kernelspec), repr(known.master)]
        for files in (assignment.files, assignment.helpers):
            for name in sorted(files):
                contents += [name, files[name]]
        options = json.dumps(assignment.options, sort_keys=True, default=repr)
        environment = sorted(f"{k}={v}" for k, v in os.environ.items() if k.startswith("NBGRADER_"))
        return {
            "assignment": digest_of(*contents),
            "checks": marking_code(),
            "settings": digest_of(options, repr(assignment.steps), *environment),
            "versions": digest_of(json.dumps(assignment.versions, sort_keys=True)),
        }

    def execute(self) -> TrustedExecute:
        """The step that runs students' code, with the options of the configuration."""
        return TrustedExecute(config=self.config)

    def seconds_of_a_submission(self) -> float | None:
        """How long one submission may take, or None."""
        return self.execute().all_limits().submission

    def _options(self) -> dict[str, dict[str, Any]]:
        kinds = (*self.converter.sanitize_preprocessors, *self.converter.autograde_preprocessors)
        classes = {base.__name__ for kind in kinds for base in getattr(kind, "__mro__", ())}
        wanted = sorted({*classes, "KernelSpecManager"} & set(self.config))
        return {name: {k: _plain(v) for k, v in self.config[name].items()} for name in wanted}


def _plain(value: Any) -> Any:
    return value.to_dict() if isinstance(value, LazyConfigValue) else value
