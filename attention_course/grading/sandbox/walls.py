"""What a forked process does before it runs a line of a student's: shut itself in.

Runs in the child, on Linux only. Every step either works or raises OSError, and then nothing
of the student's is run: a wall that could not be built is never passed over.
"""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from typing import Any

from attention_course.grading.sandbox import kernel, landlock, seccomp

HOME = "/home/student"
WORK = "work"  # below the home
OUTSIDE = ("/tmp", "/dev/shm")  # places that programs write to by habit
DEVICES = ("/dev/null", "/dev/zero", "/dev/full")
TERMINALS = ("/dev/pts", "/dev/ptmx", "/dev/tty")  # a terminal of one's own, for `!command`


@dataclass(frozen=True)
class Walls:
    """Which walls this process is to have; plain data, sent to it by the grader.

    ``namespaces`` says that the warm process itself is in namespaces and may make more.
    ``user`` is the number of a user without rights to become, None to stay who one is.
    ``readable`` is what landlock leaves open where there is no other wall around the disk.
    ``kept`` is what stays to be seen below the private places, such as a Python in /tmp.
    """

    namespaces: bool
    user: int | None
    landlock: bool
    readable: tuple[str, ...]
    seccomp: bytes | None
    kept: tuple[str, ...] = ()

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Walls:
        program = data["seccomp"]
        return cls(
            namespaces=bool(data["namespaces"]),
            user=data["user"],
            landlock=bool(data["landlock"]),
            readable=tuple(data["readable"]),
            seccomp=bytes.fromhex(program) if program else None,
            kept=tuple(data["kept"]),
        )

    def to_data(self) -> dict[str, Any]:
        return {**vars(self), "seccomp": self.seccomp.hex() if self.seccomp else None}


def enter(walls: Walls, limits: dict[str, Any], home: str) -> None:
    """Shut this process in. ``home`` is its private folder; its work folder lies in it."""
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    places: tuple[str, ...] = (home, *DEVICES)
    if walls.namespaces:
        places = (home, *OUTSIDE)
        _private_places(places, limits, walls)
        places = (*places, *DEVICES, *TERMINALS)
    _end_first_when_memory_is_short()
    _limit(limits)
    if walls.landlock:
        everything = ("/",) if walls.namespaces else walls.readable
        landlock.restrict(everything, places)
    kernel.forbid_capabilities()
    if walls.user is not None:
        os.setgroups([])
        os.setresgid(walls.user, walls.user, walls.user)
        os.setresuid(walls.user, walls.user, walls.user)
    kernel.drop_capabilities()
    # A changed user loses sight of its own /proc/self; what matters is behind other walls.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
    if walls.seccomp:
        seccomp.install(walls.seccomp)


def _private_places(places: tuple[str, ...], limits: dict[str, Any], walls: Walls) -> None:
    kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC)
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    owner = os.getuid() if walls.user is None else walls.user
    options = f"size={limits['scratch']},nr_inodes={limits['files']},mode=0700"
    for place in places:
        kept = {p: os.open(p, os.O_PATH) for p in walls.kept if p.startswith(f"{place}/")}
        maker = os.getuid() if kept else owner
        kernel.mount("student", place, "tmpfs", flags, f"{options},uid={maker},gid={maker}")
        for path, seen in kept.items():
            os.makedirs(path)
            kernel.mount(f"/proc/self/fd/{seen}", path, None, kernel.MS_BIND | kernel.MS_REC)
            os.close(seen)
        if maker != owner:
            os.chown(place, owner, owner)
    kernel.mount("proc", "/proc", "proc", flags)


def _end_first_when_memory_is_short() -> None:
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def _limit(limits: dict[str, Any]) -> None:
    with open("/proc/self/statm") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    never = resource.RLIM_INFINITY
    for what, value in (
        (resource.RLIMIT_AS, mapped + limits["memory"]),
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_FSIZE, limits["file_size"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_CPU, never if limits["cpu"] is None else limits["cpu"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        ceiling = value if hard == never else hard if value == never else min(value, hard)
        resource.setrlimit(what, (ceiling, ceiling))
