"""``attention-course doctor``: what is installed, what is missing, how to mend it.

Each examination is one function that returns findings; it never raises for what it examines.
Another room adds its own by appending a function to ``EXAMINATIONS``.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from attention_course.commands.course_folder import (
    CourseFolder,
    Refusal,
    checkout,
    find_course_folder,
)
from attention_course.commands.pins import installed, pinned

NEEDED_TO_GRADE = (
    "ipython",
    "nbclient",
    "nbconvert",
    "nbformat",
    "nbgrader",
    "sqlalchemy",
    "torch",
)
LISTED_DIFFERENCES = 5
LOW_DISK, NO_DISK = 2 * 2**30, 200 * 2**20  # bytes
LAB_EXTENSION, LAB_FOLDER = "jupyterlab-attention", "labextensions"
OLLAMA_PATIENCE = 1.5  # seconds
PASSWORD_FILE = "take it out of the URL and put it into ~/.pgpass, as docs/hub.md says"


class State(Enum):
    GOOD = "good"
    OPTIONAL = "optional"  # something is missing that grading does without
    BROKEN = "broken"  # grading cannot work


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at, what was found, and what to do about it (nothing where it is good)."""

    what: str
    state: State
    found: str
    mend: str = ""


def good(what: str, found: str) -> Finding:
    return Finding(what, State.GOOD, found)


def optional(what: str, found: str, mend: str) -> Finding:
    return Finding(what, State.OPTIONAL, found, mend)


def broken(what: str, found: str, mend: str) -> Finding:
    return Finding(what, State.BROKEN, found, mend)


def course() -> CourseFolder | None:
    try:
        return find_course_folder()
    except Refusal:
        return None


def examine_python() -> Iterator[Finding]:
    yield good("Python", f"{platform.python_version()} at {sys.executable}")


def examine_packages() -> Iterator[Finding]:
    here = installed()
    missing = [name for name in NEEDED_TO_GRADE if name not in here]
    if missing:
        yield broken("packages", f"missing: {', '.join(missing)}", "make setup")
    else:
        needed = ", ".join(f"{name} {here[name]}" for name in ("torch", "nbgrader"))
        yield good("packages", f"all that grading needs; {needed}")
    try:
        constraints = checkout().root / "constraints.txt"
        pins = pinned(constraints.read_text(encoding="utf-8"))
    except (Refusal, OSError):
        yield optional("versions", "no constraints.txt to compare with", "run this in the checkout")
        return
    other = [f"{n} {here[n]} (pinned {v})" for n, v in pins.items() if n in here and here[n] != v]
    absent = [name for name in pins if name not in here]
    if not other and not absent:
        yield good("versions", f"all {len(pins)} as pinned in constraints.txt")
        return
    said = [*other, *(f"{name} not installed" for name in absent)]
    more = len(said) - LISTED_DIFFERENCES
    listed = "; ".join(said[:LISTED_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "")
    yield optional("versions", listed, "make setup brings the tested versions")


def examine_course() -> Iterator[Finding]:
    folder = course()
    if folder is None:
        yield broken(
            "course folder",
            f"{Path.cwd()} is not in one",
            "change to the folder with nbgrader_config.py and source/",
        )
        return
    names = folder.assignments()
    if names:
        yield good("course folder", f"{folder.root}: {', '.join(names)}")
    else:
        yield broken("course folder", f"{folder.root}/source is empty", "put an assignment there")
    yield from _examine_configuration(folder)


def _examine_configuration(folder: CourseFolder) -> Iterator[Finding]:
    from attention_course.commands.report import loaded_configuration

    try:
        config = loaded_configuration(folder)
    except Refusal as refusal:
        yield broken("nbgrader_config.py", str(refusal), "mend it; the last words say where")
        return
    classes = config.get("Autograde", {}).get("autograde_preprocessors", [])
    names = [str(getattr(entry, "__name__", entry)).rpartition(".")[2] for entry in classes]
    if "TrustedExecute" in names:
        yield good("nbgrader_config.py", "tests run in the grader's process, answers apart")
    else:
        yield optional(
            "nbgrader_config.py",
            "tests run in the student's kernel, where answers can forge marks",
            "take Autograde's preprocessors from the course's own nbgrader_config.py",
        )
    yield from _examine_gradebook(folder)


def _examine_gradebook(folder: CourseFolder) -> Iterator[Finding]:
    from attention_course.commands.gradebook import look_at

    standing = look_at(folder)
    if standing.mend:
        yield broken("gradebook", standing.found, standing.mend)
    else:
        yield good("gradebook", standing.found)
    if standing.advice:
        yield optional("  its password", standing.advice, PASSWORD_FILE)


def examine_kernel() -> Iterator[Finding]:
    try:
        from jupyter_client.kernelspec import KernelSpecManager

        specs = KernelSpecManager().find_kernel_specs()
    except ImportError:
        specs = {}
    if "python3" in specs:
        yield good("kernel python3", specs["python3"])
    else:
        yield broken(
            "kernel python3",
            f"not found; there is {', '.join(sorted(specs)) or 'none'}",
            "python -m ipykernel install --sys-prefix",
        )


def examine_isolation() -> Iterator[Finding]:
    from attention_course.grading.sandbox import PROTECTIONS, layers, level_here, refusal

    level = level_here()
    reason = refusal("auto")
    kept = ", ".join(name for name in PROTECTIONS if name in level.protects) or "nothing"
    found = f"{level.name}: protects {kept}"
    mend = "apt-get install bubblewrap, on Linux"
    if reason is not None:
        use = f"{mend}; or c.TrustedExecute.required = [] to grade unprotected"
        yield broken("isolation", f"{found} ({level.because})", use)
    elif level.because is not None:
        yield optional("isolation", f"{found} ({level.because})", mend)
    else:
        yield good("isolation", found)
    for layer in layers():
        what = f"  {layer.name}"
        if layer.missing is None:
            yield good(what, layer.gives)
        else:
            yield optional(what, layer.missing, layer.mend)


def examine_browser() -> Iterator[Finding]:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found:
        yield good("Chromium", found)
    else:
        use = "not found; used for browser tests"
        yield optional("Chromium", use, "apt-get install chromium")


def examine_lab() -> Iterator[Finding]:
    what, mend = "lab panels", "make setup; the lesson works without them"
    try:
        from jupyter_core.paths import jupyter_path

        paths = [Path(folder, LAB_EXTENSION, "package.json") for folder in jupyter_path(LAB_FOLDER)]
    except ImportError:
        yield optional(what, "Jupyter is not installed", mend)
        return
    found = next((path for path in paths if path.exists()), None)
    if found is None:
        yield optional(what, f"{LAB_EXTENSION} is not installed", mend)
    else:
        version = json.loads(found.read_text(encoding="utf-8"))["version"]
        yield good(what, f"{LAB_EXTENSION} {version} at {found.parent}")


def examine_ollama() -> Iterator[Finding]:
    from urllib.parse import urlsplit

    host = os.environ.get("OLLAMA_HOST", "").strip() or "127.0.0.1:11434"
    url = host if "://" in host else f"http://{host}"
    mend = "start Ollama, or set OLLAMA_HOST; without it only the code review waits"
    try:
        import httpx

        address = urlsplit(url)
        base = url if address.port or address.scheme == "https" else f"{url}:11434"
        # No proxy from the environment: the server is on this machine or this network.
        with httpx.Client(trust_env=False, timeout=OLLAMA_PATIENCE) as client:
            version = client.get(base.rstrip("/") + "/api/version").json()["version"]
    except Exception as error:  # whatever answers there may answer anything
        yield optional("Ollama", f"{url} does not answer ({type(error).__name__})", mend)
        return
    yield good("Ollama", f"{url}, version {version}")


def examine_disk() -> Iterator[Finding]:
    free = shutil.disk_usage(Path.cwd()).free
    found = f"{free / 2**30:.1f} GB free"
    mend = "make room: autograded notebooks and feedback need some MB for each student"
    if free < NO_DISK:
        yield broken("disk", found, mend)
    elif free < LOW_DISK:
        yield optional("disk", found, mend)
    else:
        yield good("disk", found)


EXAMINATIONS: list[Callable[[], Iterator[Finding]]] = [
    examine_python,
    examine_packages,
    examine_course,
    examine_kernel,
    examine_isolation,
    examine_lab,
    examine_browser,
    examine_ollama,
    examine_disk,
]
# A machine that only grades gets submissions as data: no course folder, no gradebook, no browser.
OF_A_WORKER: list[Callable[[], Iterator[Finding]]] = [
    examine_python,
    examine_packages,
    examine_isolation,
    examine_disk,
]


def examine(examinations: Sequence[Callable[[], Iterator[Finding]]] | None = None) -> list[Finding]:
    """Every finding; an examination that itself fails is a finding too."""
    findings: list[Finding] = []
    for examination in EXAMINATIONS if examinations is None else examinations:
        try:
            findings += examination()
        except Exception as error:
            what = examination.__name__.removeprefix("examine_")
            findings.append(
                optional(what, f"could not be examined: {error}", "report this with its message")
            )
    return findings


def show(findings: list[Finding]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from attention_course.commands.terminal import console as open_console

    words = {
        State.GOOD: "[green]good[/]",
        State.OPTIONAL: "[yellow]can wait[/]",
        State.BROKEN: "[red]mend[/]",
    }
    table = Table(title=f"attention-course {importlib.metadata.version('attention-course')}")
    for heading in ("what", "state", "found", "how to mend it"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        table.add_row(
            finding.what, words[finding.state], escape(finding.found), escape(finding.mend)
        )
    console = open_console()
    console.print(table)
    count = sum(finding.state is State.BROKEN for finding in findings)
    if count:
        console.print(f"Grading cannot work yet: {count} thing{'s'[: count > 1]} to mend.")
    else:
        console.print("Grading can work.")


def register(app: typer.Typer) -> None:
    @app.command()
    def doctor(
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON data.")] = False,
        worker: Annotated[
            bool,
            typer.Option(
                "--worker", help="Look only at what a machine that grades for others needs."
            ),
        ] = False,
    ) -> None:
        """Say what is installed, what is missing and how to mend it.

        Ends with exit code 1 only where grading cannot work.
        """
        findings = examine(OF_A_WORKER if worker else None)
        if as_json:
            records = [asdict(finding) | {"state": finding.state.value} for finding in findings]
            print(json.dumps(records, indent=2, ensure_ascii=False))
        else:
            show(findings)
        if any(finding.state is State.BROKEN for finding in findings):
            raise typer.Exit(1)
