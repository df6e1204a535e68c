"""Time that is divided among functions: nothing counted twice, nothing lost."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest


def spend(seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def test_an_inner_part_stops_the_outer_one_s_clock() -> None:
    from benchmarks.grading.stopwatch import Stopwatch

    work = SimpleNamespace(inner=lambda: spend(0.03))
    watch = Stopwatch()
    watch.time("inner", work, "inner")

    def outer() -> None:
        spend(0.01)
        work.inner()

    began = time.perf_counter()
    watch.run("outer", outer)
    whole = time.perf_counter() - began
    assert watch.seconds["inner"] > watch.seconds["outer"] > 0
    assert sum(watch.seconds.values()) == pytest.approx(whole, abs=0.005)


def test_a_part_can_count_inside_another_part_only() -> None:
    from benchmarks.grading.stopwatch import Stopwatch

    work = SimpleNamespace(ask=lambda: spend(0.005))
    watch = Stopwatch()
    watch.time("calls", work, "ask", within="checks")
    watch.run("cells", work.ask)
    assert "calls" not in watch.seconds
    watch.run("checks", work.ask)
    assert watch.seconds["calls"] > 0


def test_time_counts_where_a_part_ends_with_an_error() -> None:
    from benchmarks.grading.stopwatch import Stopwatch

    def fail() -> None:
        spend(0.005)
        raise KeyError

    watch = Stopwatch()
    with pytest.raises(KeyError):
        watch.run("failing", fail)
    assert watch.seconds["failing"] >= 0.005


def test_a_part_that_has_moved_is_named() -> None:
    from benchmarks.grading.stopwatch import NoSuchPart, Stopwatch

    with pytest.raises(NoSuchPart, match="has no gone to be timed"):
        Stopwatch().time("part", SimpleNamespace(), "gone")
