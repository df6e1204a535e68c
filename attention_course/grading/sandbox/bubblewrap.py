"""What a student's process may see of the disk, and bubblewrap's part in that.

bubblewrap puts the warm process into namespaces of its own: no network, no process but its
own, and of the disk only the system and Python, read-only, and an empty home. The gradebook,
submissions, the master notebooks, the checks and the reference are not there. The children
then make namespaces of their own within.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
SETTINGS = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime",
            "nsswitch.conf", "mime.types")  # fmt: skip
DEVICES = ("null", "zero", "full", "random", "urandom")
PACKAGE = Path(__file__).resolve().parents[2]
# What a student's process may see of the course; the rest of the package is not there.
HIDDEN = ("checks", "panel", "comparisons", "commands")
SEEN_OF_GRADING = ("__init__.py", "sandbox")
NOBODY = 65534
# To make namespaces and mounts for each child; the children themselves have none of these.
FOR_ROOT = ("CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_KILL", "CAP_CHOWN")
FOR_OTHERS = ("CAP_SYS_ADMIN", "CAP_SETPCAP")


def isolation(home: str, user: int | None) -> list[str]:
    """bubblewrap's command line up to the command itself.

    ``user`` is the number that root's children will take; None for an ordinary user, who
    stays what they are outside and is nobody inside.
    """
    arguments = [shutil.which("bwrap") or "bwrap", "--as-pid-1", "--hostname", "student"]
    arguments += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    arguments += ["--unshare-cgroup-try", "--cap-drop", "ALL"]
    if user is None:
        arguments += ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY)]
    for capability in rights(user):
        arguments += ["--cap-add", capability]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    # For the warm process; each child has folders of its own over these two.
    arguments += ["--tmpfs", "/tmp", "--tmpfs", home, "--dir", "/etc"]
    for place in SYSTEM:
        arguments += ["--ro-bind-try", place, place]
    for name in SETTINGS:
        arguments += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    # bubblewrap makes missing folders for its own user alone; the children become another.
    folders = {parent for place in (*python_folders(), str(PACKAGE)) for parent in _above(place)}
    for folder in sorted(folders):
        arguments += ["--perms", "0755", "--dir", folder]
    for place in python_folders():
        arguments += ["--ro-bind", place, place]
    hidden = [str(PACKAGE / name) for name in HIDDEN if (PACKAGE / name).is_dir()]
    grading = str(PACKAGE / "grading")
    arguments += ["--ro-bind", str(PACKAGE), str(PACKAGE)]
    for place in (*hidden, grading):
        arguments += ["--tmpfs", place]
    for name in SEEN_OF_GRADING:
        arguments += ["--ro-bind", f"{grading}/{name}", f"{grading}/{name}"]
    installed = PACKAGE.parent / "reference_attention"
    if installed.is_dir() and any(installed.is_relative_to(p) for p in python_folders()):
        arguments += ["--tmpfs", str(installed)]
        hidden.append(str(installed))
    # Nothing that one child could leave there for the next.
    for place in (*hidden, grading, "/dev", "/"):
        arguments += ["--remount-ro", place]
    return [*arguments, "--chdir", "/", "--"]


def rights(user: int | None) -> tuple[str, ...]:
    """The capabilities of the warm process; with ``user`` as for :func:`isolation`."""
    return FOR_OTHERS if user is None else FOR_ROOT


def _above(place: str) -> list[str]:
    """The folders that lead to ``place``, but those that are there anyway."""
    folders = [str(folder) for folder in Path(place).parents]
    return [folder for folder in folders if folder not in ("/", *SYSTEM)]


@functools.cache
def python_folders() -> tuple[str, ...]:
    """The interpreter and what is installed for it, outermost first and each once."""
    wanted = {Path(p).resolve() for p in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    wanted |= {Path(p).resolve() for p in sys.path if "site-packages" in p and Path(p).is_dir()}
    wanted.add(Path(sys.executable).resolve().parent.parent)
    outermost = [p for p in wanted if not any(p.is_relative_to(q) for q in wanted if q != p)]
    named = [Path(sys.prefix)] if Path(sys.prefix) not in wanted else []
    return tuple(str(p) for p in (*sorted(outermost), *named) if str(p) not in SYSTEM)


def readable() -> list[str]:
    """The same view of the disk as a list of what may be read, for landlock without namespaces.

    Landlock gives whole folders and takes nothing out of them again, so the parts of the
    course are named one by one.
    """
    parts = [p for p in PACKAGE.iterdir() if p.name not in (*HIDDEN, "grading")]
    seen = [PACKAGE / "grading" / name for name in SEEN_OF_GRADING]
    settings = [f"/etc/{name}" for name in SETTINGS]
    own = ["/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/sys/devices/system/cpu"]
    devices = [f"/dev/{name}" for name in DEVICES]
    return [*SYSTEM, *python_folders(), *map(str, (*parts, *seen)), *settings, *own, *devices]


def kept(places: Iterable[str]) -> tuple[str, ...]:
    """What of Python and the course lies below ``places`` and must be seen there all the same."""
    wanted = {*python_folders(), str(PACKAGE)}
    below = {w for w in wanted if any(Path(w).is_relative_to(place) for place in places)}
    return tuple(sorted(w for w in below if not any(str(p) in below for p in Path(w).parents)))


def everybody_reads_python() -> bool:
    """Whether a user without rights could load modules, which folders like /root may prevent."""
    for place in (*python_folders(), str(PACKAGE)):
        folders = [Path(place), *Path(place).parents]
        if not all(os.stat(folder).st_mode & 0o001 for folder in folders):
            return False
    return True


@functools.cache
def available() -> str | None:
    """Why bubblewrap cannot be used here, or None where it can."""
    if sys.platform != "linux":
        return "bubblewrap is for Linux"
    if shutil.which("bwrap") is None:
        return "bwrap is not installed (Debian: apt-get install bubblewrap)"
    user = [] if os.getuid() == 0 else ["--unshare-user"]
    probe = ["bwrap", *user, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--cap-add",
             "CAP_SYS_ADMIN", "--ro-bind", "/", "/", "--proc", "/proc", "true"]  # fmt: skip
    try:
        done = subprocess.run(probe, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bwrap does not run here ({error})"
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        return f"bwrap does not run here ({reason[0]})"
    return None
