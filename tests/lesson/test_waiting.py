"""Later cells wait kindly: what ``needs`` says, and what it lets through."""

import pytest

from attention_course.lesson import waiting
from attention_course.lesson.waiting import needs


@pytest.fixture
def shown(monkeypatch):
    cards = []
    monkeypatch.setattr(waiting, "show", cards.append)
    monkeypatch.delenv("ATTENTION_COURSE_SANDBOX", raising=False)
    return cards


def test_a_block_that_can_run_is_left_alone(shown):
    with needs("attention_scores"):
        result = 3
    assert result == 3 and shown == []


def test_an_unwritten_exercise_is_named(shown):
    with needs("linear_projections", "attention_scores"):
        raise NotImplementedError
    assert shown[0].text() == (
        "\N{HORIZONTAL ELLIPSIS} Waiting: this cell needs `linear_projections` and "
        "`attention_scores`\n"
        "  It is not written yet. Replace `raise NotImplementedError()` with your answer, run its "
        "check, then run this cell again."
    )


def test_a_missing_name_is_named(shown):
    with needs("attention_scores"):
        queries  # noqa: F821
    assert "`queries` does not exist yet." in shown[0].text()


def test_a_wrong_shape_sends_to_the_check(shown):
    with needs("linear_projections"):
        _queries, _keys, _values = None
    assert (
        shown[0]
        .text()
        .endswith(
            "It could not be used here (TypeError: cannot unpack non-iterable NoneType object). "
            "Run the check of that exercise: it says what to change. Then run this cell again."
        )
    )


def test_a_missing_package_is_not_the_students_fault(shown):
    with needs("attention_scores"):
        import no_such_package  # noqa: F401
    assert "A package is missing here (No module named 'no_such_package')." in shown[0].text()


def test_interrupting_the_kernel_still_interrupts(shown):
    with pytest.raises(KeyboardInterrupt), needs("attention_scores"):
        raise KeyboardInterrupt
    assert shown == []


def test_nothing_is_shown_where_a_submission_is_graded(shown, monkeypatch):
    monkeypatch.setenv("ATTENTION_COURSE_SANDBOX", "1")
    with needs("attention_scores"):
        raise NotImplementedError
    assert shown == []


def test_needs_without_an_exercise_is_refused():
    with pytest.raises(TypeError, match="at least one exercise"), needs():
        pass
