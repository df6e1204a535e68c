"""What is made of the times: start, slope, ratios, and the rate of a class of another size."""

from __future__ import annotations

import pytest


def run(number: int, wall: float, start: float, each: float, students: int = 10):
    from benchmarks.grading.runs import Run

    landed = tuple(start + each * (n + 1) for n in range(students))
    return Run(number, students, wall, 1.0, "rusage", landed)


def test_start_and_milliseconds_each_add_up_to_the_whole() -> None:
    found = run(1, wall=7.0, start=2.0, each=0.5)
    assert found.each_s == pytest.approx(0.5)
    assert found.start_s == pytest.approx(2.0)
    assert found.class_s(10) == 7.0
    assert found.class_s(50) == pytest.approx(27.0)


def test_two_workers_that_land_together_are_not_taken_for_faster_ones() -> None:
    from benchmarks.grading.runs import Run

    landed = tuple(float(pair) for pair in range(1, 21) for _ in range(2))
    found = Run(1, 40, 20.0, 1.0, "rusage", landed)
    assert found.each_s == pytest.approx(0.5, rel=0.01)


def test_ratios_compare_runs_of_the_same_round() -> None:
    from benchmarks.grading.runs import Results

    stock, ours = Results("stock", "stock"), Results("ours", "ours")
    stock.runs = [run(1, 20.0, 0.0, 2.0), run(2, 40.0, 0.0, 4.0)]  # the second minute was slow
    ours.runs = [run(1, 2.0, 0.0, 0.2), run(2, 4.0, 0.0, 0.4)]
    times = ours.times(stock, 10)
    assert (times.least, times.median, times.most) == pytest.approx((10.0, 10.0, 10.0))
    assert ours.times_without_start(stock).median == pytest.approx(10.0)


def test_a_spread_is_told_where_there_is_one() -> None:
    from benchmarks.grading.runs import Spread

    assert Spread.of([3.0, 1.0, 2.0]).text(1) == "2.0 (1.0–3.0)"
    assert Spread.of([2.0, 2.0]).text(1, " s") == "2.0 s"


def test_a_student_who_was_not_graded_spoils_the_run() -> None:
    from benchmarks.grading.marks import compare

    with pytest.raises(ValueError, match="student-02 of 2 students were not graded"):
        compare({"student-01": {"a": True}}, {"student-01": {"a": True}, "student-02": {"a": True}})


def test_marks_that_differ_are_counted_and_named() -> None:
    from benchmarks.grading.marks import compare

    expected = {"student-01": {"a": True, "b": False, "c": True}}
    found = compare({"student-01": {"a": True, "b": True, "c": None}}, expected)
    assert (found.right, found.right_marked, found.wrong, found.wrong_refused) == (2, 1, 1, 0)
    assert found.differing == ("student-01/b", "student-01/c")
