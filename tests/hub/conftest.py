"""A real hub with real accounts, as ``make hub`` starts it; each test file has one of its own."""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy" / "jupyterhub"
PROXY = DEPLOY / "node_modules" / ".bin" / "configurable-http-proxy"
# Where `make hub` finds its programs, and the tests each other's.
sys.path[:0] = [str(DEPLOY), str(Path(__file__).parent)]


def why_no_hub() -> str | None:
    """Why no hub can run here; None where it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "NO HUB: not root, and a hub starts each user's server as that user (sudo make test)"
    for program in ("useradd", "nsenter", "setpriv", "node", "npm"):
        if shutil.which(program) is None:
            return f"NO HUB: {program} was not found"
    return None


@dataclass(frozen=True)
class Done:
    code: int
    words: str


class Hub:
    """What a running demonstration says of itself, and its users' hands."""

    def __init__(
        self, state: dict[str, Any], process: subprocess.Popen[bytes], words: Path
    ) -> None:
        self.process, self._words = process, words
        self.url: str = state["url"]
        self.password: str = state["password"]
        self.instructor: str = state["instructor"]
        self.students: list[str] = state["students"]
        self.folder = Path(state["folder"])
        self.course = Path(state["course"])
        self.log = Path(state["log"])
        self.hub_pid: int = state["hub"]

    @property
    def exchange(self) -> Path:
        return self.folder / "exchange" / "attention-course"

    def words(self) -> str:
        """What ``make hub`` has printed."""
        return self._words.read_text()

    def home(self, user: str) -> Path:
        return self.folder / "home" / user

    def sockets(self, user: str) -> Path:
        """Where a user's kernels listen."""
        root = tomllib.loads((self.folder / "hub.toml").read_text())["hub"]["sockets"]
        return Path(root) / str(pwd.getpwnam(user).pw_uid)

    def run(self, user: str, command: Sequence[str] | str, folder: Path | None = None) -> Done:
        """Run a command in the hub's view of the disk, with a user's rights and no more.

        A string is a Python program; a list that begins with nbgrader is run as in a terminal
        of the user's server.
        """
        role = "instructor" if user == self.instructor else "student"
        configuration = DEPLOY / "configuration"
        variables = {
            "HOME": str(self.home(user)),
            "USER": user,
            "LANG": "C.UTF-8",
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "JUPYTER_CONFIG_PATH": f"{configuration / role}:{configuration / 'everyone'}",
            "JUPYTER_RUNTIME_DIR": str(self.sockets(user)),
            "ATTENTION_HUB_COURSE": "attention-course",
            "ATTENTION_HUB_EXCHANGE": str(self.folder / "exchange"),
            "OMP_NUM_THREADS": "1",
        }
        if isinstance(command, str):
            command = [sys.executable, "-c", command]
        elif command[0] == "nbgrader":
            command = [sys.executable, "-m", *command]
        account = pwd.getpwnam(user)
        enter = ["nsenter", "--target", str(self.hub_pid), "--mount"]
        enter.append(f"--wd={folder or self.home(user)}")
        become = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}"]
        done = subprocess.run(
            [*enter, "--", *become, "--init-groups", "--", *command],
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        return Done(done.returncode, done.stdout + done.stderr)

    def expect(self, user: str, command: Sequence[str] | str, folder: Path | None = None) -> str:
        done = self.run(user, command, folder)
        assert done.code == 0, f"{user}: {command}\n{done.words[-4000:]}"
        return done.words


@contextmanager
def running_hub(*arguments: str, ready_folder: Path) -> Iterator[Hub]:
    """A demonstration with names that no other run has; gone afterwards."""
    if not PROXY.exists() and shutil.which("configurable-http-proxy") is None:
        command = ["npm", "ci", "--prefix", str(DEPLOY), "--omit=dev", "--silent"]
        installed = subprocess.run(command, capture_output=True, text=True, check=False)
        if installed.returncode != 0:
            pytest.skip(f"NO HUB: configurable-http-proxy is missing: {installed.stderr[-300:]}")
    ready = ready_folder / "ready.json"
    words = ready_folder / "words.txt"
    prefix = f"attention-{secrets.token_hex(2)}-"
    command = [sys.executable, "-m", "attention_hub", "--prefix", prefix, "--ready", str(ready)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "PYTEST"))}
    with words.open("wb") as output:
        process = subprocess.Popen(
            [*command, *arguments],
            cwd=REPOSITORY,
            env={**environment, "PYTHONPATH": str(DEPLOY), "HOME": "/"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 120
        while not ready.exists():
            assert process.poll() is None, words.read_text()
            assert time.monotonic() < deadline, words.read_text()
            time.sleep(0.05)
        yield Hub(json.loads(ready.read_text()), process, words)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def _needs_a_hub() -> None:
    reason = why_no_hub()
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture(scope="module")
def hub(_needs_a_hub: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub on which the lesson is released."""
    with running_hub(ready_folder=tmp_path_factory.mktemp("hub")) as started:
        yield started


@pytest.fixture(scope="module")
def empty_hub(_needs_a_hub: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub on which nothing is released, whose pages a test may drive from inside."""
    argument = "--server-argument=--LabApp.expose_app_in_browser=True"
    folder = tmp_path_factory.mktemp("hub")
    with running_hub("--unreleased", argument, ready_folder=folder) as started:
        yield started
