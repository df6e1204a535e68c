"""Which kind of sandbox runs here, what it protects, and whether that is enough."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from attention_course.grading.sandbox import bubblewrap, cgroup, landlock, seccomp
from attention_course.grading.sandbox.base import Limits, SandboxDidNotStart, Unprotected
from attention_course.grading.sandbox.connection import Connected
from attention_course.grading.sandbox.plain import Plain
from attention_course.grading.sandbox.warm import Forked, fork_works, warm_process

LEVELS = ("auto", "bubblewrap", "landlock", "plain")
# What a level can keep a student's code from, in the words of the configuration.
PROTECTIONS = {
    "files": "other submissions, the gradebook, the source and your home",
    "network": "any network, this machine's own included",
    "processes": "other processes of this machine",
    "system calls": "the parts of the kernel that answers have no use for",
}
REQUIRED = ("files", "network") if sys.platform == "linux" else ()


@dataclass(frozen=True)
class Level:
    """A kind of sandbox: what it protects, and why it is not a stronger one."""

    name: str
    protects: tuple[str, ...]
    because: str | None = None


@dataclass(frozen=True)
class Layer:
    """One wall, what it gives, and why it is missing here (None where it is not)."""

    name: str
    gives: str
    missing: str | None = None
    mend: str = "the other layers serve without it"


def layers() -> tuple[Layer, ...]:
    """Every wall that this machine could have, for people to read."""
    no_fork = fork_works()
    group = None if no_fork else cgroup.create()
    if group:
        group.remove()
    version = landlock.version()
    return (
        Layer("warm forks", "a submission starts in milliseconds", no_fork),
        Layer(
            "namespaces",
            "own disk, network, processes and users, by bubblewrap",
            no_fork or bubblewrap.available(),
            "apt-get install bubblewrap, and allow user namespaces",
        ),
        Layer(
            "landlock",
            f"version {version}: of the disk only what answers need",
            None if version else "this kernel has none",
            "Linux 5.13 or newer",
        ),
        Layer("seccomp", "no sockets, no foreign processes, no mounts", seccomp.unavailable()),
        Layer("rlimits", "memory, processes, processor time, files", no_fork),
        Layer(
            "cgroup",
            "memory and processes of a whole submission",
            None if group else "this user may not make one; limits count for each process alone",
        ),
    )


@cache
def level_here(wanted: str = "auto") -> Level:
    """The level that will run for ``wanted``; "auto" is the strongest there is.

    A level that is asked for by name is never replaced by a weaker one: raises Unprotected.
    """
    if wanted not in LEVELS:
        raise ValueError(f"no isolation level {wanted!r}; there are {', '.join(LEVELS)}")
    if wanted == "plain":
        return Level("plain", (), "the configuration asks for it")
    no_fork = fork_works()
    no_bubblewrap = no_fork or bubblewrap.available()
    calls = () if seccomp.unavailable() else ("system calls",)
    if no_bubblewrap is None and wanted in ("auto", "bubblewrap"):
        return Level("bubblewrap", ("files", "network", "processes", *calls))
    no_landlock = no_fork or (None if landlock.version() else "this kernel has no landlock")
    if no_landlock is None and wanted in ("auto", "landlock"):
        network = ("network",) if calls else ()
        processes = ("processes",) if landlock.version() >= min(landlock.SCOPES) else ()
        return Level("landlock", ("files", *network, *processes, *calls), no_bubblewrap)
    reason = f"{no_bubblewrap}; {no_landlock}" if no_fork is None else no_fork
    if wanted != "auto":
        reason = str(no_bubblewrap if wanted == "bubblewrap" else no_landlock)
        raise Unprotected(f"isolation {wanted!r} was asked for, but {reason}")
    return Level("plain", (), reason)


def refusal(wanted: str, required: Iterable[str] = REQUIRED) -> str | None:
    """Why nothing is graded with these settings on this machine, or None where all is well."""
    try:
        level = level_here(wanted)
    except Unprotected as error:
        return str(error)
    lacking = [name for name in required if name not in level.protects]
    if not lacking:
        return None
    what = " and ".join(PROTECTIONS.get(name, name) for name in lacking)
    return f"isolation {level.name!r} does not keep students' code from {what} ({level.because})"


def start(
    files: Mapping[str, bytes],
    limits: Limits,
    refused: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
    wanted: str = "auto",
    required: Iterable[str] = (),
) -> Connected:
    """Start a student's process with ``files`` in its working folder.

    Raises SandboxDidNotStart, and its kind Unprotected where ``required`` is not to be had.
    """
    reason = refusal(wanted, required)
    if reason is not None:
        raise Unprotected(reason)
    level = level_here(wanted)
    if level.name == "plain":
        return Plain(files, limits, refused, environment)
    parent = warm_process(level.name, refused, limits)
    try:
        return Forked(parent, files, limits, environment)
    except SandboxDidNotStart:
        parent.end()  # whatever is the matter, the next one comes from a fresh process
        raise
