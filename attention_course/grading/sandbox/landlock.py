"""Which files a process may touch, by Linux's landlock: a wall that needs no rights to build.

Where namespaces are to be had it stands behind them; where they are not (many containers) it
is what keeps the disk from a student's code.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from attention_course.grading.sandbox.kernel import (
    LANDLOCK_ADD_RULE,
    LANDLOCK_CREATE_RULESET,
    LANDLOCK_RESTRICT_SELF,
    PR_SET_NO_NEW_PRIVS,
    prctl,
    system_call,
)

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
# Each version of landlock knows more deeds; those it does not know it cannot forbid.
FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
NETWORK_RIGHTS = {4: 3}  # binding and connecting by TCP
SCOPES = {6: 3}  # abstract sockets and signals, to processes outside
READ = EXECUTE | READ_FILE | READ_DIR
ONLY_FILES = EXECUTE | WRITE_FILE | READ_FILE | (1 << 14)  # what a rule for a file may name


@cache
def version() -> int:
    """The version of landlock that this kernel offers, 0 for none."""
    if sys.platform != "linux":
        return 0
    try:
        nothing = ctypes.c_void_p(None)
        arguments = (nothing, ctypes.c_size_t(0), ctypes.c_uint32(1))
        return system_call(LANDLOCK_CREATE_RULESET, *arguments, what="landlock")
    except OSError:
        return 0


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scope", ctypes.c_uint64),
    )


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def _known(rights: dict[int, int]) -> int:
    return next((rights[v] for v in sorted(rights, reverse=True) if v <= version()), 0)


def restrict(readable: Iterable[Path | str], writable: Iterable[Path | str]) -> None:
    """From now on this process and all it starts reads and writes nothing else.

    Paths that do not exist are passed over. Raises OSError.
    """
    rules = _Ruleset(_known(FILE_RIGHTS), _known(NETWORK_RIGHTS), _known(SCOPES))
    size = 8 if version() < 4 else 16 if version() < 6 else 24
    arguments = (ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0))
    ruleset = system_call(LANDLOCK_CREATE_RULESET, *arguments, what="landlock")
    try:
        for path in readable:
            _allow(ruleset, path, READ)
        for path in writable:
            _allow(ruleset, path, rules.files)
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        restricted = (ctypes.c_int(ruleset), ctypes.c_uint32(0))
        system_call(LANDLOCK_RESTRICT_SELF, *restricted, what="landlock")
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path | str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            rights &= ONLY_FILES
        rule = _Beneath(rights & _known(FILE_RIGHTS), place)
        arguments = (ctypes.c_int(ruleset), ctypes.c_int(1), ctypes.byref(rule), ctypes.c_uint32(0))
        system_call(LANDLOCK_ADD_RULE, *arguments, what=f"landlock {path}")
    finally:
        os.close(place)
