"""The stand-in for an Ollama server, a reviewer that talks to it, and submissions to review."""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from attention_course.grading.review.client import Reviewer
from attention_course.grading.review.settings import Settings
from attention_course.grading.review.submitted import Submitted

EXERCISES = (
    "linear_projections",
    "attention_scores",
    "attention_weights",
    "value_aggregation",
    "attention_head",
)
PASSED = dict.fromkeys(EXERCISES, "The numeric tests pass.")


def load(name: str) -> ModuleType:
    """A module of this folder, which is no package."""
    if name not in sys.modules:
        path = Path(__file__).with_name(f"{name}.py")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


load("stand_in_ollama")
load("graded_course")


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with three submissions that nobody has graded."""
    made: Path = load("graded_course").make_course(tmp_path_factory.mktemp("review") / "released")
    return made


@pytest.fixture
def stand_in() -> Iterator[Callable[..., Any]]:
    """``stand_in(script=[…], judge=…)`` starts a stand-in server; all end with the test."""
    module = load("stand_in_ollama")
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


def reference_answers() -> dict[str, str]:
    """The panel's first right answer to each exercise."""
    from attention_course.panel import PANEL

    found: dict[str, str] = {}
    for answer in PANEL:
        if answer.right and answer.exercise in EXERCISES:
            found.setdefault(answer.exercise, answer.source)
    return found


@pytest.fixture
def submission() -> Callable[..., Submitted]:
    """``submission(attention_scores=source)``: right answers, but for those that are given."""

    def make(**answers: str) -> Submitted:
        reference = reference_answers()
        return Submitted({**reference, **answers}, reference, dict(PASSED))

    return make


@pytest.fixture
def a_class() -> Callable[..., list[Submitted]]:
    """``a_class(size, seed, exponent)``: submissions with answers from the panel.

    Seven in ten answers are right. How often a form of an answer is written follows Zipf's law
    with ``exponent``, as in classes where most write one of a few forms; 0 makes all equally
    frequent.
    """
    from attention_course.panel import PANEL

    pools: dict[tuple[str, bool], list[str]] = {}
    for answer in PANEL:
        if "not_started" not in answer.misconceptions:
            pools.setdefault((answer.exercise, answer.right), []).append(answer.source)

    def make(size: int, seed: int = 4, exponent: float = 2.2) -> list[Submitted]:
        rng = random.Random(seed)
        reference = reference_answers()
        found = []
        for _ in range(size):
            answers = {}
            for exercise in EXERCISES:
                pool = pools[exercise, rng.random() < 0.7]
                weights = [(place + 1) ** -exponent for place in range(len(pool))]
                answers[exercise] = rng.choices(pool, weights)[0]
            found.append(Submitted(answers, reference, dict(PASSED)))
        return found

    return make
