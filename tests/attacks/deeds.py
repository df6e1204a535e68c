"""What the deeds of several families have at hand, and how a family of deeds is written down.

A deed is the body of a function in the student's notebook; it does its best and returns what it
got, or is refused.
"""

from __future__ import annotations

from collections.abc import Iterable

from .attack import Attack, Family, family

PRELUDE = """
import ctypes, glob, os, platform, re, signal, socket, stat, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = dict(zip(@NAMES@, @INTEL@ if platform.machine() == "x86_64" else @ARM@))
def call(name, *values):
    values = [ctypes.c_long(v) if type(v) is int else v for v in values]
    done = libc.syscall(ctypes.c_long(NUMBERS[name]), *values)
    if done < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return done
def read(path): return open(path, "rb").read(10_000)
def some(paths):
    got = []
    for path in paths:
        try: got.append(read(path))
        except OSError: pass
    return got
def output(*command):
    done = subprocess.run(command, capture_output=True, timeout=5, stdin=subprocess.DEVNULL)
    return (done.stdout + done.stderr).decode("utf-8", "replace")
"""

# The numbers of system calls, x86_64 and aarch64; 0 where a machine has none.
NUMBERS = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "perf_event_open": (298, 241),
    "kcmp": (312, 272), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "unshare": (272, 97),
    "setns": (308, 268), "clone3": (435, 435), "bpf": (321, 280), "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282), "keyctl": (250, 219), "add_key": (248, 217),
    "kexec_load": (246, 104), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "reboot": (169, 142), "acct": (163, 89), "syslog": (103, 116),
    "swapon": (167, 224), "quotactl": (179, 60), "fanotify_init": (300, 262),
    "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
    "setresuid": (117, 147), "capset": (126, 91), "settimeofday": (164, 170),
    "sethostname": (170, 161), "mknodat": (259, 33), "personality": (135, 92),
    "process_madvise": (440, 440), "socket": (41, 198), "connect": (42, 203), "bind": (49, 200),
}  # fmt: skip
KERNEL = {
    "NAMES": tuple(NUMBERS),
    "INTEL": tuple(pair[0] for pair in NUMBERS.values()),
    "ARM": tuple(pair[1] for pair in NUMBERS.values()),
}

REFUSED = (
    r"REFUSED (Permission|FileNotFound|ProcessLookup|NotADirectory|ModuleNotFound|OS|Blocking)\w*"
)
NOTHING = r"GOT (None|\[\]|b''|''|False|0)$"


def deed(
    name: str, goal: str, stopped_by: str, body: str, seen: str = "", **more: object
) -> Attack:
    """A deed; ``seen`` is what must come of it: a refusal, or nothing, if not said otherwise."""
    return Attack(name, goal, stopped_by, body, seen or f"{REFUSED}|{NOTHING}", more=dict(more))


def system_calls(goal: str, stopped_by: str, calls: dict[str, str]) -> list[Attack]:
    """A deed for each system call; ``calls`` maps its name to the arguments."""
    return [
        deed(f"the system call {name}", goal, stopped_by, f"return call({name!r}, {values})")
        for name, values in calls.items()
    ]


def deeds(title: str, about: str, made: Iterable[Attack]) -> Family:
    return family(title, about, made)
