"""Whatever an answer does or returns, the judge says something clear and never raises."""

from __future__ import annotations

import math
import sys
import types

import pytest
import torch
from torch import nn

from attention_course.checks import EXERCISES, judge
from attention_course.checks.observe import NotATensor, as_numbers, describe
from attention_course.checks.trial import quoted
from attention_course.verdict import AnswerStopped, Outcome, Ungradable

CLASSES = [name for name, e in EXERCISES.items() if e.answer_name[0].isupper()]


def right_scores(queries, keys):
    return queries @ keys.mT / math.sqrt(queries.shape[-1])


class EqualToEverything:
    shape, dtype = torch.Size((2, 5, 7)), torch.float32

    def __eq__(self, other):
        return True

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self):
        raise RuntimeError("no words for this")

    def __getattr__(self, name):
        return self

    def __call__(self, *arguments, **named):
        return self

    def __bool__(self):
        return True

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return self


class ClaimsAll(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return True


class RefusesAll(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        raise RuntimeError("not with me")


class LyingMeta(type):
    @property
    def __name__(cls):
        raise RuntimeError("no name")

    @property
    def __module__(cls):
        raise RuntimeError("no module")

    def __instancecheck__(cls, instance):
        return True


class Nameless(metaclass=LyingMeta):
    pass


UNUSABLE = {
    "equal_to_everything": lambda q, k: EqualToEverything(),
    "nameless": lambda q, k: Nameless(),
    "sparse": lambda q, k: right_scores(q, k).to_sparse(),
    "meta": lambda q, k: right_scores(q, k).to("meta"),
    "complex": lambda q, k: right_scores(q, k).to(torch.complex64),
    "quantized": lambda q, k: torch.quantize_per_tensor(right_scores(q, k), 0.1, 0, torch.qint8),
    "nested": lambda q, k: torch.nested.nested_tensor([torch.ones(2, 3), torch.ones(1, 3)]),
    "expanded_giant": lambda q, k: torch.zeros(1).expand(10**6, 10**6),
    "array": lambda q, k: right_scores(q, k).numpy(),
    "function": lambda q, k: right_scores,
    "iterator": lambda q, k: iter([right_scores(q, k)]),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", UNUSABLE)
def test_what_is_no_dense_tensor_is_refused_by_its_kind(name):
    found = judge("attention_scores", UNUSABLE[name])
    assert found.outcome is Outcome.FAILED
    assert found.misconceptions == ("not_a_tensor",)


@pytest.mark.parametrize("kind", [ClaimsAll, RefusesAll])
def test_a_tensor_subclass_is_judged_by_its_numbers(kind):
    wrong = judge("attention_scores", lambda q, k: (right_scores(q, k) * 2).as_subclass(kind))
    assert wrong.outcome is Outcome.FAILED
    assert judge("attention_scores", lambda q, k: right_scores(q, k).as_subclass(kind)).passed


@pytest.mark.parametrize(
    "change",
    [
        nn.Parameter,
        lambda s: s.double(),
        lambda s: torch._neg_view(-s),
        lambda s: s.mT.contiguous().mT,
        lambda s: s.requires_grad_(),
    ],
    ids=["parameter", "float64", "negative_view", "other_strides", "requires_grad"],
)
def test_right_numbers_pass_in_any_dense_tensor(change):
    assert judge("attention_scores", lambda q, k: change(right_scores(q, k))).passed


class WordlessError(Exception):
    def __str__(self):
        raise ValueError("no words")

    __repr__ = __str__


class ErrorWithoutDict(Exception):
    @property
    def __dict__(self):
        raise KeyError("no dict")


def endless(queries, keys):
    return endless(queries, keys)


@pytest.mark.parametrize(
    "error",
    [SystemExit(3), GeneratorExit(), WordlessError(), ErrorWithoutDict(), MemoryError("all")],
    ids=lambda e: type(e).__name__,
)
def test_an_answer_that_raises_is_told_what_it_raised(error):
    def answer(*arguments):
        raise error

    for exercise in EXERCISES:
        found = judge(exercise, answer)
        assert found.outcome is Outcome.FAILED, exercise
        assert type(error).__name__ in found.message + " ".join(found.details)


def test_endless_recursion_loses_the_mark_and_nothing_else():
    assert "RecursionError" in judge("attention_scores", endless).message
    assert judge("attention_scores", right_scores).passed


def test_the_interrupt_key_still_works():
    def answer(queries, keys):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge("attention_scores", answer)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_stopped_answer_fails_and_a_broken_grader_is_nobodys_fault(exercise):
    def stopped(*arguments):
        raise AnswerStopped("it took longer than 10 seconds")

    def broken(*arguments):
        raise Ungradable("the sandbox did not start")

    found = judge(exercise, stopped)
    assert (found.outcome, found.misconceptions) == (Outcome.FAILED, ("stopped",))
    assert "10 seconds" in found.message
    found = judge(exercise, broken)
    assert found.outcome is Outcome.UNGRADED
    assert "the sandbox did not start" in found.message


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize(
    "answer",
    [None, 3, "text", torch.zeros(3), [], types, EqualToEverything(), EqualToEverything, object],
    ids=["None", "int", "str", "tensor", "list", "module", "equal", "equal_class", "object"],
)
def test_what_is_no_function_or_class_of_the_exercise_fails(exercise, answer):
    assert judge(exercise, answer).outcome is Outcome.FAILED


class Layers(nn.Module):
    def __init__(self, *sizes):
        super().__init__()
        first, middle, last = sizes[0], sizes[1 % len(sizes)], sizes[-1]
        self.query, self.key = nn.Linear(first, middle), nn.Linear(first, middle)
        self.value = nn.Linear(first, last)

    def forward(self, x):
        self.attention_weights = EqualToEverything()
        return EqualToEverything(), EqualToEverything()


class NoStateDict(Layers):
    def state_dict(self, *arguments, **named):
        raise RuntimeError("nothing to see")


class StateDictOfNone(Layers):
    def state_dict(self, *arguments, **named):
        return None


class LyingStateDict(Layers):
    def state_dict(self, *arguments, **named):
        return {"query.weight": EqualToEverything()}


class LoadsNothing(Layers):
    def load_state_dict(self, *arguments, **named):
        return EqualToEverything()


class WeightsThatRaise(Layers):
    @property
    def attention_weights(self):
        return 1 / 0

    @attention_weights.setter
    def attention_weights(self, value):
        pass


@pytest.mark.parametrize("exercise", CLASSES)
@pytest.mark.parametrize(
    "answer", [Layers, NoStateDict, StateDictOfNone, LyingStateDict, LoadsNothing, nn.Identity]
)
def test_a_class_that_lies_about_itself_fails(exercise, answer):
    assert judge(exercise, answer).outcome is Outcome.FAILED


@pytest.mark.parametrize("exercise", ["attention_head", "scores", "weights"])
def test_an_attribute_that_raises_fails(exercise):
    assert judge(exercise, WeightsThatRaise).outcome is Outcome.FAILED


def test_an_answer_sees_no_expected_value_while_it_runs():
    def peeking(queries, keys):
        frame = sys._getframe()
        while frame is not None:
            for held in list(frame.f_locals.values()):
                if torch.is_tensor(held) and held.shape == (2, 5, 7):
                    return held
            frame = frame.f_back
        return torch.zeros(2, 5, 7)

    assert judge("attention_scores", peeking).misconceptions == ("all_zeros",)


def test_a_result_is_described_without_asking_it():
    assert describe(EqualToEverything()).endswith("EqualToEverything")
    assert describe(Nameless()).endswith("Nameless")
    assert describe(None) == "None (is there a return statement?)"
    with pytest.raises(NotATensor, match="far too large"):
        as_numbers(torch.zeros(1).expand(10**5, 10**5))


def test_a_long_error_is_quoted_in_one_short_line():
    text = quoted(ValueError("first\nsecond " + "x" * 1000))
    assert text.startswith("ValueError: first second xxx")
    assert len(text) < 230 and "\n" not in text


def test_a_remote_error_is_quoted_under_its_own_name():
    error = Exception("went wrong")
    error.student_name = "MyError"  # type: ignore[attr-defined]
    assert quoted(error) == "MyError: went wrong"
