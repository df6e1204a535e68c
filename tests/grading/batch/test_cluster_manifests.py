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

from .clusters import cluster
from .test_cluster import a_class

pytestmark = pytest.mark.slow


def documents(path: Path) -> dict[str, Any]:
    found = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    return {document["kind"]: document for document in found}


def test_a_run_as_the_manifests_describe_it(
    small: Any, tmp_path: Path, repository_root: Path
) -> None:
    names = a_class(small, 4)
    place = repository_root / "deploy" / "kubernetes"
    workers = documents(place / "dask-cluster.yaml")["DaskCluster"]["spec"]["worker"]["spec"]
    job = documents(place / "grade-job.yaml")
    # The writer's settings, which the ConfigMap puts where Jupyter looks for everybody's.
    settings = tmp_path / "etc"
    settings.mkdir()
    for name, text in job["ConfigMap"]["data"].items():
        (settings / name).write_text(text)
    elsewhere = tmp_path / "elsewhere.db"
    shutil.move(small.root / "gradebook.db", elsewhere)
    (container,) = job["Job"]["spec"]["template"]["spec"]["containers"]
    program, *arguments = container["args"]
    assert program == "attention-course"
    with cluster(tmp_path / "dask", 0) as dask:
        # The operator names the scheduler in the worker's environment.
        (given,) = workers["containers"]
        line = [word.replace("$(DASK_WORKER_NAME)", "worker-1") for word in given["args"]]
        worker = subprocess.Popen(
            [sys.executable, "-m", *line, "--local-directory", str(tmp_path)],
            env={
                **os.environ,
                **{variable["name"]: variable["value"] for variable in given["env"]},
                "DASK_SCHEDULER_ADDRESS": dask.address,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        dask.workers.append(worker)
        arguments = [
            {"attention": "ps1"}.get(word, dask.address if "://" in word else word)
            for word in arguments
        ]
        done = small.command(
            *arguments,
            env={
                **os.environ,
                "JUPYTER_CONFIG_PATH": str(settings),
                container["env"][0]["name"]: f"sqlite:///{elsewhere}",
            },
        )
        assert done.returncode == 0, done.stderr
        worker.terminate()  # its nanny ends with it
        worker.wait(30)
    assert f"{len(names)} graded" in done.stdout
    assert not (small.root / "gradebook.db").exists()
    shutil.move(elsewhere, small.root / "gradebook.db")
    assert small.automatic(names[0])["test_double"] == 2.0
    assert small.automatic(names[1])["test_double"] == 0.0
