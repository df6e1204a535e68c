"""What grades here: our own code and the packages under it, so that two machines can compare."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

import attention_course

# Parts of ours that take no part where a submission is graded.
ELSEWHERE = ("commands", "panel", "live", "comparisons", "grading/review")
# Parts that bring submissions to a worker and results back, but have no say in a mark.
CARRIERS = ("grading/batch", "grading/distributed")
PACKAGES = ("torch", "numpy", "ipython", "nbgrader", "nbconvert", "nbformat")


@cache
def versions() -> dict[str, str]:
    """What runs the submissions, by name."""
    found = {"python": sys.version.split()[0], "platform": sys.platform}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


@cache
def marking_code() -> str:
    """The digest of our own code that has a say in a mark."""
    return _digest((*ELSEWHERE, *CARRIERS))


@cache
def own_code() -> str:
    """The digest of our own code that a grader and the workers of a cluster have in common.

    That is what has a say in a mark, and what they speak with each other.
    """
    return _digest(ELSEWHERE)


def _digest(left_out: tuple[str, ...]) -> str:
    home = Path(attention_course.__file__).resolve().parent
    made = hashlib.sha256()
    for folder in (home, home.parent / "reference_attention"):
        for path in sorted(folder.rglob("*.py")):
            name = path.relative_to(folder).as_posix()
            if folder is home and name.startswith(left_out):
                continue
            made.update(f"{folder.name}/{name}\0".encode())
            made.update(path.read_bytes())
    return made.hexdigest()
