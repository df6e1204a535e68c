"""JupyterLab and Notebook 7 in Chromium, on a copy of the released lesson.

``ATTENTION_COURSE_SCREENSHOTS`` names a folder that keeps the screenshots; without it they go
to pytest's own temporary folder.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_core.paths import jupyter_path

REPOSITORY = Path(__file__).resolve().parents[2]
EXTENSION = "jupyterlab-attention"
ASSETS = REPOSITORY / "jupyterlab_ext" / "jupyterlab_attention" / "labextension"
SCREENSHOTS = "ATTENTION_COURSE_SCREENSHOTS"
# Notebook 7 raises these by itself, with no extension but its own.
NOT_OURS = re.compile(r"reading 'schema'|Command 'filebrowser:open-path' not registered")
NEXT_HINT = re.compile("^Open .*hint")
SECONDS = 60_000  # how long a page may take, in milliseconds, before a test says what it waits for
DRIVER = Path(__file__).with_name("driver.js")


@dataclass
class Server:
    """A running Jupyter server on a folder of its own."""

    url: str
    token: str
    folder: Path
    log: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    def page(self, path: str) -> str:
        return f"{self.url}{path}?token={self.token}"

    def get(self, path: str) -> Any:
        request = urllib.request.Request(
            f"{self.url}{path}", headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def settings_of_make_lab() -> list[str]:
    """What ``make lab`` gives to JupyterLab, but for the folder: the tests have a copy."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = re.findall(r"jupyter lab (--.*)", makefile)
    return [word for word in line.split() if "notebook-dir" not in word and "$(" not in word]


@contextmanager
def server(
    home: Path, *, with_extension: bool = True, labextensions: Path | None = None
) -> Iterator[Server]:
    """JupyterLab, which serves Notebook 7's pages too, with a home and settings of its own.

    ``labextensions`` holds further extensions to load.
    """
    folder = home / "release"
    shutil.copytree(REPOSITORY / "release", folder)
    environment = _environment(home)
    _write(
        home
        / "settings"
        / "@jupyterlab"
        / "apputils-extension"
        / "notification.jupyterlab-settings",
        {"fetchNews": "false", "checkForUpdates": False},
    )
    extensions = home / "labextensions"
    extensions.mkdir()
    places = [str(place) for place in (extensions, labextensions) if place]
    if with_extension:
        # The checkout's own assets, whatever is installed.
        (extensions / EXTENSION).symlink_to(ASSETS)
    else:
        disabled = {"disabledExtensions": {EXTENSION: True}}
        _write(home / "config" / "labconfig" / "page_config.json", disabled)
    port, token, log = _free_port(), secrets.token_hex(16), home / "server.log"
    command = [sys.executable, "-m", "jupyter", "lab", *settings_of_make_lab()]
    command += [
        "--no-browser",
        "--allow-root",
        f"--ServerApp.root_dir={folder}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}",
        *(f"--LabApp.extra_labextensions_path={place}" for place in places),
        *(f"--JupyterNotebookApp.extra_labextensions_path={place}" for place in places),
        "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True",
    ]
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, cwd=home, stdout=file, stderr=file)
    started = Server(f"http://127.0.0.1:{port}", token, folder, log, process)
    try:
        _wait_until_it_answers(started)
        yield started
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(home: Path) -> dict[str, str]:
    folders = {
        "HOME": home,
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "IPYTHONDIR": home / "ipython",
    }
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return {**os.environ, **threads, **{name: str(folder) for name, folder in folders.items()}}


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _wait_until_it_answers(started: Server) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and started.process.poll() is None:
        try:
            started.get("/api/status")
            return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start:\n{started.log.read_text()[-4000:]}")


@dataclass
class Window:
    """One browser page with a notebook in it, driven through the application's own commands."""

    page: Any
    server: Server
    pictures: Path
    name: str = ""
    problems: list[str] = field(default_factory=list)

    def open_lab(self, path: str = "attention/lesson.ipynb") -> Window:
        # Without the tabs that an earlier test has left in the workspace.
        return self._open(f"/lab/tree/{path}", path, "&reset")

    def open_notebook_7(self, path: str = "attention/lesson.ipynb") -> Window:
        return self._open(f"/notebooks/{path}", path)

    def _open(self, url: str, path: str, options: str = "") -> Window:
        self.page.goto(self.server.page(url) + options)
        return self.wait_for_notebook(path)

    def wait_for_notebook(self, path: str) -> Window:
        self.page.wait_for_function("() => window.course && window.jupyterapp")
        self.page.evaluate("path => course.ready(path)", path)
        return self

    def run(self, *cells: str, path: str | None = None) -> None:
        """Run cells, by their ids, one after the other, each to its end."""
        for cell in cells:
            self.page.evaluate("([cell, path]) => course.run(cell, path)", [cell, path])

    def write(self, cell: str, source: str, path: str | None = None) -> None:
        self.page.evaluate("all => course.write(...all)", [cell, source, path])

    def look_at(self, cell: str, path: str | None = None) -> None:
        """Put the cursor into a cell."""
        self.page.evaluate("all => course.lookAt(...all)", [cell, path])

    def command(self, name: str, **arguments: Any) -> Any:
        return self.page.evaluate(
            "([name, all]) => jupyterapp.commands.execute(name, all).then(() => null)",
            [name, arguments],
        )

    def wait(self, condition: str, argument: Any = None) -> None:
        """Wait until a JavaScript condition holds."""
        self.page.wait_for_function(condition, arg=argument, timeout=SECONDS)

    def picture(self, name: str) -> None:
        self.page.screenshot(path=str(self.pictures / f"{name}.png"))

    # --- the panels ---

    def painted(self) -> int:
        """One number for all that the Attention panel's canvases show; 0 for nothing."""
        return int(self.page.evaluate("() => course.paintedNow()"))

    def wait_for_picture(self, exercise: str) -> None:
        self.wait("name => course.shown() === name && course.paintedNow() !== 0", exercise)

    def wait_for_other_picture(self, before: int) -> None:
        self.wait("before => ![0, before].includes(course.paintedNow())", before)

    def wait_for_no_picture(self) -> None:
        self.wait("() => course.paintedNow() === 0")

    def wait_for_outcome(self, exercise: str, outcome: str) -> None:
        self.wait("([name, outcome]) => course.outcome(name) === outcome", [exercise, outcome])

    def wait_for_exercise(self, exercise: str) -> None:
        """Wait until the Hints panel is about an exercise."""
        self.wait("name => course.hintsFor() === name", exercise)

    def wait_for_tier(self, tier: int) -> None:
        self.wait("tier => course.tiersOpen() === tier", tier)

    def wait_for_hint(self, text: str) -> None:
        """Wait for a hint's words; backticks became code, so they are left out."""
        self.wait("text => course.hintsText().includes(text)", text.replace("`", ""))

    def wait_for_summary(self, text: str) -> None:
        """Wait for the sentence that says how a picture compares with the reference."""
        self.page.locator(".jp-attention-status", has_text=text).wait_for()

    def open_next_hint(self) -> None:
        self.page.locator("#jp-attention-hints").get_by_role("button", name=NEXT_HINT).click()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something outside the page, such as a file."""
        deadline = time.monotonic() + SECONDS / 1000
        while not condition():
            assert time.monotonic() < deadline, "waited a minute in vain"
            self.page.wait_for_timeout(50)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chosen = os.environ.get(SCREENSHOTS)
    folder = Path(chosen) if chosen else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def lab_server() -> Callable[..., Any]:
    """To start a server of one's own."""
    return server


@pytest.fixture(scope="session")
def extension() -> None:
    """Skip, and say so, where there is no built extension to look at."""
    if (ASSETS / "package.json").exists():
        return
    places = [Path(place) / EXTENSION for place in jupyter_path("labextensions")]
    installed = next((place for place in places if place.exists()), None)
    pytest.skip(
        f"NO LAB EXTENSION: {ASSETS.relative_to(REPOSITORY)} is not built"
        + (f" (installed: {installed}); the tests look at the checkout's own" if installed else "")
    )


@pytest.fixture(scope="session")
def lab(
    extension: None, chromium_program: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One server for all tests; each test has notebooks of its own on it."""
    with server(tmp_path_factory.mktemp("lab")) as started:
        yield started


@contextmanager
def windows(chromium: Any, pictures: Path, name: str) -> Iterator[Callable[..., Window]]:
    """Open browser windows on a server; a page error in any of them is an error of the test."""
    opened: list[tuple[Any, Window]] = []
    others: dict[str, set[str]] = {}  # kernels of other windows, by server

    def new(on: Server, name: str = "", **options: Any) -> Window:
        others.setdefault(on.url, {each["id"] for each in on.get("/api/sessions")})
        size = {"width": 1500, "height": 1300}
        context = chromium.new_context(**{"viewport": size, **options})
        context.add_init_script(path=str(DRIVER))
        page = context.new_page()
        page.set_default_timeout(SECONDS)
        made = Window(page, on, pictures, name)
        page.on("pageerror", lambda error: made.problems.append(f"{error}\n{error.stack or ''}"))
        page.on(
            "request",
            lambda asked: (
                asked.url.startswith(("http:", "https:"))
                and not asked.url.startswith(on.url)
                and made.problems.append(f"asked the network for {asked.url}")
            ),
        )
        opened.append((context, made))
        return made

    yield new
    for number, (context, made) in enumerate(opened):
        if not made.page.is_closed():
            made.picture(f"{name}-{number}" if number else name)
        context.close()
    for on in {id(made.server): made.server for _, made in opened}.values():
        end_kernels(on, others[on.url])
    for _, made in opened:
        ours = [problem for problem in made.problems if not NOT_OURS.search(problem)]
        assert ours == [], "the page raised errors"


def _words(request: pytest.FixtureRequest) -> str:
    return re.sub(r"\W+", "-", request.node.name.removesuffix(".py"))[:60]


@pytest.fixture
def window(
    chromium: Any, pictures: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Window]]:
    """Browser windows of one test."""
    with windows(chromium, pictures, _words(request)) as new:
        yield new


@pytest.fixture(scope="module")
def shared_window(
    lab: Server, chromium: Any, pictures: Path, request: pytest.FixtureRequest
) -> Iterator[Window]:
    """One JupyterLab window on one lesson for the tests of a module that leave it in order."""
    with windows(chromium, pictures, _words(request)) as new:
        yield new(lab).open_lab(_copy_of_the_lesson(lab, _words(request)))


def end_kernels(on: Server, others: Container[str] = ()) -> None:
    """End the server's kernels, but for other windows' sessions."""
    for session in on.get("/api/sessions"):
        if session["id"] in others:
            continue
        request = urllib.request.Request(
            f"{on.url}/api/sessions/{session['id']}",
            method="DELETE",
            headers={"Authorization": f"token {on.token}"},
        )
        with suppress(urllib.error.HTTPError):  # gone with the kernel it shared with another
            urllib.request.urlopen(request, timeout=20).close()


@pytest.fixture
def lesson(lab: Server, request: pytest.FixtureRequest) -> str:
    """A copy of the lesson for one test, in an assignment folder of its own; its path."""
    return _copy_of_the_lesson(lab, _words(request))


def _copy_of_the_lesson(on: Server, folder: str) -> str:
    shutil.copytree(REPOSITORY / "release" / "attention", on.folder / folder / "attention")
    return f"{folder}/attention/lesson.ipynb"
