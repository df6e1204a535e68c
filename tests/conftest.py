"""What every room's tests share: where the checkout is, a course folder, a home of its own."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Before torch is loaded anywhere: several workers share few cores, and one thread is repeatable.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

# A shell's background job ignores Ctrl-C, and so would all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).resolve().parents[1]
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NEEDS_NETWORK = "ATTENTION_COURSE_NETWORK"
# A real Ollama server of the user's is for the one test that asks for it.
NOBODY_LISTENS = "127.0.0.1:9"
USERS_OLLAMA = os.environ.get("OLLAMA_HOST", "")


# What takes longest begins first, so that no worker is left alone with it at the end: all files
# that take more than twenty seconds, in the order of what they took.
FIRST = (
    "grading/batch/test_cluster.py",
    "postgres/test_equal_gradebooks.py",
    "browser/test_kernels_and_pages.py",
    "checks/test_any_seed.py",
    "hub/test_class_journey.py",
    "lesson/test_running_notebooks.py",
    "grading/batch/test_equality.py",
    "grading/test_conformance.py",
    "model/test_hub_downloads.py",
    "grading/test_ordinary_user.py",
    "grading/batch/test_cluster_goings.py",
    "postgres/test_course_on_kubernetes.py",
    "grading/batch/test_command.py",
    "grading/batch/test_launcher.py",
    "grading/test_sandbox_contract.py",
    "grading/batch/test_afresh.py",
    "attacks/test_wire_frames.py",
    "project/test_documents.py",
    "review/test_in_nbgrader.py",
    "review/test_in_grade.py",
    "hub/test_rights.py",
    "benchmarks/test_miniature.py",
    "cli/test_demo.py",
    "postgres/test_lost_server.py",
    "browser/test_journey.py",
    "grading/batch/test_pool.py",
    "grading/test_autograde_command.py",
    "browser/test_beside_others.py",
    "attacks/test_exhausting.py",
    "grading/test_stopped_code.py",
    "views/test_view_in_browser.py",
    "postgres/test_commands_on_a_server.py",
    "review/test_review_command.py",
    "review/test_killed.py",
)
ORDER = {name: place for place, name in enumerate(FIRST)}


def _turn(item: pytest.Item) -> int:
    return ORDER.get(item.path.relative_to(REPOSITORY / "tests").as_posix(), len(FIRST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_turn)
    for item in items:
        if item.get_closest_marker("network") and os.environ.get(NEEDS_NETWORK) != "1":
            item.add_marker(
                pytest.mark.skip(reason=f"needs a network; {NEEDS_NETWORK}=1 asks for it")
            )


@pytest.fixture(scope="session")
def repository_root() -> Path:
    """The checkout under test."""
    return REPOSITORY


@pytest.fixture(scope="session", autouse=True)
def _single_threaded_torch() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _home_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the user's Jupyter or IPython configuration and data."""
    home = tmp_path_factory.mktemp("home")
    patch = pytest.MonkeyPatch()
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        folder = home / name.lower()
        folder.mkdir(mode=0o700)
        patch.setenv(name, str(folder))
    patch.setenv("HOME", str(home))
    # nbgrader calls alembic by name; the environment may not be activated.
    patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    patch.setenv("OLLAMA_HOST", NOBODY_LISTENS)
    patch.setenv("ATTENTION_COURSE_USERS_OLLAMA", USERS_OLLAMA)
    for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "NBGRADER_EXECUTION"):
        patch.delenv(name, raising=False)
    yield
    patch.undo()


@pytest.fixture
def temp_course(tmp_path: Path) -> Path:
    """A course folder of the test's own, with our nbgrader_config.py and source notebooks."""
    folder = tmp_path / "course"
    folder.mkdir()
    shutil.copy2(REPOSITORY / "nbgrader_config.py", folder)
    shutil.copytree(REPOSITORY / "source", folder / "source")
    return folder


@pytest.fixture(scope="module", autouse=True)
def _no_shell_is_left() -> Iterator[None]:
    """The shell that a file's tests started in this process shows nothing of the next file's."""
    yield
    shells = sys.modules.get("IPython.core.interactiveshell")
    trusted = sys.modules.get("attention_course.grading.trusted")
    if trusted is not None:
        trusted._shell.cache_clear()
    if shells is not None:
        shells.InteractiveShell.clear_instance()


@pytest.fixture(scope="session")
def chromium_program() -> str:
    """Where Chromium is; what needs one is skipped where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("NO BROWSER: install Chromium (Debian: apt-get install chromium)")
    return path


@pytest.fixture(scope="module")
def chromium(chromium_program: str) -> Iterator[Any]:
    """A browser for the tests of one file.

    Not for longer: while Playwright is started, its thread counts as inside an event loop, and
    the tests of another file could neither start one nor run a loop of their own.
    """
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=chromium_program, args=list(CHROMIUM_FLAGS)
        )
        yield browser
        browser.close()
