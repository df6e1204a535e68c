"""Where a course lives on disk, and how nbgrader is run there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION = "nbgrader_config.py"


class Refusal(Exception):
    """A command cannot do what was asked; the message says why and what to do next."""


@dataclass(frozen=True, slots=True)
class CourseFolder:
    """A folder with nbgrader_config.py and source/, in which nbgrader works."""

    root: Path

    @property
    def gradebook(self) -> Path:
        return self.root / "gradebook.db"

    def assignments(self) -> tuple[str, ...]:
        """The names of the assignments that have a master notebook in source/."""
        source = self.root / "source"
        return tuple(sorted({path.parent.name for path in source.glob("*/*.ipynb")}))

    def expect_assignment(self, name: str) -> str:
        """The name itself, or a Refusal that lists the assignments there are."""
        known = set(self.assignments())
        for stage in ("release", "submitted/*", "autograded/*"):
            known.update(
                path.name for path in self.root.glob(f"{stage}/*") if any(path.glob("*.ipynb"))
            )
        if name in known and re.fullmatch(r"[^/\\*?\[\]]+", name):
            return name
        raise Refusal(
            f'no assignment "{name}" in {self.root}. There is: '
            f"{', '.join(sorted(known)) or 'none; put one into source/'}."
        )

    def nbgrader(self, *arguments: str, on_line: Callable[[str], None] | None = None) -> Finished:
        """Run ``nbgrader …`` here, with this Python; its words are kept, and told line by line."""
        environment = dict(os.environ, PYTHONUNBUFFERED="1", PATH=path_with_own_programs())
        lines = []
        with subprocess.Popen(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line.rstrip("\n"))
                if on_line is not None:
                    on_line(line)
        return Finished(("nbgrader", *arguments), process.returncode, tuple(lines))


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that has ended: what was run, its exit code and what it said."""

    command: tuple[str, ...]
    returncode: int
    lines: tuple[str, ...]

    def last_words(self, limit: int = 6) -> str:
        """The end of what it said, which usually tells why it failed."""
        return "\n".join([line for line in self.lines if line.strip()][-limit:])

    def expect_success(self) -> None:
        """Raise Refusal with the program's own last words where it failed."""
        if self.returncode != 0:
            raise Refusal(
                f"{' '.join(self.command)} ended with exit code {self.returncode}:\n"
                f"{self.last_words()}"
            )


def path_with_own_programs() -> str:
    """PATH with this environment's programs first, for where nobody activated it.

    nbgrader and others call programs by name: alembic makes the tables of a new gradebook.
    """
    own = str(Path(sys.executable).parent)
    return os.pathsep.join([own, os.environ.get("PATH", os.defpath)])


def is_course_folder(folder: Path) -> bool:
    return (folder / CONFIGURATION).is_file() and (folder / "source").is_dir()


def find_course_folder(start: Path | None = None) -> CourseFolder:
    """The course folder that holds ``start`` (the working folder by default).

    Raises Refusal where neither it nor any folder above it is one.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if is_course_folder(folder):
            return CourseFolder(folder)
    raise Refusal(
        f"{start} is not in a course folder (one with {CONFIGURATION} and source/). "
        "Change to the course's folder and run the command again."
    )


def checkout() -> CourseFolder:
    """The checkout that this package runs from, else the course folder around the working folder.

    Raises Refusal where there is neither.
    """
    here = Path(__file__).resolve().parents[2]
    if is_course_folder(here):
        return CourseFolder(here)
    return find_course_folder()


def looks_ungraded(folder: Path, words: Iterable[str]) -> bool:
    """Whether a submission of an assignment among ``words`` looks newer than its grading.

    A guess by the folders' times, in milliseconds; True where it cannot be told.
    """
    try:
        students = list(os.scandir(folder / "submitted"))
    except OSError:
        return True
    for word in words:
        for student in students:
            handed_in = Path(student.path, word)
            graded = folder / "autograded" / student.name / word
            if handed_in.is_dir() and not (
                graded.is_dir() and graded.stat().st_mtime >= handed_in.stat().st_mtime
            ):
                return True
    return False


OWN_GRADEBOOK = """
# This copy's marks are its own, wherever the original course has its gradebook.
c.CourseDirectory.db_url = "sqlite:///" + __file__.replace("nbgrader_config.py", "gradebook.db")
"""


def copy_course(original: CourseFolder, into: Path) -> CourseFolder:
    """A course folder of its own: the same settings and source notebooks, another gradebook."""
    into.mkdir(parents=True, exist_ok=True)
    shutil.copy2(original.root / CONFIGURATION, into / CONFIGURATION)
    with (into / CONFIGURATION).open("a", encoding="utf-8") as file:
        file.write(OWN_GRADEBOOK)
    shutil.copytree(
        original.root / "source",
        into / "source",
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__", "progress"),
    )
    return CourseFolder(into.resolve())
