"""Starts the command that grades once more, in a process with nothing secret in its memory.

What students' processes are forked from must never have held a secret, and the environment may
well hold one: a password of the gradebook, the key of a service. So ``attention-course grade``
replaces itself (exec, the process stays the same) by ``python -I -m`` of this module with an
environment of its own and the real one in a file in memory. This forks the launcher first, and
only then reads what it was given and goes on as the command.
"""

from __future__ import annotations

import atexit
import gc
import importlib.machinery
import json
import os
import signal
import site
import sys
import threading
from pathlib import Path
from typing import Any

from attention_course.grading.batch import launcher
from attention_course.grading.batch.processors import processors
from attention_course.grading.sandbox import kernel
from attention_course.grading.sandbox.plain import INHERITED
from attention_course.grading.sandbox.warm import fork_works

MODULE = "attention_course.grading.batch.afresh"
PACKAGE = Path(__file__).resolve().parents[2]
# Read while a library is loaded, which may be before the real environment is back. No secrets:
# a token of the hub's, say, is none of them.
READ_EARLY = ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "JUPYTER_PATH", "JUPYTER_DATA_DIR",
              "JUPYTER_CONFIG_DIR", "JUPYTER_CONFIG_PATH", "JUPYTER_PLATFORM_DIRS",
              "JUPYTER_PREFER_ENV_PATH", "JUPYTER_ALLOW_INSECURE_WRITES",
              "TRAITLETS_APPLICATION_RAISE_CONFIG_FILE_ERROR", "PYZMQ_BACKEND", "TERM")  # fmt: skip
READ_EARLY_FROM = ("LC_", "TORCH_", "PYTORCH_", "ATEN_", "NPY_", "NUMPY_", "OPENBLAS_")
# Settings for which a second start would be another one; with any but the harmless nothing is
# replaced.
OF_THE_START = ("PYTHON", "LD_", "GLIBC_", "MALLOC_")
HARMLESS = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONNOUSERSITE")
INTERRUPTED = 130  # the exit code after Ctrl-C
NOT_AGAIN = "ATTENTION_COURSE_NOT_AFRESH"


def begin_afresh(path: str, work: bool) -> None:
    """Replace this process, which has only just begun, by a fresh one; else return.

    ``path`` is PATH as students' code has it; ``work`` says that there seems to be something to
    grade, so that what it takes may be loaded before that is certain. Nothing is replaced where
    no launcher could be forked, or where Python was started in a way that a second start would
    not keep.
    """
    if fork_works() is not None or os.environ.pop(NOT_AGAIN, "") or not _was_started_plainly():
        return
    given = {
        "environment": dict(os.environ),
        "arguments": sys.argv,
        "path": sys.path,
        "bytecode": sys.dont_write_bytecode,
        "command": sys.orig_argv,
    }
    try:
        _open_the_standard_three()
        file = os.memfd_create("attention-course", 0)
        os.write(file, json.dumps(given).encode())
    except OSError:
        return
    prefixed = [name for name in os.environ if name.startswith(READ_EARLY_FROM)]
    names = [*INHERITED, *READ_EARLY, *prefixed]
    environment = {name: os.environ[name] for name in names if name in os.environ}
    environment |= {"PATH": path, kernel.TUNABLES: kernel.HUGE_HEAP}
    ahead = "work" if work else ""
    arguments = [sys.executable, "-I", "-m", MODULE, str(file), str(PACKAGE), ahead]
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # until somebody there expects it
    try:
        os.execve(sys.executable, arguments, environment)
    except OSError:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        os.close(file)


def _was_started_plainly() -> bool:
    main = sys.modules["__main__"]
    name = getattr(getattr(main, "__spec__", None), "name", None)
    script = Path(getattr(main, "__file__", None) or "").name
    if name != "attention_course.cli" and script != "attention-course":
        return False  # somebody's program, which would begin again from its start
    settings = [name for name in os.environ if name.startswith(OF_THE_START)]
    flags = sys.flags
    return (
        bool(sys.executable)
        and all(name in HARMLESS for name in settings)
        and not sys.warnoptions
        and not sys._xoptions
        and not any((flags.optimize, flags.inspect, flags.no_site, flags.debug))
        and sys.gettrace() is None
        and sys.getprofile() is None
        and _is_found_in_isolation()
    )


def _is_found_in_isolation() -> bool:
    """Whether -I, which knows no working folder and nothing of the user's own, finds the course."""
    places = [place for place in sys.path[1:] if place != site.getusersitepackages()]
    for finder in sys.meta_path:
        where = places if finder is importlib.machinery.PathFinder else None
        spec = finder.find_spec("attention_course", where)
        if spec is not None and spec.origin is not None:
            return Path(spec.origin).resolve().parent == PACKAGE
    return False


def _open_the_standard_three() -> None:
    """What was closed leads nowhere; else the next file to be opened would be in its place."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def main() -> None:
    try:
        _begin()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    from attention_course import cli

    try:
        cli.main()
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            _end(ended.code or 0)
        raise
    _end(0)


def _end(code: int) -> None:
    """End as Python would, but for taking half a million objects apart first."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except OSError:
        return  # nobody reads any more; Python says so itself
    os._exit(code)


def _begin() -> None:
    file, package, work = int(sys.argv[1]), Path(sys.argv[2]), bool(sys.argv[3])
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    if package != PACKAGE:  # another copy of the course than the one that was called
        _go_back(_read(file))
    # With a core to spare the launcher loads beside this process; else it takes what this has.
    if work and processors() > 1:
        launcher.fork_fresh(early=True)
        _restore(_read(file))
        _load()
    else:
        try:
            _load()
        except Exception:  # it may want a setting that is not here yet
            _go_back(_read(file))
        launcher.fork_fresh(early=False)
        _restore(_read(file))


def _load() -> None:
    """What takes long and is not ours: a student's process may have all of it in memory."""
    gc.disable()  # what is loaded here stays
    import nbformat.validator  # noqa: F401
    import nbgrader.api  # noqa: F401

    gc.freeze()
    gc.enable()


def _read(file: int) -> dict[str, Any]:
    with os.fdopen(file, "rb") as given:
        given.seek(0)
        found: dict[str, Any] = json.load(given)
    return found


def _restore(given: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(given["environment"])
    sys.argv = given["arguments"]
    sys.path[:] = given["path"]
    sys.dont_write_bytecode = given["bytecode"]
    if os.environ.get("PYTHONUNBUFFERED"):
        sys.stdout.reconfigure(write_through=True)  # type: ignore[union-attr]


def _go_back(given: dict[str, Any]) -> None:
    os.execve(sys.executable, given["command"], {**given["environment"], NOT_AGAIN: "1"})


if __name__ == "__main__":
    main()
