"""The machinery of the attention course.

What a lesson uses is exported here and loaded on first use, so that the import itself
costs nothing:

``check``   self-checks, one per exercise: ``check.attention_scores(my_function)``
``verify``  the final evaluation of an assignment
``needs``   lets a later cell wait kindly for an unfinished exercise
``views``   pictures of attention, each with a table of the same numbers
``live``    the same numbers in the lab's panels, the moment a cell has run
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attention_course import comparisons, live, views
    from attention_course.lesson import check, needs, verify

__all__ = ["check", "comparisons", "live", "needs", "verify", "views"]

_FROM_LESSON = frozenset({"check", "needs", "verify"})
_SUBMODULES = frozenset({"comparisons", "live", "views"})


def __getattr__(name: str) -> Any:
    if name in _FROM_LESSON:
        value = getattr(import_module("attention_course.lesson"), name)
    elif name in _SUBMODULES:
        value = import_module(f"attention_course.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))


if "ipykernel" in sys.modules:
    # In a notebook the lab's panels are told of what its cells do. Elsewhere nothing is loaded.
    import_module("attention_course.live").start()
