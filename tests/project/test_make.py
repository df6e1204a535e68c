"""The Makefile and .ci/run: what they would do, read by running them dry."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def checkout(tmp_path: Path, repository_root: Path) -> Path:
    """The files that set-up depends on, in a folder with a make-believe environment."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy2(repository_root / name, tmp_path)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "attention-course"):
        program = programs / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> "{tmp_path}/calls"\n')
        program.chmod(0o755)
    return tmp_path


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if k not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def calls(folder: Path) -> list[str]:
    path = folder / "calls"
    return path.read_text().splitlines() if path.exists() else []


def installs(folder: Path) -> int:
    return sum("pip install" in line for line in calls(folder))


def test_setting_up_is_done_once_and_then_left_alone(checkout: Path) -> None:
    first = make(checkout, "demo")
    assert first.returncode == 0, first.stderr
    assert "Installing the packages of constraints.txt" in first.stdout
    second = make(checkout, "demo")
    assert "Installing" not in second.stdout
    assert installs(checkout) == 1


def test_a_changed_pin_sets_up_anew(checkout: Path) -> None:
    make(checkout, "setup")
    with (checkout / "constraints.txt").open("a") as file:
        file.write("# changed\n")
    make(checkout, "setup")
    assert installs(checkout) == 2
    assert len(list((checkout / ".venv").glob("installed-*"))) == 1


def test_setting_up_installs_the_pins_with_every_extra(checkout: Path) -> None:
    make(checkout, "setup")
    (line,) = [line for line in calls(checkout) if "pip install" in line]
    assert "--constraint constraints.txt" in line
    assert line.endswith("--editable .[students,graders,developers] ./jupyterlab_ext")


def test_a_set_up_that_failed_is_tried_again(checkout: Path) -> None:
    python = checkout / ".venv" / "bin" / "python"
    working = python.read_text()
    python.write_text(working + 'case "$*" in *"pip install"*) exit 1;; esac\n')
    assert make(checkout, "setup").returncode != 0
    python.write_text(working)
    assert make(checkout, "setup").returncode == 0
    assert installs(checkout) == 2


def test_a_machine_without_a_fitting_python_is_told_what_to_install(
    checkout: Path, tmp_path: Path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "cat", "cksum", "cut", "rm", "touch", "pwd", "make"):
        (programs / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    done = make(checkout, "setup", PATH=str(programs))
    assert done.returncode != 0
    assert "No Python 3.11 or newer with venv was found" in done.stderr


def test_every_target_says_what_it_is_for(repository_root: Path) -> None:
    told = make(repository_root, "help").stdout
    for target in ("demo", "test", "lab", "bench", "check"):
        assert f"make {target}" in told


def test_ci_runs_the_readme_s_own_test_command(repository_root: Path) -> None:
    script = repository_root / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().rstrip().endswith("exec make test </dev/null")
    assert "$ make test" in (repository_root / "README.md").read_text()


def test_ci_ends_with_what_the_tests_ended_with(tmp_path: Path, repository_root: Path) -> None:
    """The script in a folder whose make fails, with every program that it looks for at hand."""
    (tmp_path / ".ci").mkdir()
    shutil.copy2(repository_root / ".ci" / "run", tmp_path / ".ci" / "run")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, code in (("make", 3), ("chromium", 0), ("bwrap", 0)):
        (programs / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (programs / name).chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", ".ci/run"], cwd=tmp_path, env=dict(os.environ, PATH=path), check=False
    )
    assert done.returncode == 3
