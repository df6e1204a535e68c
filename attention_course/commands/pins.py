"""``attention-course pins``: write down every installed version, for pip and for conda alike."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from attention_course.commands.course_folder import Refusal

OWN_DISTRIBUTIONS = {"attention-course", "jupyterlab-attention"}
# Ours, or brought by whoever makes an environment.
LEFT_OUT = OWN_DISTRIBUTIONS | {"pip", "wheel"}

CONSTRAINTS_HEAD = """\
# Every version that attention-course[students,graders,developers] installs (Linux, Python 3.11).
# Written by `attention-course pins` together with environment.yml; do not edit by hand.
# Builds of torch for CUDA bring libraries of their own, which torch itself pins.
"""
ENVIRONMENT_HEAD = """\
# The same set for conda: conda brings Python, pip the packages, at the versions of
# constraints.txt (conda's channels do not carry all of them).
# Written by `attention-course pins`; a test proves that the two files agree.
#   conda env create -f environment.yml && conda activate attention-course
name: attention-course
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - make
  - ollama  # the server of the code-quality review; grading does without it
  - pip:
"""


def canonical(name: str) -> str:
    """A distribution's name as packaging compares it: ``Huggingface_Hub`` is huggingface-hub."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> dict[str, str]:
    """Name to version of all that is installed here, local version labels (+cpu) taken off."""
    found: dict[str, str] = {}
    # setuptools puts a folder with copies of its own on the path; those are not installed here.
    path = [entry for entry in sys.path if Path(entry).name != "_vendor"]
    for distribution in importlib.metadata.distributions(path=path):
        name = canonical(distribution.metadata["Name"])
        if name not in LEFT_OUT:
            # The first on the path is the one that is imported.
            found.setdefault(name, distribution.version.partition("+")[0])
    return dict(sorted(found.items()))


def pinned(text: str) -> dict[str, str]:
    """Name to version of each ``name==version`` line in the text of a constraints file."""
    pins = {}
    for line in text.splitlines():
        match = re.fullmatch(r"\s*([A-Za-z0-9._-]+)==([^\s;#]+)\s*", line.partition("#")[0])
        if match:
            pins[canonical(match[1])] = match[2]
    return pins


def constraints_text(versions: dict[str, str]) -> str:
    return CONSTRAINTS_HEAD + "".join(f"{name}=={versions[name]}\n" for name in versions)


def environment_text(versions: dict[str, str]) -> str:
    lines = "".join(f"    - {name}=={versions[name]}\n" for name in versions)
    return f"{ENVIRONMENT_HEAD}{lines}    - -e .\n    - ./jupyterlab_ext\n"


def register(app: typer.Typer) -> None:
    @app.command(hidden=True)
    def pins(
        into: Annotated[Path, typer.Option(help="The checkout to write to.")] = Path(),
    ) -> None:
        """Write constraints.txt and environment.yml from what is installed (for developers)."""
        if not (into / "pyproject.toml").is_file():
            raise Refusal(f"{into.resolve()} has no pyproject.toml. Run this in the checkout.")
        versions = installed()
        (into / "constraints.txt").write_text(constraints_text(versions))
        (into / "environment.yml").write_text(environment_text(versions))
        print(f"{len(versions)} versions written to constraints.txt and environment.yml.")
