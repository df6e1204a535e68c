"""Colours that every kind of colour vision tells apart, and what they mean in words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from attention_course.views.matrices import Matrix, finite

# Between these and the page's white or black the contrast is at least 3 to 1.
BLUE, ORANGE, GREY = "#3b84c4", "#d9730d", "#868686"
NOT_A_NUMBER, MINUS_INFINITY, PLUS_INFINITY = "#d55e00", "#9a9a9a", "#cc79a7"

# Differences smaller than this look white: rounding must not look like a fault.
SMALLEST_REACH = 1e-3


@dataclass(frozen=True, slots=True)
class Scale:
    """From numbers to colours: linear from ``low`` to ``high``."""

    low: float
    high: float
    diverging: bool
    only_rounding: bool = False  # every number is far too small to see

    @property
    def palette(self) -> tuple[str, ...]:
        return _palette(self.diverging)

    @property
    def words(self) -> str:
        if self.diverging:
            return (
                "Colour: purple is below 0, orange above 0, nearly white is 0 "
                f"(from {self.low:.3g} to {self.high:.3g})."
            )
        return f"Colour: dark blue is {self.low:.3g}, yellow is {self.high:.3g}."

    def colour(self, value: float) -> str:
        if np.isnan(value):
            return NOT_A_NUMBER
        if np.isinf(value):
            return PLUS_INFINITY if value > 0 else MINUS_INFINITY
        palette = _palette(self.diverging)
        place = (value - self.low) / (self.high - self.low)
        return palette[int(np.clip(place * len(palette), 0, len(palette) - 1))]


def scale_for(*matrices: Matrix) -> Scale:
    """One scale for all: from 0 to the largest, or balanced around 0 if any is negative."""
    values = np.concatenate([finite(matrix) for matrix in matrices])
    if values.size == 0 or not values.any():
        return Scale(0.0, 1.0, diverging=False)
    if values.min() < 0:
        reach = float(np.abs(values).max())
        return Scale(-reach, reach, diverging=True)
    return Scale(0.0, float(values.max()), diverging=False)


def difference_scale(difference: Matrix) -> Scale:
    """Balanced around 0."""
    reach = float(np.abs(finite(difference)).max(initial=SMALLEST_REACH))
    return Scale(-reach, reach, diverging=True, only_rounding=reach == SMALLEST_REACH)


def words_for_oddities(*matrices: Matrix) -> str:
    """What stands for numbers that are none, if there are any."""
    values = np.concatenate([np.ravel(matrix) for matrix in matrices])
    parts = []
    if np.isnan(values).any():
        parts.append("vermilion is NaN (not a number)")
    if np.isneginf(values).any():
        parts.append("grey is minus infinity (masked)")
    if np.isposinf(values).any():
        parts.append("pink is infinity")
    said = ", ".join(parts)
    return f" {said[0].upper()}{said[1:]}." if said else ""


def ink_on(colour: str) -> str:
    """Black or white, whichever reads better on the colour."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    luminance = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
    return "#000000" if luminance > 0.18 else "#ffffff"


@cache
def _palette(diverging: bool) -> tuple[str, ...]:
    from bokeh.palettes import PuOr, cividis, interp_palette

    # An odd number, so that one colour in the middle belongs to 0.
    return tuple(interp_palette(PuOr[11], 63) if diverging else cividis(64))
