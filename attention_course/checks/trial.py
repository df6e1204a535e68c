"""One answer on trial: its results on each fixture, asked for once and kept."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from attention_course.checks.fixtures import draw
from attention_course.checks.misconceptions import message_of
from attention_course.checks.observe import NotATensor, as_numbers, call, describe, name_of, show
from attention_course.checks.pipeline import reference
from attention_course.exercise import Answer, Exercise, Fixture
from attention_course.verdict import Outcome, Verdict

# Right float32 answers differ from float64 by at most 2e-6 on these fixtures, the smallest
# fault by 0.08 (tests/checks measures both): a hundred times either way.
TOLERANCE = 1e-4

RESULTS = {
    "linear_projections": ("queries", "keys", "values"),
    "attention_scores": ("attention_scores",),
    "attention_weights": ("attention_weights",),
    "value_aggregation": ("attended_values",),
    "attention_head": ("attended_values", "attention_weights"),
    "simple_attention": ("output",),
}


@dataclass(frozen=True)
class Failure:
    """Why an answer loses its mark; ``misconceptions`` are the recognised ids."""

    message: str
    misconceptions: tuple[str, ...] = ()
    expected: str | None = None
    actual: str | None = None
    details: tuple[str, ...] = ()


def failure(name: str, /, **numbers: object) -> Failure:
    """The failure that is a misconception, with measured numbers in its message."""
    shapes = {key: str(numbers[key]) for key in ("expected", "actual") if key in numbers}
    return Failure(
        message_of(name, **numbers), (name,), shapes.get("expected"), shapes.get("actual")
    )


class Unusable(Exception):
    """The results are not the tensors that were asked for; carries the failure."""

    def __init__(self, failed: Failure) -> None:
        super().__init__(failed.message)
        self.failed = failed


REPEATED = -1


class Trial:
    """One answer, the fixtures it meets, and what came of each call."""

    def __init__(self, exercise: Exercise, kind: str, answer: Any, biases: bool = True) -> None:
        self.exercise = exercise
        self.biases = biases  # False judges a head that has none by what it does have
        self.kind = kind
        self.answer = answer
        self.notes: list[str] = []
        self._fixtures: dict[str, Fixture] = {}
        self._answers: dict[tuple[str, int], Answer] = {}
        self._results: dict[tuple[str, int], tuple[Tensor, ...]] = {}
        self._instances: dict[tuple[int, ...], Any] = {}

    def fixture(self, name: str) -> Fixture:
        if name not in self._fixtures:
            drawn = draw(self.kind, name)
            if not self.biases and drawn.state is not None:
                weights = {k: v for k, v in drawn.state.items() if not k.endswith("bias")}
                drawn = dataclasses.replace(drawn, state=weights)
            self._fixtures[name] = drawn
        return self._fixtures[name]

    def observe(self, name: str, again: int = 0) -> Answer:
        """What came of calling the answer on a fixture; ``again`` asks for another call.

        Fixtures of the same sizes have the same parameters, and share an instance of a class;
        another call gets a new one.
        """
        key = (name, again)
        if key not in self._answers:
            fixture = self.fixture(name)
            instance = None if again else self._instances.get(fixture.sizes)
            found = call(self.answer, self.kind, fixture, instance)
            if not again and "module" in found.extra:
                self._instances[fixture.sizes] = found.extra["module"]
            self._answers[key] = found
        return self._answers[key]

    def repeat(self, name: str) -> Answer:
        """What came of a second call of the same function or instance."""
        key = (name, REPEATED)
        if key not in self._answers:
            instance = self.observe(name).extra.get("module")
            self._answers[key] = call(self.answer, self.kind, self.fixture(name), instance)
        return self._answers[key]

    def results(self, name: str, again: int = 0) -> tuple[Tensor, ...]:
        """The results as float64 tensors; raises Unusable for anything else."""
        key = (name, again)
        if key not in self._results:
            self._results[key] = usable(self.kind, self.observe(name, again))
        return self._results[key]

    def tried(self, name: str) -> tuple[Tensor, ...] | None:
        """The results on a fixture, or None where there are none."""
        try:
            return self.results(name)
        except Unusable:
            return None

    def expected(self, name: str) -> tuple[Tensor, ...]:
        fixture = self.fixture(name)
        right = reference(self.kind, fixture.inputs, fixture.state)
        return right[: len(RESULTS[self.kind])]

    def right_on(self, name: str) -> bool:
        """Whether the answer is right on a fixture."""
        found = self.tried(name)
        return found is not None and all_close(found, self.expected(name))


def usable(kind: str, answer: Answer) -> tuple[Tensor, ...]:
    """An answer's results as float64 tensors, in order; raises Unusable."""
    names = RESULTS[kind]
    if answer.error is not None:
        raise Unusable(failure("raises", error=quoted(answer.error)))
    value = answer.value
    if value is None:
        raise Unusable(failure("returns_nothing"))
    items = _items(value, len(names))
    if len(names) == 1 and type(value) in (tuple, list):
        raise Unusable(failure("wrong_result_count", wanted="one tensor", got=describe(value)))
    if len(items) != len(names):
        wanted = f"{len(names)} results ({', '.join(names)})"
        raise Unusable(failure("wrong_result_count", wanted=wanted, got=describe(value)))
    try:
        return tuple(as_numbers(item) for item in items)
    except NotATensor as error:
        raise Unusable(failure("not_a_tensor", what=str(error))) from error


def _items(value: Any, wanted: int) -> list[Any]:
    """The results one by one: of a tuple, a list, or whatever counts and numbers its parts."""
    if wanted == 1 or issubclass(type(value), Tensor):
        return [value]
    if type(value) in (tuple, list):
        return list(value)
    try:
        if len(value) == wanted:  # a named tuple, say
            return [value[place] for place in range(wanted)]
    except Exception:
        pass
    return [value]


def quoted(error: BaseException) -> str:
    """An error in one line, as the student would see it."""
    name, text = name_of(type(error)), ""
    try:
        # A remote exception carries the name that it had in the student's process.
        name = str(vars(error).get("student_name", name))
        text = " ".join(str(error).split())
    except Exception:
        pass  # its own code fails: then its class is all that is known
    text = text.rstrip(".") if len(text) <= 200 else text[:200] + " …"
    return f"{name}: {text}" if text else name


def close(found: Tensor, right: Tensor, tolerance: float = TOLERANCE) -> bool:
    """Equal in shape, and in every entry up to float32 noise; NaN equals nothing."""
    if found.shape != right.shape:
        return False
    return bool(torch.isclose(found, right, rtol=tolerance, atol=tolerance).all())


def all_close(found: tuple[Tensor, ...], right: tuple[Tensor, ...]) -> bool:
    return len(found) == len(right) and all(close(f, r) for f, r in zip(found, right, strict=True))


def shapes_of(results: tuple[Tensor, ...]) -> str:
    """Shapes for a message: ``[2, 5, 3] and [2, 5, 5]``."""
    return " and ".join(show(result.shape) for result in results)


def verdict(exercise: Exercise, failed: Failure | None, notes: tuple[str, ...] = ()) -> Verdict:
    """The verdict of an exercise from its failure, or from there being none."""
    if failed is None:
        return Verdict(
            Outcome.PASSED,
            exercise.name,
            "Right: the numbers agree with the reference on inputs of several sizes.",
            exercise.points,
            exercise.points,
            details=notes,
        )
    return Verdict(
        Outcome.FAILED,
        exercise.name,
        failed.message,
        0.0,
        exercise.points,
        failed.misconceptions,
        failed.expected,
        failed.actual,
        failed.details,
    )
