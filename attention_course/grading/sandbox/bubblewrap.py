"""A child process in namespaces of its own, made by bubblewrap.

It has no network, sees no process but its own, and of the disk only what it needs: the system
and Python, read-only; the submission's folder; an empty home. The gradebook, other submissions,
the master notebooks, the checks and the reference are not there. Its process namespace ends
with it, and with that all it started.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from attention_course.grading.sandbox.plain import Plain

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
SETTINGS = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "passwd",
            "group", "nsswitch.conf", "mime.types")  # fmt: skip
PACKAGE = Path(__file__).resolve().parents[2]
# What a student's process may see of the course; the rest of the package is not there.
HIDDEN = ("checks", "panel", "comparisons", "commands")
SEEN_OF_GRADING = ("__init__.py", "sandbox")


class Bubblewrap(Plain):
    """The student's process behind mount, process, network, user, ipc and host namespaces."""

    level = "bubblewrap"

    def _command(self, folder: Path, descriptor: str) -> list[str]:
        command = super()._command(folder, descriptor)
        return [*isolation(folder.resolve(), Path(self._home.name)), *command]

    def _started(self) -> None:
        # bubblewrap would die of an interrupt that is meant for the code inside it.
        self._inside = _only_child(self._process.pid)

    def _interrupt(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._inside, signal.SIGINT)


def isolation(folder: Path, home: Path) -> list[str]:
    """bubblewrap's command line up to the command itself."""
    binary = shutil.which("bwrap") or "bwrap"
    arguments = [
        binary, "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534",
        "--die-with-parent", "--as-pid-1", "--cap-drop", "ALL", "--hostname", "student",
        "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",
    ]  # fmt: skip
    for place in SYSTEM:
        arguments += ["--ro-bind-try", place, place]
    for name in SETTINGS:
        arguments += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for place in _python_folders():
        arguments += ["--ro-bind", place, place]
    arguments += _course()
    # After all the rest, so that a folder within one of them is still to be written to.
    arguments += ["--bind", str(folder), str(folder), "--bind", str(home), str(home)]
    return [*arguments, "--remount-ro", "/", "--chdir", str(folder), "--"]


def _python_folders() -> list[str]:
    """The interpreter and what is installed for it, outermost first and each once."""
    wanted = {Path(p).resolve() for p in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    wanted |= {Path(p).resolve() for p in sys.path if "site-packages" in p and Path(p).is_dir()}
    wanted.add(Path(sys.executable).resolve().parent.parent)
    outermost = [p for p in wanted if not any(p.is_relative_to(q) for q in wanted if q != p)]
    named = [Path(sys.prefix)] if Path(sys.prefix) not in wanted else []
    return [str(p) for p in (*sorted(outermost), *named) if str(p) not in SYSTEM]


def _course() -> list[str]:
    """The course's package with the rooms that hold answers or checks left empty."""
    arguments = ["--ro-bind", str(PACKAGE), str(PACKAGE)]
    for name in HIDDEN:
        if (PACKAGE / name).is_dir():
            arguments += ["--tmpfs", str(PACKAGE / name)]
    grading = PACKAGE / "grading"
    arguments += ["--tmpfs", str(grading)]
    for name in SEEN_OF_GRADING:
        arguments += ["--ro-bind", str(grading / name), str(grading / name)]
    installed = PACKAGE.parent / "reference_attention"
    if any(installed.is_relative_to(p) for p in _python_folders()) and installed.is_dir():
        arguments += ["--tmpfs", str(installed)]
    return arguments


def _only_child(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else pid


@functools.cache
def available() -> str | None:
    """Why bubblewrap cannot be used here, or None where it can."""
    if sys.platform != "linux":
        return "bubblewrap is for Linux"
    if shutil.which("bwrap") is None:
        return "bwrap is not installed (Debian: apt-get install bubblewrap)"
    probe = ["bwrap", "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534",
             "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"]  # fmt: skip
    try:
        done = subprocess.run(probe, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bwrap does not run here ({error})"
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        return f"bwrap does not run here ({reason[0]})"
    return None
