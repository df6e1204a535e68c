"""Runs a student's code in a process of its own; knows nothing of checks or marks.

A :class:`Sandbox` is one running process and the connection to it; :func:`start` makes one of
the strongest kind that the machine and the settings allow:

``bubblewrap``  forked from a warm process that lives in namespaces; landlock, seccomp and
                limits besides
``landlock``    forked from a warm process, shut in by landlock, seccomp and limits
``plain``       a child process with time limits and no protection, where nothing else runs
"""

from attention_course.grading.sandbox.base import (
    Limits,
    Sandbox,
    SandboxDidNotStart,
    SandboxEnded,
    SandboxTakenAway,
    SandboxTimeout,
    Unprotected,
)
from attention_course.grading.sandbox.levels import (
    LEVELS,
    PROTECTIONS,
    REQUIRED,
    layers,
    level_here,
    refusal,
    start,
)
from attention_course.grading.sandbox.warm import shut_down
from attention_course.grading.sandbox.workfolder import read_folder, write_folder

__all__ = [
    "LEVELS",
    "PROTECTIONS",
    "REQUIRED",
    "Limits",
    "Sandbox",
    "SandboxDidNotStart",
    "SandboxEnded",
    "SandboxTakenAway",
    "SandboxTimeout",
    "Unprotected",
    "layers",
    "level_here",
    "read_folder",
    "refusal",
    "shut_down",
    "start",
    "write_folder",
]
