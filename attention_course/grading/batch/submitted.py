"""Finds and reads what students handed in."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from nbgrader.utils import is_ignored

from attention_course.grading.submission import Submission

MOST = 1_000_000_000  # bytes of one submission
TIMESTAMP = "timestamp.txt"


class TooLarge(OSError):
    """A submission that nobody's memory should hold."""


def read_submission(folder: Path, student: str, ignore: Iterable[str] = ()) -> Submission:
    """What lies in one student's submitted folder; links and special files are passed over.

    ``ignore`` are nbgrader's patterns (``c.CourseDirectory.ignore``). Raises OSError.
    """
    patterns = list(ignore)
    notebooks: dict[str, bytes] = {}
    files: dict[str, bytes] = {}
    left = MOST
    for place, folders, names in os.walk(folder):
        if is_ignored(place, patterns):
            folders[:] = []
            continue
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            top = path.parent == folder
            is_notebook = name.endswith(".ipynb")
            if (is_notebook and not top) or (not is_notebook and is_ignored(str(path), patterns)):
                continue
            about = path.lstat()
            if not stat.S_ISREG(about.st_mode):
                continue
            left -= about.st_size
            if left < 0:
                raise TooLarge(f"{folder} holds more than {MOST:,} bytes")
            data = path.read_bytes()
            if is_notebook:
                notebooks[path.stem] = data
            else:
                files[path.relative_to(folder).as_posix()] = data
    written = files.get(TIMESTAMP, b"").decode("utf-8", "replace").strip()
    return Submission(student, notebooks, files, written or None)
