"""Whether a process of another machine may grade for this one."""

from __future__ import annotations

from dataclasses import dataclass

from attention_course.grading.batch.versions import own_code, versions
from attention_course.grading.sandbox import refusal


@dataclass(frozen=True)
class Demands:
    """What a worker must be like, so that marks do not depend on where they come from."""

    versions: dict[str, str]
    code: str
    isolation: str
    required: tuple[str, ...]


def unfit(demands: Demands) -> str | None:
    """Why this process may not grade, or None."""
    for name, wanted in demands.versions.items():
        found = versions().get(name)
        if found != wanted:
            return f"it has {name} {found or '(none)'} where the grader has {wanted}"
    if own_code() != demands.code:
        return "its attention-course is not the grader's"
    return refusal(demands.isolation, demands.required)
