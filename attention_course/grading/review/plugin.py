"""The review in nbgrader's autograde: a preprocessor after SaveAutoGrades, before penalties.

While marks are made it asks no model: it writes down what is computed, queues the rest and
replays what was judged before. Once all numeric marks of ``nbgrader autograde`` are saved, the
same command goes on with the reviews, unless ``c.Review.during_autograde`` is False.
"""

from __future__ import annotations

import atexit
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters.autograde import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets.config import Application, Config

from attention_course.grading.review.mechanical import Ahead, nothing_ahead
from attention_course.grading.review.queue import Place
from attention_course.grading.review.settings import Review, Settings
from attention_course.grading.review.submitted import (
    Submitted,
    solutions,
    task_points,
    verdict_lines,
)

if TYPE_CHECKING:
    from attention_course.grading.review.desk import Desk
    from attention_course.grading.review.standing import Standing

KEY = "attention_course"  # where an autograded notebook keeps the grading record
AUTOGRADE = "nbgrader-autograde"
LARGEST_FILE = 200_000  # bytes of a student's file that are read


class SaveReview(NbGraderPreprocessor):
    """Writes score and comment of the task cell, or queues the submission for its review.

    Never fails a submission: whatever goes wrong here is logged, and the marks stay.
    """

    def enabled(self) -> bool:
        """Whether the configuration wants reviews at all."""
        return self._settings.enabled

    @cached_property
    def _settings(self) -> Settings:
        return Review(parent=self).settings()

    @cached_property
    def _course(self) -> CourseDirectory:
        return CourseDirectory(parent=self)

    @cached_property
    def _written_by_students(self) -> Mapping[str, Iterable[str]]:
        """By assignment, the files beside a notebook that students write."""
        named: Mapping[str, Iterable[str]] = Autograde(config=self.config).exclude_overwriting
        return named

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        if self.asks_about(nb):
            about = resources["nbgrader"]
            with self.never_failing(place_of(about)), self.desk() as desk:
                self._save(nb, about, desk)
        return nb, resources

    def asks_about(self, nb: Mapping[str, Any]) -> bool:
        """Whether this notebook has an answer that is reviewed."""
        return self._settings.enabled and task_points(nb, self._settings.cell) is not None

    @contextmanager
    def never_failing(self, place: Place) -> Iterator[None]:
        """Whatever goes wrong with a review is logged, and the marks stay."""
        try:
            yield
        except Exception as error:
            self.log.error(
                "%s: the code-quality review was not prepared (%s: %s). All other marks are "
                "saved. Next: attention-course review %s",
                place,
                type(error).__name__,
                error,
                place.assignment,
            )

    def desk(self) -> Desk:
        """The course's review desk, opened."""
        from attention_course.grading.review.desk import Desk

        return Desk(self._settings, Path(self._course.root))

    @property
    def cell(self) -> str:
        """The task cell's grade_id."""
        return self._settings.cell

    def take(
        self, nb: Mapping[str, Any], place: Place, desk: Desk, ahead: Ahead = nothing_ahead
    ) -> Standing:
        """Queue a notebook that :meth:`asks_about`, and say how its review stands."""
        course = self._course
        source, handed_in = (
            Path(course.format_path(stage, student, place.assignment))
            for stage, student in (
                (course.source_directory, "."),
                (course.submitted_directory, place.student),
            )
        )
        submitted = submitted_of(
            nb,
            source / f"{place.notebook}.ipynb",
            nb["metadata"].get(KEY, {}).get("verdicts", ()),
            student_files(self._written_by_students.get(place.assignment, ()), handed_in),
            self._settings,
        )
        assert submitted is not None
        return desk.take(place, submitted, ahead)

    def _save(self, nb: NotebookNode, about: Mapping[str, str], desk: Desk) -> None:
        from attention_course.grading.review.gradebook import write_standing

        place, db_url = place_of(about), about["db_url"]
        said = self.take(nb, place, desk)
        gradebook = _gradebook(db_url)
        try:
            write_standing(gradebook, place, self.cell, said)
        except Exception:
            gradebook.db.rollback()
            raise
        desk.noted(place, said)
        if said.state == "pending" and _is_command(self):
            root = Path(self._course.root)
            afterwards = Afterwards.of(root, self._settings, db_url, self.config, self.log)
            afterwards.assignments.add(place.assignment)


def place_of(about: Mapping[str, str]) -> Place:
    """Where the submission is that nbgrader's resources tell of."""
    return Place(about["assignment"], about["student"], about["notebook"])


def submitted_of(
    notebook: Mapping[str, Any],
    master: Path | None,
    verdicts: Iterable[Mapping[str, Any]],
    files: Mapping[str, str],
    settings: Settings,
) -> Submitted | None:
    """What of a graded notebook is reviewed; None where it has no such task cell.

    ``files`` are the files beside the notebook that are the student's to write, by name.
    """
    points = task_points(notebook, settings.cell)
    if points is None:
        return None
    reference = {}
    if master is not None and master.is_file():
        about = master.stat()
        reference = dict(_solutions_of(master, about.st_mtime_ns, about.st_size))
    cells = solutions(notebook)
    answers = {**written_in(files, cells), **cells}
    return Submitted(answers, reference, verdict_lines(verdicts), points=points)


@lru_cache(maxsize=32)
def _solutions_of(master: Path, changed: int, size: int) -> Mapping[str, str]:
    """A master's solutions, read once for a whole class."""
    return solutions(nbformat.read(master, as_version=4))


@lru_cache(maxsize=1)
def _gradebook(db_url: str) -> Gradebook:
    """One connection for a whole class: a new one compiles every query anew."""
    return Gradebook(db_url)


def written_in(files: Mapping[str, str], cells: Mapping[str, str]) -> dict[str, str]:
    """The files that hold an answer: one left as it was released does not, where a cell does."""
    in_a_cell = any("class " in source for source in cells.values())
    return {n: t for n, t in files.items() if not (in_a_cell and "NotImplementedError" in t)}


def review_of(place: Place, submitted: Submitted, settings: Settings, root: Path) -> Standing:
    """How the review of one submission stands, for whoever writes its grades.

    Plain data in and out, no network, no gradebook: ``standing.score`` is the task cell's
    auto_score (None: needs a person), ``standing.comment`` its auto_comment.
    """
    from attention_course.grading.review.desk import Desk

    with Desk(settings, root) as desk:
        said = desk.take(place, submitted)
        desk.noted(place, said)
        return said


def student_files(names: Iterable[str], folder: str | Path) -> dict[str, str]:
    """The files of these names in a submission's folder, as text by name."""
    found = {}
    for name in names:
        path = Path(folder) / name
        if path.is_file() and not path.is_symlink() and path.stat().st_size < LARGEST_FILE:
            found[name] = path.read_text("utf-8", "replace")
    return found


# -- after the last numeric mark --------------------------------------------------------------


def _is_command(plugin: Any) -> bool:
    """Whether ``nbgrader autograde`` runs, rather than formgrader's server or somebody's script."""
    while plugin is not None:
        if isinstance(plugin, Application):
            return bool(plugin.name == AUTOGRADE)
        plugin = plugin.parent
    return False


@dataclass
class Afterwards:
    """Reviews that wait for the end of ``nbgrader autograde``, when all marks are saved."""

    root: Path
    settings: Settings
    db_url: str
    config: Config
    log: logging.Logger
    assignments: set[str] = field(default_factory=set)

    _current: ClassVar[Afterwards | None] = None

    @classmethod
    def of(
        cls, root: Path, settings: Settings, db_url: str, config: Config, log: logging.Logger
    ) -> Afterwards:
        """The one of this process, made and registered where there is none."""
        if Afterwards._current is None:
            Afterwards._current = cls(root, settings, db_url, config, log)
            # nbgrader has no hook after its last submission that tells of failures.
            atexit.register(Afterwards._current.run)
        return Afterwards._current

    def run(self) -> None:
        from attention_course.grading.review.gradebook import GradebookWriter
        from attention_course.grading.review.run import finish_reviews

        writer = GradebookWriter(self.db_url, self.settings.cell, self.config)
        try:
            for said in finish_reviews(self.root, self.settings, self.assignments, writer.write):
                self.log.info("%s", said)
        except KeyboardInterrupt:
            self.log.warning("Stopped. attention-course review goes on where this ended.")
        except Exception as error:
            self.log.error(
                "The code-quality reviews stopped (%s: %s). All marks are saved; the reviews "
                "wait: attention-course review %s",
                type(error).__name__,
                error,
                " ".join(sorted(self.assignments)),
            )
