"""Runs that take turns: who waits does nothing, and what was graded ahead does not count."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest


def test_what_a_part_s_first_submissions_took_does_not_count() -> None:
    from benchmarks import _scale_turns

    slow_start = [0.0, 4.0, 6.0, 7.0, 8.0, 9.5, 9.6, 9.7, 9.8]
    assert _scale_turns.milliseconds_each(slow_start) == pytest.approx(100.0)


@pytest.fixture
def standing_in(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A run that grades nothing, with the clock of the real one; what it has done so far."""
    from benchmarks import _scale_probe, _scale_turns

    done: list[int] = []

    def graded(*about: Any, pausing: tuple[str, ...]) -> dict[str, Any]:
        clock = _scale_probe.Clock(*pausing)
        clock.begin(27, 0)
        for number in range(27):
            done.append(number)
            clock.step(f"student-{number}")
        return {"done": clock.done}

    monkeypatch.setattr(_scale_turns, "graded", graded)
    return done


def test_a_run_in_parts_does_one_part_a_turn(standing_in: list[int], tmp_path: Path) -> None:
    from benchmarks._scale_turns import InParts

    prepared: Any = None
    with InParts(prepared, 1, tmp_path, None, 10) as run:
        assert standing_in == []
        for after in (10, 20, 27):
            run.turn()
            time.sleep(0.05)  # whoever does not wait would go on meanwhile
            assert len(standing_in) == after
        assert len(run.result()["each_ms"]) == 3


def test_a_run_that_nobody_asks_any_more_comes_to_its_end(
    standing_in: list[int], tmp_path: Path
) -> None:
    from benchmarks._scale_turns import InParts

    prepared: Any = None
    with InParts(prepared, 1, tmp_path, None, 10) as run:
        run.turn()
    assert len(standing_in) == 27
    assert run.result()["done"]


def test_what_a_submission_costs_in_a_large_class_is_compared_part_by_part() -> None:
    from benchmarks.scale import growth

    small = {"each": [50.0, 100.0, 60.0]}
    large = {"each": [55.0, 90.0, 60.0]}
    assert growth([{"each": [1.0]}, small, large]) == pytest.approx([1.1, 0.9, 1.0])
    assert growth([large]) == []
