"""The stand-in for an Ollama server, and a reviewer that talks to it without waiting."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from attention_course.grading.review.client import Reviewer
from attention_course.grading.review.settings import Settings


def load_stand_in() -> ModuleType:
    """``stand_in_ollama.py`` of this folder, which is no package."""
    name = "stand_in_ollama"
    if name not in sys.modules:
        path = Path(__file__).with_name(f"{name}.py")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture
def stand_in() -> Iterator[Callable[..., Any]]:
    """``stand_in(script=[…], judge=…)`` starts a stand-in server; all end with the test."""
    module = load_stand_in()
    started: list[Any] = []

    def start(*arguments: Any, **options: Any) -> Any:
        started.append(module.StandInOllama(*arguments, **options))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def reviewer() -> Iterator[Callable[..., Reviewer]]:
    """``reviewer(server, …settings)``; what it would have slept is in ``reviewer.pauses``."""
    made: list[Reviewer] = []

    def make(server: Any, **settings: Any) -> Reviewer:
        host = server if isinstance(server, str) else server.host
        pauses: list[float] = []
        made.append(Reviewer(Settings(host=host, **settings), sleep=pauses.append))
        made[-1].pauses = pauses  # type: ignore[attr-defined]
        return made[-1]

    yield make
    for one in made:
        one.close()
