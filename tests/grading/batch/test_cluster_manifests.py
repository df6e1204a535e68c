"""The programs of deploy/kubernetes, run here with the manifests' own arguments and settings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from .clusters import Cluster, cluster
from .test_cluster import a_class

PROGRAMS = Path("deploy", "kubernetes", "images", "programs")
URL = "postgresql://grader@gradebook:5432/gradebook"


def documents(path: Path) -> dict[tuple[str, str], Any]:
    found = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    return {(document["kind"], document["metadata"]["name"]): document for document in found}


def add_worker(dask: Cluster, place: Path, folder: Path) -> Any:
    """A worker as dask-cluster.yaml has it; the operator names the scheduler to it."""
    manifest = documents(place / "dask-cluster.yaml")["DaskCluster", "grading"]
    (given,) = manifest["spec"]["worker"]["spec"]["containers"]
    line = [word.replace("$(DASK_WORKER_NAME)", "worker-1") for word in given["args"]]
    worker = subprocess.Popen(
        [sys.executable, "-m", *line, "--local-directory", str(folder)],
        env={
            **os.environ,
            **{variable["name"]: variable["value"] for variable in given["env"]},
            "DASK_SCHEDULER_ADDRESS": dask.address,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    dask.workers.append(worker)
    return worker


def verdict_of_the_job(job: Any, code: int) -> str:
    """What Kubernetes makes of a grading pod that ended with this exit code."""
    if code == 0:
        return "complete"
    for rule in job["spec"]["podFailurePolicy"]["rules"]:
        if code in rule.get("onExitCodes", {}).get("values", ()):
            return "failed"
    return "tried again"


def run_the_job(small: Any, place: Path, tmp_path: Path, address: str) -> Any:
    """The Job's container, with its settings where Jupyter looks for everybody's."""
    manifests = documents(place / "instructor.yaml")
    job = documents(place / "grade-job.yaml")["Job", "grade-attention"]
    elsewhere = tmp_path / "elsewhere.db"
    settings = tmp_path / "etc"
    settings.mkdir(exist_ok=True)
    for name, text in manifests["ConfigMap", "grader-settings"]["data"].items():
        assert URL in text
        (settings / name).write_text(text.replace(URL, f"sqlite:///{elsewhere}"))
    secret = tmp_path / "secret"
    secret.mkdir(exist_ok=True)
    (secret / "pgpass").write_text("a:b:c:d:e\n")
    (secret / "pgpass").chmod(0o440)  # as Kubernetes leaves it, with fsGroup
    pod = job["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    (container,) = pod["containers"]
    assert container["command"] == ["tini", "-g", "--"]
    words = [
        {"attention": "ps1"}.get(word, address if "://" in word else word)
        for word in container["args"]
    ]
    programs = [str(place.parents[1] / PROGRAMS), str(Path(sys.executable).parent)]
    done = subprocess.run(
        words,
        cwd=small.root,
        env={
            **os.environ,
            "PATH": os.pathsep.join([*programs, os.environ["PATH"]]),
            "JUPYTER_CONFIG_PATH": str(settings),
            "GRADEBOOK_SECRET": str(secret),
            "PGPASSFILE": str(tmp_path / "pgpass"),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done, verdict_of_the_job(job, done.returncode)


@pytest.mark.slow
def test_a_run_as_the_manifests_describe_it(
    small: Any, tmp_path: Path, repository_root: Path
) -> None:
    names = a_class(small, 4)
    small.hand_in_text("student-of-a-broken-file", "no JSON")
    small.hand_in_text("student-of-another", '{"cells": 7}')
    place = repository_root / "deploy" / "kubernetes"
    elsewhere = tmp_path / "elsewhere.db"
    shutil.move(small.root / "gradebook.db", elsewhere)
    with cluster(tmp_path / "dask", 0) as dask:
        worker = add_worker(dask, place, tmp_path)
        done, verdict = run_the_job(small, place, tmp_path, dask.address)
        again, verdict_again = run_the_job(small, place, tmp_path, dask.address)
        worker.terminate()  # its nanny ends with it
        worker.wait(30)
    # A class with a file that nobody can read is an ordinary one.
    assert (done.returncode, verdict) == (0, "complete"), done.stderr
    assert "student-of-a-broken-file" in done.stderr
    assert "The lines above name what waits for a person." in done.stderr
    assert f"{len(names) + 2} unchanged" in again.stdout and verdict_again == "complete"
    assert (tmp_path / "pgpass").stat().st_mode & 0o777 == 0o600
    assert not (small.root / "gradebook.db").exists()
    shutil.move(elsewhere, small.root / "gradebook.db")
    assert small.automatic(names[0])["test_double"] == 2.0
    assert small.automatic(names[1])["test_double"] == 0.0


@pytest.mark.slow
def test_a_run_that_cannot_begin_fails_once(
    small: Any, tmp_path: Path, repository_root: Path
) -> None:
    small.hand_in("student-001")
    shutil.move(small.root / "gradebook.db", tmp_path / "elsewhere.db")
    shutil.rmtree(small.root / "release")
    (small.root / "nbgrader_config.py").write_text("c = get_config()\nraise ValueError\n")
    place = repository_root / "deploy" / "kubernetes"
    done, verdict = run_the_job(small, place, tmp_path, "tcp://127.0.0.1:9")
    assert (done.returncode, verdict) == (2, "failed"), done.stderr
    assert "attention-course: " in done.stderr


@pytest.mark.parametrize(
    ("program", "code", "verdict"),
    [
        (
            "print('3 graded, 0 unchanged, 1 not graded in 2.0 s'); raise SystemExit(1)",
            0,
            "complete",
        ),
        ("print('3 graded, 0 unchanged in 2.0 s')", 0, "complete"),
        ("raise RuntimeError('it fell over')", 1, "failed"),
        ("print('3 graded, 0 unchanged'); raise SystemExit(2)", 2, "failed"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137, "tried again"),
    ],
)
def test_how_a_run_ended_decides_whether_it_is_tried_again(
    repository_root: Path, program: str, code: int, verdict: str
) -> None:
    done = subprocess.run(
        [str(repository_root / PROGRAMS / "grade-once"), sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
    )
    place = repository_root / "deploy" / "kubernetes"
    job = documents(place / "grade-job.yaml")["Job", "grade-attention"]
    assert (done.returncode, verdict_of_the_job(job, done.returncode)) == (code, verdict)
