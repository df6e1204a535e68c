"""The few Linux system calls that Python's library does not offer, by name.

Each raises OSError as the ``os`` module would. Nothing here decides anything.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import platform
import socket
from collections.abc import Iterable
from functools import cache
from pathlib import Path

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID = 0x20000, 0x08000000, 0x20000000
CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWNET = 0x02000000, 0x04000000, 0x40000000
CLONE_NEWUSER, NS_GET_USERNS = 0x10000000, 0xB701
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 1 << 12, 1 << 14, 1 << 18
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER = 4, 22, 24, 36
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
SECCOMP_MODE_FILTER = 2
MADV_COLLAPSE = 25
CAPABILITY_VERSION = 0x20080522
CAPABILITIES = {"CAP_CHOWN": 0, "CAP_KILL": 5, "CAP_SETGID": 6, "CAP_SETUID": 7,
                "CAP_SETPCAP": 8, "CAP_SYS_ADMIN": 21}  # fmt: skip
# capset is the only call of these whose number differs between the machines we know.
CAPSET = {"x86_64": 126, "aarch64": 91}
CLOSE_RANGE = 436
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446


@cache
def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    _checked(libc().unshare(flags), "unshare")


def setns(descriptor: int, flags: int) -> None:
    _checked(libc().setns(descriptor, flags), "setns")


def mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    arguments = (source.encode(), target.encode(), kind.encode() if kind else None)
    _checked(libc().mount(*arguments, ctypes.c_ulong(flags), data.encode()), f"mount {target}")


def prctl(option: int, *arguments: int) -> int:
    values = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    return _checked(libc().prctl(option, *values), f"prctl {option}")


def system_call(number: int, *arguments: object, what: str) -> int:
    return _checked(libc().syscall(ctypes.c_long(number), *arguments), what)


def forbid_capabilities(but: Iterable[str] = ()) -> None:
    """Whatever is started later can never gain a capability, by whatever file it is."""
    kept, capability = {CAPABILITIES[name] for name in but}, 0
    try:
        while True:
            if capability not in kept:
                prctl(PR_CAPBSET_DROP, capability)
            capability += 1
    except OSError:
        pass  # past the last one that this kernel knows, or none may be dropped here


def drop_capabilities(but: Iterable[str] = ()) -> None:
    """Give up every capability that this process still has, but those named."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    number = CAPSET.get(platform.machine())
    if number is None:
        raise OSError(f"capabilities of {platform.machine()} machines are not known here")
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    kept = sum(1 << CAPABILITIES[name] for name in but)  # all of them are among the first 32
    sets = (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0)  # effective, permitted, inheritable
    system_call(number, ctypes.byref(header), ctypes.byref(sets), what="capset")


def forget_start() -> None:
    """Wipe the arguments and the environment that this process was started with.

    They lie in memory, as /proc/self/cmdline and environ, whatever became of ``os.environ``.
    """
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    for begin, end in ((45, 46), (47, 48)):  # arg_start and arg_end, env_start and env_end
        start, length = int(fields[begin]), int(fields[end]) - int(fields[begin])
        ctypes.memset(start, 0, length)


def close_from(first: int) -> None:
    """Close every descriptor from ``first`` on; some may lie above what the limit allows now."""
    try:
        number, last = ctypes.c_uint(first), ctypes.c_uint(2**32 - 1)
        system_call(CLOSE_RANGE, number, last, ctypes.c_uint(0), what="close_range")
    except OSError:  # before Linux 5.9
        os.closerange(first, max(1 << 20, os.sysconf("SC_OPEN_MAX")))


def keep_only(descriptor: int, said: int | None = None) -> socket.socket:
    """The connection with this descriptor; a forked process keeps no other of its parent's.

    What it says on its standard error goes to ``said``, where that is given.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing if said is None or standard != 2 else said, standard)
    os.dup2(descriptor, 3)
    close_from(4)
    return socket.socket(fileno=3)


# With this in the environment that a process starts with, glibc (2.35 or newer) asks for its heap
# in huge pages at once, which leaves little to gather.
TUNABLES, HUGE_HEAP = "GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"


def use_huge_pages() -> int:
    """Gather this process's memory in huge pages; returns how many regions were gathered.

    A fork copies page tables, not pages: with 512 times fewer entries it takes a third.
    """
    gathered, size = 0, 2 << 20
    with open("/proc/self/maps") as maps:
        lines = maps.readlines()
    for line in lines:
        span, rights, _, _, inode, *_ = line.split()
        low, high = (int(end, 16) for end in span.split("-"))
        low, high = -(-low // size) * size, high // size * size
        if not rights.startswith("rw") or inode != "0" or high <= low:
            continue
        place, length = ctypes.c_void_p(low), ctypes.c_size_t(high - low)
        gathered += libc().madvise(place, length, MADV_COLLAPSE) == 0
    return gathered
