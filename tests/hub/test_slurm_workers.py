"""deploy/slurm and its program in docs/hub.md, with a Slurm that starts each job on this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from attention_course import cli
from attention_course.commands import doctor

REPOSITORY = Path(__file__).resolve().parents[2]
SETTINGS = REPOSITORY / "deploy" / "slurm" / "jobqueue.yaml"
INSTALLED = "/opt/attention-course/.venv/bin"  # where the settings say that the course is
# sbatch answers as Slurm's does, and starts the job in an empty folder, as on another node.
SBATCH = """#!/bin/bash
cp "$1" "$JOBS/$$.sh" && mkdir "$JOBS/$$" && cd "$JOBS/$$"
setsid bash "$JOBS/$$.sh" >"$JOBS/$$.log" 2>&1 </dev/null &
echo "$!" >>"$JOBS/groups"
echo "Submitted batch job $!"
"""


def here(text: str) -> str:
    """Commands of the settings, with the environment of these tests for the one that they name."""
    assert INSTALLED in text
    return text.replace(INSTALLED, str(Path(sys.executable).parent))


def prologue() -> list[str]:
    settings = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    lines: list[str] = settings["jobqueue"]["slurm"]["job-script-prologue"]
    return lines


def test_a_node_without_course_or_gradebook_begins_to_work(tmp_path: Path) -> None:
    lines = "\n".join([*prologue(), "echo begins"])
    done = subprocess.run(
        ["bash", "-c", here(lines)], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("begins\n")


@pytest.mark.parametrize(
    ("name", "value"), [("NEEDED_TO_GRADE", ("nbgrader", "no-such-package")), ("NO_DISK", 1 << 62)]
)
def test_a_node_that_cannot_grade_gives_its_place_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = prologue()[-1].removeprefix(f"{INSTALLED}/attention-course ").split(" || ")
    assert arguments[1] == "exit 1"
    assert CliRunner().invoke(cli.build(), arguments[0].split()).exit_code == 0
    monkeypatch.setattr(doctor, name, value)
    assert CliRunner().invoke(cli.build(), arguments[0].split()).exit_code == 1


def test_without_worker_the_course_folder_is_still_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli.build(), ["doctor"])
    assert done.exit_code == 1 and "course folder" in done.stdout


def program_of_the_document() -> str:
    text = (REPOSITORY / "docs" / "hub.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if "SLURMCluster" in block]
    return str(found)


@contextmanager
def slurm(place: Path) -> Iterator[dict[str, str]]:
    """The environment of a login node; its jobs are ended at the end."""
    jobs, programs, configuration = place / "jobs", place / "bin", place / ".config" / "dask"
    for folder in (jobs, programs, configuration):
        folder.mkdir(parents=True)
    for name, text in (("sbatch", SBATCH), ("scancel", '#!/bin/bash\nkill -- "-$1"\n')):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    settings = yaml.safe_load(here(SETTINGS.read_text(encoding="utf-8")))
    # A whole node's share would be many processes for one machine with tests on it.
    settings["jobqueue"]["slurm"] |= {"cores": 1, "processes": 1, "memory": "2GB"}
    settings["jobqueue"]["slurm"]["scheduler-options"] = {"host": "127.0.0.1"}
    (configuration / "jobqueue.yaml").write_text(yaml.safe_dump(settings))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DASK_")}
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    try:
        yield {**kept, "HOME": str(place), "JOBS": str(jobs), "PATH": path}
    finally:
        groups = jobs / "groups"
        for group in groups.read_text().split() if groups.exists() else ():
            subprocess.run(["kill", "--", f"-{group}"], capture_output=True, check=False)


@pytest.mark.slow
def test_the_document_s_program_brings_workers_from_an_empty_folder(tmp_path: Path) -> None:
    pytest.importorskip("dask_jobqueue")
    from distributed import Client

    with slurm(tmp_path) as environment:
        program = subprocess.Popen(
            [sys.executable, "-c", program_of_the_document()],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(tmp_path / "said").open("w"),
            text=True,
        )
        assert program.stdin is not None and program.stdout is not None
        address = program.stdout.readline().strip()
        assert address.startswith("tcp://"), (tmp_path / "said").read_text()
        until, found = time.monotonic() + 120, 0
        with Client(address, set_as_default=False) as client:
            while found != 4 and time.monotonic() < until:
                found = len(client.nthreads())
                time.sleep(0.2)
        said = [path.read_text() for path in (tmp_path / "jobs").glob("*.log")]
        program.communicate("\n", timeout=60)
    assert found == 4, said
    assert program.returncode == 0, (tmp_path / "said").read_text()
    assert len(said) == 4 and all("Grading can work." in words for words in said)
