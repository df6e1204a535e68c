"""Runs a student's code in a process of its own; knows nothing of checks or marks.

A :class:`Sandbox` is one running process and the connection to it. :class:`Plain` is the
simplest kind: a child process with its own session, environment and time limits, and no
other isolation. Stronger kinds have the same three methods.
"""

from attention_course.grading.sandbox.base import (
    Limits,
    Sandbox,
    SandboxDidNotStart,
    SandboxEnded,
    SandboxTimeout,
)
from attention_course.grading.sandbox.plain import Plain

__all__ = ["Limits", "Plain", "Sandbox", "SandboxDidNotStart", "SandboxEnded", "SandboxTimeout"]
