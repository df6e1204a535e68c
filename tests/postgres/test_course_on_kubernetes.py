"""docs/hub.md's commands for a course on Kubernetes, with a kubectl that starts programs here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import nbformat
import pytest

from ..grading.batch.clusters import cluster
from ..grading.batch.test_cluster_manifests import add_worker, documents
from .servers import GRADER, free_port

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
# What a cluster would do with each word; state.json says where things are on this machine.
KUBECTL = """#!{python}
import json, os, pathlib, subprocess, sys
state = json.loads(pathlib.Path(os.environ["STATE"]).read_text())
verb, *words = sys.argv[1:]
def begin(pod, line, **more):
    given = state[pod]
    environment = dict(os.environ, **given["env"])
    return subprocess.run(line, cwd=state["course"], env=environment, **more).returncode
if (verb, *words[:2]) == ("create", "secret", "generic"):
    folder = pathlib.Path(state["secrets"], words[2])
    folder.mkdir(parents=True)
    for key, path in (word.split("=", 2)[1:] for word in words[3:]):
        (folder / key).write_text(pathlib.Path(path).read_text())
        (folder / key).chmod(0o440)
elif verb == "exec":
    sys.exit(begin("instructor", words[words.index("--") + 1 :]))
elif verb == "replace":
    assert words[-1].endswith("grade-job.yaml"), words
    with open(state["log"], "w") as log:
        code = begin("job", state["job"]["line"], stdout=log, stderr=log)
    pathlib.Path(state["log"] + ".code").write_text(str(code))
elif verb == "wait":
    sys.exit(int(pathlib.Path(state["log"] + ".code").read_text()))
elif verb == "logs":
    print(pathlib.Path(state["log"]).read_text())
elif verb in ("apply", "rollout"):
    paths = [word for word in words if word.endswith(".yaml")]
    assert all(os.path.exists(os.path.join(state["checkout"], path)) for path in paths)
else:
    sys.exit(f"what is kubectl {{verb}}?")
"""


def blocks() -> list[str]:
    text = (ROOT / "docs" / "hub.md").read_text(encoding="utf-8")
    section = text[text.index("### A course on Kubernetes") :]
    section = section[: section.index("\n### ", 5)]
    found = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return [re.sub(r"(?<![-\w])attention(?![-_\w])", "ps1", block) for block in found]


def instructors_pod() -> Any:
    manifest = documents(KUBERNETES / "instructor.yaml")["Deployment", "instructor"]
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    return container


class Kubernetes:
    """This machine, in which the manifests' programs and settings are what pods would have."""

    def __init__(self, place: Path, server: Any, scheduler: str) -> None:
        self.place, self.server = place, server
        self.course, self.secrets = place / "course", place / "secrets"
        self.exchange, self.state = place / "exchange", place / "state.json"
        for folder in (self.course, self.exchange, place / "bin", place / "checkout"):
            folder.mkdir()
        self.exchange.chmod(0o777)
        checkout = place / "checkout"
        (checkout / "deploy").symlink_to(ROOT / "deploy")
        shutil.copy(ROOT / "nbgrader_config.py", checkout)
        (checkout / "token").write_text("a-token\n")
        settings = self._settings()
        self._program("kubectl", KUBECTL.format(python=sys.executable))
        self._program("tini", '#!/bin/bash\nshift 2\nexec "$@"\n')
        for name in ("helm", "ngshare-course-management"):
            self._program(name, f'#!/bin/bash\necho {name} "$@" >>"{place}/called"\n')
        job = documents(KUBERNETES / "grade-job.yaml")["Job", "grade-attention"]
        (container,) = job["spec"]["template"]["spec"]["containers"]
        line = [
            {"attention": "ps1"}.get(word, scheduler if "://" in word else word)
            for word in (*container["command"], *container["args"])
        ]
        shared = {"GRADEBOOK_SECRET": str(self.secrets / "gradebook")}
        own = {v["name"]: v["value"] for v in instructors_pod()["env"] if "value" in v}
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PG")
        } | {
            "STATE": str(self.state),
            "PATH": os.pathsep.join(
                [
                    str(place / "bin"),
                    str(KUBERNETES / "images" / "programs"),
                    str(Path(sys.executable).parent),
                    os.environ["PATH"],
                ]
            ),
        }
        self.pods = {
            "instructor": {
                **own,
                **shared,
                "PGPASSFILE": str(place / "instructor-pgpass"),
                "JUPYTER_CONFIG_PATH": os.pathsep.join(
                    [str(settings / "instructor-settings"), str(settings / "grader-settings")]
                ),
            },
            "job": {
                **shared,
                "PGPASSFILE": str(place / "job-pgpass"),
                "JUPYTER_CONFIG_PATH": str(settings / "grader-settings"),
            },
        }
        self.state.write_text(
            json.dumps(
                {
                    "course": str(self.course),
                    "secrets": str(self.secrets),
                    "checkout": str(checkout),
                    "log": str(place / "job.log"),
                    "instructor": {"env": self.pods["instructor"]},
                    "job": {"env": self.pods["job"], "line": line},
                }
            )
        )

    def _program(self, name: str, text: str) -> None:
        path = self.place / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def _settings(self) -> Path:
        """The ConfigMaps, with this server's address and an exchange on disk in ngshare's place."""
        manifests = documents(KUBERNETES / "instructor.yaml")
        at_ngshare = re.compile(r"^(from ngshare_exchange .*|configureExchange\(.*)$", re.MULTILINE)
        for name in ("grader-settings", "instructor-settings"):
            folder = self.place / "etc" / name
            folder.mkdir(parents=True)
            text = manifests["ConfigMap", name]["data"]["nbgrader_config.py"]
            if name == "instructor-settings":
                text, count = at_ngshare.subn("", text)
                assert count == 2
                text += f"c.Exchange.root = {str(self.exchange)!r}\n"
            text = text.replace("@gradebook:5432", f"@127.0.0.1:{self.server.port}")
            (folder / "nbgrader_config.py").write_text(text)
        return self.place / "etc"

    def type_in(self, block: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=self.place / "checkout",
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def database_takes_its_password(self) -> None:
        """What the image of PostgreSQL does with its secret when it starts for the first time."""
        secret = self.secrets / "gradebook"
        self.server.run(f"ALTER ROLE {GRADER} PASSWORD '{(secret / 'password').read_text()}'")
        self.server.run(f"CREATE DATABASE gradebook OWNER {GRADER}")
        line = (secret / "pgpass").read_text()
        assert line.startswith("gradebook:5432:gradebook:grader:") and line.count("\n") == 1
        here = line.replace("gradebook:5432:", f"127.0.0.1:{self.server.port}:", 1)
        (secret / "pgpass").write_text(here)

    def hand_in(self, student: str, change: Any) -> None:
        released = self.exchange / "attention-course" / "outbound" / "ps1" / "p1.ipynb"
        notebook = nbformat.read(released, 4)
        for cell in notebook.cells:
            change(cell)
        stamp = "2026-01-11 12:00:00 UTC"
        folder = self.exchange / "attention-course" / "inbound" / f"{student}+ps1+{stamp}+0a1"
        folder.mkdir()
        nbformat.write(notebook, folder / "p1.ipynb")
        (folder / "timestamp.txt").write_text(stamp)
        (folder / "submission_secret.txt").write_text(f"{student}-secret")

    def formgrader(self, path: str) -> Any:
        """What the instructor's pod answers, started as the manifest starts it."""
        port = str(free_port())
        words = [word.replace("8888", port) for word in instructors_pod()["args"]]
        words = [word.replace("=/course", f"={self.course}") for word in words]
        environment = {**self.environment, **self.pods["instructor"], "JUPYTER_TOKEN": "known"}
        root = ["--allow-root"] if os.geteuid() == 0 else []
        with (self.place / "instructor.log").open("w") as log:
            server = subprocess.Popen(
                [*words, *root], cwd=self.course, env=environment, stdout=log, stderr=log
            )
        try:
            until = time.monotonic() + 90
            while True:
                try:
                    url = f"http://127.0.0.1:{port}/formgrader/api/{path}?token=known"
                    return json.load(urllib.request.urlopen(url, timeout=20))
                except OSError as error:
                    said = (self.place / "instructor.log").read_text()
                    assert time.monotonic() < until and server.poll() is None, f"{error}\n{said}"
                    time.sleep(0.3)
        finally:
            server.terminate()
            server.wait(60)


def test_from_the_first_command_to_exported_marks(
    make_server: Any, small_courses: Any, tmp_path: Path
) -> None:
    once, instructor, release, grade, forward, give_back = blocks()
    assert forward == "kubectl port-forward deploy/instructor 8888\n"
    with cluster(tmp_path / "dask", 0) as dask:
        place = tmp_path / "kubernetes"
        place.mkdir()
        here = Kubernetes(place, make_server(), dask.address)
        source = place / "checkout" / "source" / "ps1"
        source.mkdir(parents=True)
        nbformat.write(small_courses.master(), source / "p1.ipynb")
        here.type_in(once)
        here.database_takes_its_password()
        # The pod's start puts the password where the library reads it.
        instructor += "kubectl exec deploy/instructor -- with-gradebook true\n"
        here.type_in(instructor)
        assert (here.secrets / "instructor" / "token").read_text() == "a-token"
        here.type_in(release)

        def right(cell: Any) -> None:
            name = cell.metadata.nbgrader.grade_id
            cell.source = small_courses.RIGHT.get(name, cell.source)

        here.hand_in("student-01", right)
        here.hand_in("student-02", lambda cell: None)
        broken = here.exchange / "attention-course" / "inbound"
        here.hand_in("student-03", right)
        (path,) = broken.glob("student-03+*")
        (path / "p1.ipynb").write_text("no JSON")
        worker = add_worker(dask, KUBERNETES, tmp_path)
        said = here.type_in(grade)
        worker.terminate()
        worker.wait(30)
    assert "3 graded" in said and "student-03" in said
    assert "The lines above name what waits for a person." in said
    (assignment,) = here.formgrader("assignments")
    assert (assignment["name"], assignment["num_submissions"]) == ("ps1", 3)
    here.type_in(give_back)
    feedback = here.exchange / "attention-course" / "feedback"
    assert len(list(feedback.rglob("*.html"))) >= 2
    rows = (place / "checkout" / "canvas.csv").read_text().splitlines()
    assert any("student-01" in row for row in rows)
    assert not (here.course / "gradebook.db").exists()  # the marks are on the server
    everywhere = (here.course / "reports").rglob("*")
    password = (here.secrets / "gradebook" / "password").read_text()
    assert all(password not in p.read_text() for p in everywhere if p.is_file())
