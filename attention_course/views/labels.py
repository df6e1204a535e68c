"""Tokens and numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

LONGEST_ON_AN_AXIS = 14

_NAMED = {"\n": "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}", "\t": "\N{RIGHTWARDS ARROW TO BAR}"}


def visible(token: object) -> str:
    """A token with nothing in it that cannot be seen: blanks and control characters as signs."""
    text = str(token)
    if not text.strip(" "):
        return "\N{OPEN BOX}" * len(text) or "(empty)"
    return "".join(
        _NAMED.get(sign, sign if sign.isprintable() else f"\\x{ord(sign):02x}") for sign in text
    )


def shortened(label: str, longest: int = LONGEST_ON_AN_AXIS) -> str:
    """The label itself, or its beginning and three dots in one sign."""
    return label if len(label) <= longest else label[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"


def number_style(
    values: Sequence[float] | NDArray[np.float64], most: int = 3
) -> Callable[[float], str]:
    """How to write the numbers of one table: as many decimals, at most ``most``, for all."""
    finite = [abs(float(value)) for value in np.asarray(values).flat if math.isfinite(value)]
    largest = max(finite, default=0.0)
    if largest == 0 or 0.01 <= largest < 10:
        return _fixed(min(3, most))
    if 10 <= largest < 100:
        return _fixed(min(2, most))
    if 100 <= largest < 100_000:
        return _fixed(1)
    return lambda value: spelled(value, f"{value:.{most - 1}e}")


def _fixed(decimals: int) -> Callable[[float], str]:
    def write(value: float) -> str:
        text = f"{value:.{decimals}f}"
        # A number that rounds to nothing has no sign.
        return spelled(value, text.lstrip("-") if float(text or "nan") == 0 else text)

    return write


def spelled(value: float, finite_text: str) -> str:
    """The text given, or the word for what is not a finite number."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else "-\N{INFINITY}"
    return finite_text
