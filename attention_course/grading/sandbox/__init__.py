"""Runs a student's code in a process of its own; knows nothing of checks or marks.

A :class:`Sandbox` is one running process and the connection to it. :class:`Plain` is the
simplest kind: a child process with its own session, environment and time limits, and no
other isolation. :class:`Bubblewrap` adds namespaces: no network, and of the disk only what the
code needs. :func:`start` takes the strongest kind that the host and the settings allow.
"""

from attention_course.grading.sandbox.base import (
    Limits,
    Sandbox,
    SandboxDidNotStart,
    SandboxEnded,
    SandboxTimeout,
)
from attention_course.grading.sandbox.bubblewrap import Bubblewrap, available
from attention_course.grading.sandbox.levels import LEVELS, level_here, start
from attention_course.grading.sandbox.plain import Plain

__all__ = [
    "LEVELS",
    "Bubblewrap",
    "Limits",
    "Plain",
    "Sandbox",
    "SandboxDidNotStart",
    "SandboxEnded",
    "SandboxTimeout",
    "available",
    "level_here",
    "start",
]
