"""The command line: ``attention-course``.

Each module of :mod:`attention_course.commands` that has a function ``register`` adds its own
command, so that a new command is one new file there and nothing here.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys

import typer

from attention_course import commands
from attention_course.commands.course_folder import Refusal, path_with_own_programs


def build() -> typer.Typer:
    """The application with every command found in ``attention_course/commands``."""
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
    os.environ["PATH"] = path_with_own_programs()
    try:
        build()()
    except Refusal as refusal:
        print(f"attention-course: {refusal}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
