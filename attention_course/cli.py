"""The command line: ``attention-course``.

Each module of :mod:`attention_course.commands` that has a function ``register`` adds its own
command, so that a new command is one new file there and nothing here.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import sys
from typing import TYPE_CHECKING

from attention_course import commands
from attention_course.commands.course_folder import (
    Refusal,
    find_course_folder,
    looks_ungraded,
    path_with_own_programs,
)

if TYPE_CHECKING:
    import typer


def build() -> typer.Typer:
    """The application with every command found in ``attention_course/commands``."""
    import typer

    app = typer.Typer(
        name="attention-course",
        help="Teach and grade transformer attention: demonstrate, examine and report.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(lambda: None)  # keeps the commands' names even while there is only one
    for found in sorted(pkgutil.iter_modules(commands.__path__), key=lambda module: module.name):
        module = importlib.import_module(f"{commands.__name__}.{found.name}")
        if hasattr(module, "register"):
            module.register(app)
    return app


def main() -> None:
    """Run one command; what it refuses to do is said in one line and ends with exit code 2."""
    if hasattr(signal, "SIGCHLD") and signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # else nobody is told how a process ended
    path = path_with_own_programs()
    _begin_afresh(path)
    os.environ["PATH"] = path
    try:
        build()()
    except Refusal as refusal:
        print(f"attention-course: {refusal}", file=sys.stderr)
        raise SystemExit(2) from None


def _begin_afresh(path: str) -> None:
    """Where the command is to grade on this machine, replace this process by a fresh one."""
    command, *words = sys.argv[1:] or [""]
    if command != "grade" or any(word.startswith(("--help", "--scheduler")) for word in words):
        return
    try:
        folder = find_course_folder().root
    except Refusal:
        return  # it will be said in a moment
    from attention_course.grading.batch.afresh import begin_afresh

    names = [word for word in words if not word.startswith("-")]
    begin_afresh(path, work="--force" in words or looks_ungraded(folder, names))


if __name__ == "__main__":
    main()
