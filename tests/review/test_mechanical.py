"""The computed part of the review: what it finds, on which line, and what that costs."""

from __future__ import annotations

import subprocess
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pytest

from attention_course.grading.review import linter
from attention_course.grading.review.judgement import combine
from attention_course.grading.review.mechanical import Finding, mechanical_findings
from attention_course.grading.review.style import BY_NAME, RULES
from attention_course.grading.review.submitted import solutions
from attention_course.panel import PANEL

SCORES = '''def scaled_dot_product_scores(queries, keys):
    """[..., n_q, d_k] and [..., n_k, d_k] to [..., n_q, n_k]."""
    {}
'''


@pytest.fixture(scope="module")
def reference(repository_root: Path) -> dict[str, str]:
    path = repository_root / "source" / "attention" / "lesson.ipynb"
    return solutions(nbformat.read(path, as_version=4))


def found(body: str, reference: str = "") -> list[Finding]:
    source = SCORES.format(body.replace("\n", "\n    "))
    known = {"attention_scores": reference}
    return list(mechanical_findings({"attention_scores": source}, known).findings)


def test_the_instructor_s_own_answers_lose_nothing(reference: dict[str, str]) -> None:
    report = mechanical_findings(reference, reference)
    assert (report.score, report.findings) == (1.0, ())


@pytest.mark.parametrize(
    ("rule", "line", "body"),
    [
        ("magic number", 3, "return queries @ keys.mT / 8"),
        ("magic number", 3, "return (queries @ keys.mT).reshape(1, 6, 6)"),
        ("left unused", 3, "size = keys.shape\nreturn queries @ keys.mT"),
        ("left unused", 3, "import numpy\nreturn queries @ keys.mT"),
        ("code in comments", 4, "scores = queries @ keys.mT\n# scores = scores / 2\nreturn scores"),
        ("left-over print", 3, "print(queries)\nreturn queries @ keys.mT"),
        ("unclear name", 3, "tmp = queries @ keys.mT\nreturn tmp"),
        ("unclear name", 3, "x1 = queries @ keys.mT\nreturn x1"),
        ("several statements on a line", 3, "scores = queries @ keys.mT; return scores"),
        ("catches everything", 5, "try:\n    return queries @ keys.mT\nexcept:\n    return None"),
        ("roundabout comparison", 3, "if queries == None: return 0\nreturn queries @ keys.mT"),
        (
            "entry by entry",
            4,
            "scores = {}\nfor i in range(len(queries)):\n    for j in range(len(keys)):\n"
            "        scores[i, j] = queries[i] @ keys[j]\nreturn scores",
        ),
        ("unfinished", 1, "raise NotImplementedError()"),
        ("unfinished", 1, "pass"),
        ("unreadable", 3, "return queries @"),
    ],
)
def test_a_slip_is_found_on_its_line(rule: str, line: int, body: str) -> None:
    assert (rule, line) in [(f.rule, f.line) for f in found(body)]


def test_what_is_refused_under_a_condition_is_no_unfinished_answer() -> None:
    body = "if keys is None:\n    raise NotImplementedError\nreturn queries @ keys.mT"
    assert found(body) == []


def test_a_class_with_one_method_to_be_written_is_unfinished() -> None:
    source = "class Head:\n    def a(self):\n        return 1\n\n    def b(self):\n        raise NotImplementedError()\n"
    found = mechanical_findings({"attention_head": source}, {}).findings
    assert [f.rule for f in found] == ["unfinished"]


def test_a_missing_shape_is_told_only_of_a_definition() -> None:
    bare = {"attention_scores": "def scores(queries):\n    return queries\n"}
    assert [f.rule for f in mechanical_findings(bare, {}).findings] == ["no shapes"]
    commented = {
        "attention_scores": "def scores(queries):  # [batch, n_q, d_k]\n    return queries\n"
    }
    assert mechanical_findings(commented, {}).findings == ()


def test_lines_in_two_answers_are_told_once_unless_the_course_does_so_too() -> None:
    lines = "    d = q.shape\n    e = d[-1]\n    s = q @ q.mT / e\n    return s\n"
    answers = {"one": f"def one(q):  # shape\n{lines}", "two": f"def two(q):  # shape\n{lines}"}
    copied = [f for f in mechanical_findings(answers, {}).findings if f.rule == "copied"]
    assert [(f.exercise, f.line) for f in copied] == [("two", 2)] and "`one`" in copied[0].message
    fine = mechanical_findings(answers, {"two": answers["two"], "one": answers["one"]})
    assert "copied" not in [f.rule for f in fine.findings]


def test_a_number_or_name_of_the_reference_is_nobody_s_fault() -> None:
    body = "tmp = queries @ keys.mT / 8\nreturn tmp"
    source = SCORES.format(body.replace("\n", "\n    "))
    assert found(body) and not found(body, source)


def test_an_exercise_that_was_not_handed_in_counts_as_unfinished(
    reference: dict[str, str],
) -> None:
    report = mechanical_findings({}, reference)
    assert report.score == 0 and {f.rule for f in report.findings} == {"unfinished"}


def test_a_rule_costs_no_more_than_its_most() -> None:
    many = "\n".join(f"print({n})" for n in range(9)) + "\nreturn queries @ keys.mT"
    costs = [f.cost for f in found(many) if f.rule == "left-over print"]
    assert len(costs) == 9 and sum(costs) == pytest.approx(BY_NAME["left-over print"].most)


def test_no_rule_costs_more_at_once_than_in_all() -> None:
    assert all(0 < rule.cost <= rule.most <= 1 for rule in RULES)


def test_another_right_approach_costs_little(reference: dict[str, str]) -> None:
    """Loops, einsum, bmm: no right answer of the panel falls under half for its approach."""
    behaviour = ("prints", "dead_code", "warn")
    for known in PANEL:
        if (
            known.right
            and known.exercise in reference
            and not any(word in known.name for word in behaviour)
        ):
            own = {known.exercise: known.source}
            report = mechanical_findings(own, {known.exercise: reference[known.exercise]})
            assert report.score >= 0.4, (known.exercise, known.name, report.findings)


def test_what_a_student_says_to_ruff_is_not_heard() -> None:
    assert "left unused" in [f.rule for f in found("size = 1  # noqa\nreturn queries")]
    assert "left unused" in [f.rule for f in found("size = 1  # ruff: noqa\nreturn queries")]


def test_it_is_the_same_each_time() -> None:
    body = "tmp = 5; x1 = tmp\nprint(x1)\nreturn queries / 8"
    assert found(body) == found(body)


def test_magics_and_line_ends_do_not_move_a_line() -> None:
    source = "%timeit 1\r\n!ls\r\ndef scores(q):  # shape\r\n    tmp = q\r\n    return tmp\r\n"
    report = mechanical_findings({"attention_scores": source}, {})
    assert [(f.rule, f.line) for f in report.findings] == [("unclear name", 4)]


@pytest.mark.parametrize("source", ["\0", "(" * 5000, "x = " + "9" * 10_000, "é\ud800", "\f\n\t"])
def test_odd_text_is_read_without_a_failure(source: str) -> None:
    assert 0 <= mechanical_findings({"attention_scores": source}, {}).score <= 1


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (FileNotFoundError, "failed (FileNotFoundError)"),
        (subprocess.TimeoutExpired("ruff", 30.0), "took longer than 30 s"),
    ],
)
def test_without_ruff_a_person_is_told_and_no_student_is(
    failure: Exception, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_ruff(*arguments: object, **options: object) -> None:
        raise failure

    monkeypatch.setattr("attention_course.grading.review.linter.subprocess.run", no_ruff)
    report = mechanical_findings({"attention_scores": SCORES.format("return queries")}, {})
    assert report.score == 1.0
    result = combine({}, report)
    assert result.for_person == [f"the program ruff {why}; the computed points may be too many"]
    assert "ruff" not in result.comment


def _answers(number: int) -> dict[str, str]:
    return {"attention_scores": SCORES.format(f"left_{number} = {number}\n    return queries")}


@pytest.fixture
def runs_of_ruff(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many answers each run of ruff was given, from here on."""
    given: list[int] = []
    real = linter.run

    def counted(texts: Sequence[str]) -> str | None:
        given.append(len(texts))
        return real(texts)

    monkeypatch.setattr(linter, "said", OrderedDict())
    monkeypatch.setattr(linter, "run", counted)
    return given


def test_what_comes_next_is_read_in_the_same_run_and_changes_no_finding(
    runs_of_ruff: list[int],
) -> None:
    coming = iter([["def f(:", "[" * 300 + "]" * 300, *_answers(2).values()], []])
    first = mechanical_findings(_answers(1), {}, lambda: next(coming))
    second = mechanical_findings(_answers(2), {}, lambda: next(coming))
    assert runs_of_ruff == [2]  # what no Python can read is not among them
    linter.said.clear()
    assert [first, second] == [mechanical_findings(_answers(number), {}) for number in (1, 2)]


def test_an_answer_that_stops_ruff_takes_no_other_with_it(
    runs_of_ruff: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = mechanical_findings(_answers(1), {})
    linter.said.clear()
    counted = linter.run

    def stopped(texts: Sequence[str]) -> str | None:
        return (
            "took longer than 30 s" if any("hostile" in text for text in texts) else counted(texts)
        )

    monkeypatch.setattr(linter, "run", stopped)
    assert mechanical_findings(_answers(1), {}, lambda: ["hostile = 1"]) == alone
