"""Limits on memory and processes for a whole submission, where this machine lets us set them.

One cgroup a grader's process: its warm process is put there at the start and each fork
is born in it, so that a submission costs nothing more.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
NEEDED = ("memory", "pids")
PREFIX = "attention-course-"


class Cgroup:
    """A cgroup of our own below this process's, or several of them in the older hierarchy."""

    def __init__(self, places: dict[str, Path]) -> None:
        self._places = places
        self._kills = 0

    def add(self, pid: int) -> None:
        for place in set(self._places.values()):
            (place / "cgroup.procs").write_text(str(pid))

    def limit(self, memory: int, processes: int) -> None:
        """Bytes for all processes together, and how many of them (threads included)."""
        place = self._places["memory"]
        if (place / "memory.max").exists():
            (place / "memory.max").write_text(str(memory))
            with contextlib.suppress(OSError):
                (place / "memory.swap.max").write_text("0")
        else:
            # The older hierarchy wants memory alone never to be above memory with swap, on the
            # way up as on the way down; and not every kernel counts swap.
            for name in ("memory.memsw", "memory", "memory.memsw"):
                with contextlib.suppress(OSError):
                    (place / f"{name}.limit_in_bytes").write_text(str(memory))
            set_now = int((place / "memory.limit_in_bytes").read_text())
            if set_now > memory:
                raise OSError(f"the memory limit stays at {set_now} bytes")
        (self._places["pids"] / "pids.max").write_text(str(processes))

    def was_out_of_memory(self) -> bool:
        """Whether the kernel ended a process for its memory since this was last asked."""
        place, before = self._places["memory"], self._kills
        for name in ("memory.oom_control", "memory.events"):
            with contextlib.suppress(OSError, ValueError):
                pairs = dict(line.split() for line in (place / name).read_text().splitlines())
                self._kills = int(pairs.get("oom_kill", 0))
        return self._kills > before

    def end_all(self) -> None:
        """End every process in it, whoever its parent is now."""
        for _ in range(100):
            pids = [int(pid) for pid in (self._places["pids"] / "cgroup.procs").read_text().split()]
            for pid in pids:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            if not pids:
                return
            time.sleep(0.005)

    def remove(self) -> None:
        """Take the cgroup away; its processes must have ended."""
        for place in set(self._places.values()):
            for _ in range(50):
                try:
                    place.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.01)  # the kernel is still clearing away the last process


def create() -> Cgroup | None:
    """A new cgroup, or None where this user may not make one."""
    name = f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    made: list[Path] = []
    try:
        parents = _own_places()
        places = {controller: parents[controller] / name for controller in NEEDED}
        for parent in set(parents.values()):
            _sweep(parent)
        for place in set(places.values()):
            place.mkdir()
            made.append(place)
        for controller, file in (("memory", "memory.limit_in_bytes"), ("pids", "pids.max")):
            newer = places[controller] / f"{controller}.max"
            if not os.access(places[controller] / file, os.W_OK) and not os.access(newer, os.W_OK):
                raise PermissionError(f"no {controller} controller")
    except (OSError, KeyError):
        for place in made:
            with contextlib.suppress(OSError):
                place.rmdir()
        return None
    return Cgroup(places)


def _sweep(parent: Path) -> None:
    """Take away what graders left that were killed themselves."""
    for place in parent.glob(f"{PREFIX}*"):
        owner = place.name.removeprefix(PREFIX).split("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            with contextlib.suppress(OSError):
                place.rmdir()


def _own_places() -> dict[str, Path]:
    """Where the cgroup of this process lies, by controller."""
    found: dict[str, Path] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in NEEDED:
            if controller in controllers.split(","):
                found[controller] = ROOT / controller / path.lstrip("/")
    for controller in NEEDED:
        if controller not in found:
            unified = _unified()
            if unified is not None:
                found[controller] = unified
    return found


def _unified() -> Path | None:
    """This process's place in the newer hierarchy, if its children may have the controllers."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        if line.startswith("0::"):
            for place in (ROOT / line[3:].lstrip("/"), (ROOT / line[3:].lstrip("/")).parent):
                with contextlib.suppress(OSError):
                    control = place / "cgroup.subtree_control"
                    given = control.read_text().split()
                    if all(controller in given for controller in NEEDED):
                        return place
                    control.write_text(" ".join(f"+{c}" for c in NEEDED))
                    return place
    return None
