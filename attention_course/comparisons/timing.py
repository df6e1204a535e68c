"""How long an answer takes, measured briefly and quietly, and a picture of it."""

from __future__ import annotations

import io
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

from attention_course.views.view import Panel

SECONDS = 0.02  # for one measurement: enough for hundreds of calls at the lesson's size
ROUNDS = 3
SLOW = 0.02  # seconds a call: an answer in plain loops is measured once


def microseconds(
    yours: Callable[..., Any], reference: Callable[..., Any], arguments: Sequence[Any]
) -> tuple[float, float]:
    """The time of one call of each in microseconds, on one thread, without what they print.

    The two take turns, and each has the better of its medians: a busy moment of the computer,
    or the first touch of the memory, is not put down to one of them.
    """
    copies = [each.clone() if hasattr(each, "clone") else each for each in arguments]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        with warnings.catch_warnings(), _one_thread():
            warnings.simplefilter("ignore")
            rounds = [(_median(yours, copies), _median(reference, copies)) for _ in range(ROUNDS)]
    return min(mine for mine, _ in rounds), min(theirs for _, theirs in rounds)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for the first, untimed calls too.

    On a busy computer two threads of torch can wait 100 ms for each other over a product that
    takes 7 µs, and an answer that slow is taken for one in plain loops.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _median(function: Callable[..., Any], arguments: Sequence[Any]) -> float:
    from torch.utils.benchmark import Timer

    started = time.perf_counter()
    function(*arguments)
    once = time.perf_counter() - started
    if once > SLOW:
        return once * 1e6
    timer = Timer(
        "function(*arguments)",
        globals={"function": function, "arguments": arguments},
        num_threads=1,
    )
    return float(timer.blocked_autorange(min_run_time=SECONDS).median) * 1e6


def times_panel(timed: Mapping[str, tuple[float, float]]) -> Panel:
    """For each answer the student's time (frame) and the reference's (dot)."""
    said = "; ".join(
        f"{name} {yours:.3g} µs, reference {reference:.3g} µs"
        for name, (yours, reference) in timed.items()
    )
    return Panel(
        "Time of one call",
        f"Dot plot: {said}.",
        "Orange frame: yours. Blue dot: the reference's. The axis is logarithmic.",
        lambda: _dots(timed),
    )


def _dots(timed: Mapping[str, tuple[float, float]]) -> Any:
    from bokeh.models import HoverTool

    from attention_course.views.palettes import BLUE, GREY, ORANGE
    from attention_course.views.plots import plain_figure

    names = list(timed)
    every = [each for pair in timed.values() for each in pair]
    plot = plain_figure(
        width=430,
        height=90 + 34 * len(names),
        x_axis_type="log",
        # Half an order of room, so that a small difference does not look like a large one.
        x_range=(min(every) / 2, max(every) * 2),
        y_range=(len(names) - 0.5, -0.5),
        x_axis_label="microseconds",
    )
    places = list(range(len(names)))
    plot.segment(
        x0=[timed[name][0] for name in names],
        x1=[timed[name][1] for name in names],
        y0=places,
        y1=places,
        line_color=GREY,
    )
    # The frame goes around the dot, so that both are seen where the times are equal.
    for who, index, look in (
        ("reference", 1, {"marker": "circle", "size": 8, "fill_color": BLUE, "line_color": BLUE}),
        ("yours", 0, {"marker": "square", "size": 15, "fill_color": None, "line_color": ORANGE}),
    ):
        source = {"time": [timed[name][index] for name in names], "y": places, "name": names}
        dots = plot.scatter("time", "y", source=source, line_width=3, **look)
        plot.add_tools(
            HoverTool(
                renderers=[dots], tooltips=[(who, "@name"), ("time", "@time{0.0} microseconds")]
            )
        )
    plot.yaxis.ticker = places
    plot.yaxis.major_label_overrides = dict(enumerate(names))
    return plot
