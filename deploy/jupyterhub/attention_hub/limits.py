"""What one user's server and all that it starts may take, with what this host can enforce.

Where the kernel lets us make cgroups (root in the older hierarchy, a systemd service with
``Delegate=yes`` in the newer) memory, processors and processes are limited for the user as a
whole. Elsewhere each process has a limit of its own on memory, the user one on processes, and
processors are only shared out.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from attention_hub.settings import Limits

ROOT = Path("/sys/fs/cgroup")
CONTROLLERS = ("memory", "pids", "cpu")
PREFIX = "attention-hub-"
PERIOD = 100_000  # microseconds in which a cgroup may use its share of processors
OPEN_FILES = 4096
POLITE = 5  # how much lower a user's priority is than the hub's


@dataclass(frozen=True, slots=True)
class UserGroup:
    """The cgroup of one user: one folder, or one for each controller in the older hierarchy."""

    places: dict[str, Path]

    def limit(self, limits: Limits) -> None:
        """Set the limits; raises OSError where the kernel does not take one."""
        quota = int(limits.processors * PERIOD)
        memory, cpu = self.places["memory"], self.places["cpu"]
        if (memory / "memory.max").exists():
            (memory / "memory.max").write_text(str(limits.memory))
            with contextlib.suppress(OSError):
                (memory / "memory.swap.max").write_text("0")
        else:
            (memory / "memory.limit_in_bytes").write_text(str(limits.memory))
        (self.places["pids"] / "pids.max").write_text(str(limits.processes))
        if (cpu / "cpu.max").exists():
            (cpu / "cpu.max").write_text(f"{quota} {PERIOD}")
        else:
            (cpu / "cpu.cfs_period_us").write_text(str(PERIOD))
            (cpu / "cpu.cfs_quota_us").write_text(str(quota))

    def enter(self) -> None:
        """Put this process into it; what it starts is born there."""
        for place in set(self.places.values()):
            (place / "cgroup.procs").write_text("0")

    def processes(self) -> list[int]:
        return [int(pid) for pid in (self.places["pids"] / "cgroup.procs").read_text().split()]

    def end(self) -> None:
        """End every process in it, whoever its parent is by now, and take it away."""
        deadline = time.monotonic() + 5
        while (left := self.processes()) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        for place in set(self.places.values()):
            for _ in range(50):
                with contextlib.suppress(OSError):
                    place.rmdir()
                    break
                time.sleep(0.01)  # the kernel is still clearing away the last process


def group_for(user: str, root: Path = ROOT, membership: str | None = None) -> UserGroup | None:
    """A cgroup for one user's server, or None where this process may not make one."""
    try:
        parents = _parents(root, membership or Path("/proc/self/cgroup").read_text())
        places = {name: parents[name] / f"{PREFIX}{user}" for name in CONTROLLERS}
        for place in set(places.values()):
            place.mkdir(exist_ok=True)
        return UserGroup(places)
    except (OSError, KeyError):
        return None


def _parents(root: Path, membership: str) -> dict[str, Path]:
    """The folder for each controller under which cgroups of users may be made."""
    found: dict[str, Path] = {}
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        own = path.lstrip("/")
        for name in CONTROLLERS:
            if name in controllers.split(","):
                found[name] = root / name / own
        if not controllers and (root / own / "cgroup.subtree_control").exists():
            found |= dict.fromkeys(CONTROLLERS, _delegated(root / own))
    return found


def _delegated(own: Path) -> Path:
    """The newer hierarchy keeps processes in leaves only, so the hub itself moves into one."""
    if own.name == "hub":
        return own.parent
    leaf = own / "hub"
    leaf.mkdir(exist_ok=True)
    for pid in (own / "cgroup.procs").read_text().split():
        (leaf / "cgroup.procs").write_text(pid)
    (own / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in CONTROLLERS))
    return own


def before_start(limits: Limits, group: UserGroup | None) -> Callable[[], None]:
    """What the new process does while it is still root's: take its limits on."""

    def take_on() -> None:
        if group is not None:
            group.enter()
        else:
            # Private writable memory; a limit on addresses would stop torch from loading.
            resource.setrlimit(resource.RLIMIT_DATA, (limits.memory, limits.memory))
        resource.setrlimit(resource.RLIMIT_NPROC, (limits.processes, limits.processes))
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.nice(POLITE)

    return take_on


def in_words(limits: Limits, group: UserGroup | None) -> str:
    """What is enforced for a user here, for the log and the person who starts the hub."""
    memory = f"{limits.memory / (1 << 20):g} MiB of memory"
    if group is not None:
        return (
            f"each user has {memory}, {limits.processors:g} processors and {limits.processes} "
            "processes for everything together (cgroup)"
        )
    return (
        f"each process of a user has {memory}, each user {limits.processes} processes; processors "
        "are shared out, not limited (this host lets us make no cgroup)"
    )
