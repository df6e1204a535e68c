"""Runs a source text as a student's cell, with what the lesson's set-up cell imports."""

from __future__ import annotations

import contextlib
import functools
import io
import math
import types
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from attention_course.checks import EXERCISES, judge
from attention_course.verdict import Verdict


@functools.cache
def compiled(source: str) -> types.CodeType:
    return compile(source, "<string>", "exec")


def define(source: str, name: str) -> Any:
    """What ``source`` defines under ``name``."""
    namespace: dict[str, Any] = {
        "torch": torch,
        "nn": nn,
        "F": torch.nn.functional,
        "math": math,
        "__name__": "__main__",
    }
    exec(compiled(source), namespace)
    return namespace[name]


def judged(exercise: str, source: str) -> Verdict:
    """The verdict on a source text."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return judge(exercise, define(source, EXERCISES[exercise].answer_name))


@pytest.fixture(name="judged")
def _judged() -> Callable[[str, str], Verdict]:
    return judged
