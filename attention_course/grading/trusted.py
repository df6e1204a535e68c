"""Runs the instructor's cells and the graded cells here, in the grader's process.

Their globals are a dictionary that asks the student's process for each name that neither they
nor the interpreter define. So ordinary test cells work as written: ``assert square(3) == 9``
calls the student's function over the wall and compares the copy that comes back. The score is
decided, and the cell's outputs are written, on this side.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import linecache
import math
import os
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from attention_course.grading.names import STUDENT_IMPORT, plain_python, with_student_imports
from attention_course.grading.outputs import writable
from attention_course.grading.remote import Wall
from attention_course.grading.sandbox.outputs import (
    CollectingPublisher,
    Outputs,
    StreamToOutputs,
    notebook_shell,
)
from attention_course.grading.stand_ins import StandIn, isinstance_of
from attention_course.verdict import Ungradable


class TrustedNamespace(dict[str, Any]):
    """Globals of the trusted cells; a missing name is looked up in the student's process.

    ``theirs`` are names that the student is asked to define: these are looked up over there
    even where an interpreter's builtin has the same name. ``ours`` are names that the
    instructor's cells bind: these are never looked up over there, for a student could then
    bring a ``check`` of their own. ``failed`` says why one of ours is missing.
    """

    def __init__(self, wall: Callable[[], Wall]) -> None:
        super().__init__(__name__="__main__", __builtins__=builtins)
        self._wall = wall
        self.theirs: frozenset[str] = frozenset()
        self.ours: frozenset[str] = frozenset()
        self.failed: dict[str, str] = {}
        self._unbound: set[str] = set()
        self[STUDENT_IMPORT] = self._import

    def __missing__(self, name: str) -> Any:
        if name not in self.theirs and (hasattr(builtins, name) or name.startswith("__")):
            raise KeyError(name)
        if name in self.ours and name not in self.theirs:
            if name in self.failed:
                raise Ungradable(self.failed[name])
            raise NameError(f"name {name!r} is not defined (the cell that defines it failed)")
        try:
            return self._wall().ask("lookup", name=name)
        except NameError as error:
            if name not in self.theirs:
                raise
            text = f"{name} is not defined: its cell is missing, was not finished or has an error"
            raise NameError(text) from error

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self._unbound and isinstance_of(value, StandIn):
            wall = self._wall()
            data, chunks = wall.encode(value)
            wall.ask("bind", chunks, name=name, value=data)
            self._unbound.discard(name)
            return
        super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        if name in self:
            super().__delitem__(name)
            return
        if name in self.ours and name not in self.theirs:
            raise NameError(f"name {name!r} is not defined")
        # A test that checks whether one function uses another takes it away for a while.
        self._wall().ask("unbind", name=name)
        self._unbound.add(name)

    def _import(self, module: str, name: str | None) -> Any:
        return self._wall().ask("import", module=module, name=name)


@dataclass
class TrustedResult:
    """What one trusted cell left behind."""

    outputs: list[dict[str, Any]] = field(default_factory=list)
    error: BaseException | None = None
    ungraded: str | None = None


def run_trusted_cell(
    source: str,
    namespace: TrustedNamespace,
    name: str,
    outputs: Outputs,
    folder: Path | None = None,
    helpers: Path | None = None,
    student_files: frozenset[str] = frozenset(),
) -> TrustedResult:
    """Run one cell; its last expression becomes its result, as in a notebook.

    ``folder`` is its working folder. Modules in ``helpers`` (the instructor's own, beside the
    master notebook) may be imported, except those in ``student_files``, which are the
    student's to write and are asked for in the student's process.
    """
    result = TrustedResult()
    filename = f"<{name}>"
    ours = _importable(student_files)
    with _capture(outputs), _working_folder(folder, helpers):
        try:
            text = plain_python(source)
            linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
            body, last = _compile(text, filename, ours)
            exec(body, namespace)
            if last is not None:
                _show(eval(last, namespace), outputs)
        except Ungradable as error:
            result.ungraded = str(error)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            result.error = error
            if isinstance(error, ImportError) and not hasattr(error, "student_name"):
                result.ungraded = f"the test could not be run here ({_message(error)})"
            outputs.error(type(error).__name__, _message(error), _lines(error, filename))
    result.outputs = [_as_nbformat(item) for item in outputs.take()]
    return result


def _compile(text: str, filename: str, ours: Callable[[str], bool]) -> tuple[Any, Any]:
    tree = with_student_imports(ast.parse(text, filename), ours)
    last = None
    # As in a notebook, a semicolon at the end keeps the result to itself.
    quiet = text.rstrip().endswith(";")
    if tree.body and isinstance(tree.body[-1], ast.Expr) and not quiet:
        expression = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
        last = compile(expression, filename, "eval")
    return compile(tree, filename, "exec"), last


def _show(value: Any, outputs: Outputs) -> None:
    if value is None:
        return
    if isinstance_of(value, StandIn):
        # Its own repr could be a number, which nbgrader would read as a score.
        outputs.show("execute_result", {"text/plain": repr(value)}, {})
        return
    number = _plain_number(value)
    if number is not None:
        outputs.show("execute_result", {"text/plain": repr(number)}, {})
        return
    formatter: Any = _shell().display_formatter
    data, metadata = formatter.format(value)
    outputs.show("execute_result", data, metadata)


def _plain_number(value: Any) -> int | float | None:
    """A score as a plain number: ``tensor(0.5)`` and ``np.float64(0.5)`` count as 0.5."""
    if type(value) in (int, float):
        return value
    module = type(value).__module__.split(".")[0]
    if module in ("torch", "numpy") and getattr(value, "ndim", 1) == 0:
        item = value.item()
        return item if type(item) in (int, float) else None
    return None


def score_of(outputs: list[dict[str, Any]], max_points: float) -> str | None:
    """Why a number that a test returned cannot be its score; None where all is well."""
    for output in outputs:
        if output["output_type"] != "execute_result":
            continue
        try:
            number = float(output["data"].get("text/plain", ""))
        except ValueError:
            return None
        if not math.isfinite(number) or number < 0 or number > max_points:
            return f"the test returned {number:g}, which is no score between 0 and {max_points:g}"
        return None
    return None


# -- surroundings ---------------------------------------------------------------------------


@cache
def _shell() -> InteractiveShell:
    """The process's IPython shell: its formatters, and where ``display`` publishes."""
    if InteractiveShell.initialized():
        return InteractiveShell.instance()
    # A module of its own: IPython would otherwise take the place of sys.modules["__main__"].
    return notebook_shell(Outputs(), user_module=types.ModuleType("graded_cells"))


@contextlib.contextmanager
def _capture(outputs: Outputs) -> Iterator[None]:
    shell = _shell()
    publisher = CollectingPublisher(parent=shell)
    publisher.outputs = outputs
    before = shell.display_pub, sys.stdout, sys.stderr
    shell.display_pub = publisher
    sys.stdout = StreamToOutputs(outputs, "stdout")
    sys.stderr = StreamToOutputs(outputs, "stderr")
    try:
        with warnings.catch_warnings():
            # nbgrader takes anything on stderr for a failure; a warning is none.
            warnings.showwarning = _print_warning
            yield
    finally:
        shell.display_pub, sys.stdout, sys.stderr = before


def _print_warning(message: Any, category: Any, *args: Any, **kwargs: Any) -> None:
    print(f"{category.__name__}: {message}")


@contextlib.contextmanager
def _working_folder(folder: Path | None, helpers: Path | None) -> Iterator[None]:
    """Work in ``folder`` without ever importing from it."""
    before, path, modules = os.getcwd(), list(sys.path), set(sys.modules)
    written = sys.dont_write_bytecode
    here = os.path.realpath(folder) if folder else None
    sys.path[:] = [p for p in path if p not in ("", ".") and _real(p) != here]
    if helpers is not None:
        sys.path.append(str(helpers))
        sys.dont_write_bytecode = True
    if folder is not None:
        os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        sys.path[:] = path
        sys.dont_write_bytecode = written
        if helpers is not None:
            _forget_modules(set(sys.modules) - modules, helpers)


@cache
def _real(place: str) -> str:
    """Where an entry of sys.path is; asked a dozen times for each submission."""
    return os.path.realpath(place)


def _forget_modules(names: set[str], helpers: Path) -> None:
    """Two assignments may each have a ``helpers.py``; neither sees the other's."""
    for name in names:
        file = getattr(sys.modules.get(name), "__file__", None)
        if file and Path(file).is_relative_to(helpers):
            del sys.modules[name]


def _importable(student_files: frozenset[str]) -> Callable[[str], bool]:
    """Which top-level modules the grader imports itself: all but the student's own files.

    A module that is missing here is not asked for over there. A student who hands in a file of
    its name would otherwise decide what the test imports.
    """
    students = {Path(name).parts[0].removesuffix(".py") for name in student_files}
    return lambda root: root not in students


# -- errors ---------------------------------------------------------------------------------


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(its message cannot be shown)"


def _lines(error: BaseException, filename: str) -> list[str]:
    """The traceback as far as it concerns the cell, and where in the student's code it arose."""
    if isinstance(error, SyntaxError):
        return traceback.format_exception_only(error)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == filename]
    lines = [f"{filename} line {frame.lineno}:\n    {frame.line}" for frame in frames[-3:]]
    lines += [f"in the submission: {text}" for text in getattr(error, "student_lines", [])]
    name = getattr(error, "student_name", type(error).__name__)
    return [*lines, f"{name}: {_message(error)}"]


def _as_nbformat(item: dict[str, Any]) -> dict[str, Any]:
    if item["output_type"] == "stream":
        text = writable("".join(item["parts"]))
        return {"output_type": "stream", "name": item["name"], "text": text}
    return dict(writable(item))
