"""From a submission to its review: what is computed, what is asked, and both put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attention_course.grading.review.cache import StoredAnswer
from attention_course.grading.review.submitted import Submitted

# ask(exercise, masked, request): the model's answer, or the stored one.
Ask = Callable[[str, bool, Any], StoredAnswer]


def assess(submitted: Submitted, ask: Ask) -> dict[str, Any]:
    raise NotImplementedError


def computed(submitted: Submitted) -> dict[str, Any]:
    raise NotImplementedError


def without_a_model(submitted: Submitted, *, asks: bool) -> dict[str, Any] | None:
    raise NotImplementedError


def form() -> str:
    raise NotImplementedError


def state_of(result: dict[str, Any]) -> str:
    """The queue's word for a result."""
    return "for_person" if result["for_person"] else "done"
