"""One set of versions, said three times: pyproject.toml, constraints.txt and environment.yml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from attention_course.commands.pins import canonical, installed, pinned


@pytest.fixture(scope="module")
def pins(repository_root: Path) -> dict[str, str]:
    return pinned((repository_root / "constraints.txt").read_text())


def requirements(root: Path) -> list[Requirement]:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    texts = [*project["dependencies"], *(text for extra in extras.values() for text in extra)]
    found = [Requirement(text) for text in texts]
    return [requirement for requirement in found if requirement.name != project["name"]]


def test_every_requirement_is_pinned_to_a_version_it_accepts(
    repository_root: Path, pins: dict[str, str]
) -> None:
    for requirement in requirements(repository_root):
        name = canonical(requirement.name)
        assert name in pins, f"{name} is not in constraints.txt; run attention-course pins"
        assert requirement.specifier.contains(pins[name], prereleases=True), str(requirement)


def test_what_the_requirements_need_in_turn_is_pinned(pins: dict[str, str]) -> None:
    """Follow the installed packages' own requirements, as pip would here."""
    import importlib.metadata

    for name in pins:
        try:
            texts = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for text in texts:
            requirement = Requirement(text)
            marker = requirement.marker
            if marker is None or marker.evaluate({"extra": ""}):
                assert canonical(requirement.name) in pins, f"{name} needs {text}"


def test_torch_is_pinned_without_a_local_build(pins: dict[str, str]) -> None:
    assert pins["torch"] == "2.13.0"


def test_every_pin_is_exact_and_one_a_line(repository_root: Path, pins: dict[str, str]) -> None:
    lines = (repository_root / "constraints.txt").read_text().splitlines()
    written = [line for line in lines if line and not line.startswith("#")]
    assert len(written) == len(pins)
    assert all(not Version(version).local for version in pins.values())


def test_the_environment_under_test_is_the_pinned_one(pins: dict[str, str]) -> None:
    here = installed()
    other = {name: here[name] for name in pins.keys() & here.keys() if here[name] != pins[name]}
    assert other == {}


def test_copies_that_setuptools_brings_along_are_not_taken_for_what_is_installed() -> None:
    before = installed()
    import setuptools  # noqa: F401 - puts its own copies of some packages at the end of the path

    assert installed() == before


def test_conda_and_pip_install_the_same_set(repository_root: Path, pins: dict[str, str]) -> None:
    environment = yaml.safe_load((repository_root / "environment.yml").read_text())
    conda = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    (by_pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    listed = [entry for entry in by_pip if not entry.startswith(("-", "."))]
    assert pinned("\n".join(listed)) == pins
    assert len(listed) == len(pins)
    assert by_pip[-2:] == ["-e .", "./jupyterlab_ext"]
    assert {entry.partition("=")[0] for entry in conda} <= {"python", "pip", "make", "ollama"}


def test_conda_s_python_is_one_that_the_project_accepts(repository_root: Path) -> None:
    environment = yaml.safe_load((repository_root / "environment.yml").read_text())
    (python,) = [entry for entry in environment["dependencies"] if str(entry).startswith("python=")]
    project = tomllib.loads((repository_root / "pyproject.toml").read_text())["project"]
    accepted = Requirement(f"python{project['requires-python']}").specifier
    assert accepted.contains(python.partition("=")[2])
