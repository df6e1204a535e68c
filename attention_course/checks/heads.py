"""Finds what is wrong in a whole head: first how its weights came about, then its output.

The output is judged against the student's *own* weights, so a fault in the weights does not
hide one in the output, and two faults get two names.
"""

# mypy: disable-error-code="misc"
# (lambdas with default arguments, which mypy does not infer)

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor

from attention_course.checks.pipeline import (
    NORMALISERS,
    PRODUCTS,
    SCALES,
    Sizes,
    named,
    projected,
)
from attention_course.checks.trial import close
from attention_course.exercise import Fixture

Ids = tuple[str, ...]
Results = tuple[Tensor, ...]
Fixtures = tuple[Fixture, Fixture]
Found = tuple[Results, Results]

SHARED = "shared_projection"
FIELDS = ("roles", "biases", "product", "scale", "normaliser")
ROLES = {
    "qk": "right",
    "qq": SHARED,
    "kk": SHARED,
    "qv": SHARED,
    "vk": SHARED,
    "vv": SHARED,
    "vq": SHARED,
    "kv": SHARED,
    "kq": "queries_keys_swapped",
}
LAYERS = {"q": "query", "k": "key", "v": "value"}
HEAD_PRODUCTS = ("right", "reshape_instead_of_transpose", "negated_scores")
HEAD_NORMALISERS = (
    "right",
    "softmax_over_queries",
    "softmax_over_batch",
    "softmax_over_everything",
    "softmax_over_everything_each",
    "softmax_twice",
    "only_exponentials",
    "divided_by_raw_sum",
    "divided_by_maximum",
    "sigmoid_instead",
    "log_softmax_instead",
    "hard_maximum",
    "no_softmax",
    "mask_applied",
)


@dataclass(frozen=True)
class Setting:
    """One way of computing weights; each field is "right" or the name of a switch."""

    roles: str = "qk"
    biases: str = "right"
    product: str = "right"
    scale: str = "right"
    normaliser: str = "right"

    def ids(self) -> Ids:
        return named(ROLES[self.roles], self.biases, self.product, self.scale, self.normaliser)

    def numbers(self) -> dict[str, object]:
        if ROLES[self.roles] != SHARED:
            return {}
        q, k = (LAYERS[role] for role in self.roles)
        text = (
            f"queries and keys both come from the {q} layer"
            if q == k
            else f"queries come from the {q} layer and keys from the {k} layer"
        )
        return {"detail": text[0].upper() + text[1:]}


def settings(default_scale: str = "right") -> Iterator[Setting]:
    """The right setting, all with one switch thrown, then all with two."""
    base = Setting(scale=default_scale)
    choices: dict[str, tuple[str, ...]] = {
        "roles": tuple(ROLES),
        "biases": ("no_biases",),
        "product": HEAD_PRODUCTS,
        "scale": tuple(SCALES),
        "normaliser": HEAD_NORMALISERS,
    }
    singles = [
        (field, value)
        for field, values in choices.items()
        for value in values
        if value != getattr(base, field)
    ]
    yield base
    for field, value in singles:
        yield _with(base, {field: value})
    for place, (field, value) in enumerate(singles):
        for other, second in singles[place + 1 :]:
            if other != field:
                yield _with(base, {field: value, other: second})


def _with(base: Setting, changes: dict[str, str]) -> Setting:
    return Setting(**{**{f: getattr(base, f) for f in FIELDS}, **changes})


def weights_of(setting: Setting, fixture: Fixture) -> Tensor:
    """The weights that a setting makes; raises RuntimeError where sizes do not fit."""
    assert fixture.state is not None
    x = fixture.inputs[0]
    with_biases = setting.biases == "right"
    queries, keys, _ = projected(x, fixture.state, with_biases, setting.roles + "v")
    sizes = fixture.dimensions
    d = fixture.sizes
    n = x.shape[-2]
    factor = SCALES[setting.scale](Sizes(n, n, queries.shape[-1], d[-1], sizes["d_model"]))
    if factor is None:
        raise RuntimeError("no such scale here")
    scores = PRODUCTS[setting.product](queries, keys) * factor
    return NORMALISERS[setting.normaliser](scores)


def find_weights(
    fixtures: Fixtures, weights: tuple[Tensor, Tensor], default_scale: str = "right"
) -> list[Setting]:
    """The settings, as few switches as possible, that make the student's weights."""
    found: list[Setting] = []
    fewest = 9
    for setting in settings(default_scale):
        thrown = len(setting.ids())
        if thrown > fewest:
            break
        try:
            if not close(weights[0], weights_of(setting, fixtures[0])):
                continue
            if not close(weights[1], weights_of(setting, fixtures[1])):
                continue
        except RuntimeError:
            continue
        fewest = min(fewest, thrown)
        if setting.ids() not in [other.ids() for other in found]:
            found.append(setting)
    return found


def _mixtures(weights: Tensor, fixture: Fixture) -> Iterator[tuple[Ids, Callable[[], Tensor]]]:
    """Ways of making an output from given weights."""
    assert fixture.state is not None
    x = fixture.inputs[0].double()
    sources: dict[str, Callable[[], Tensor]] = {
        "right": lambda: projected(x, fixture.state or {})[2],
        "keys_aggregated": lambda: projected(x, fixture.state or {})[1],
        "query_rows_aggregated": lambda: projected(x, fixture.state or {})[0],
        "embeddings_aggregated": lambda: x,
        "no_biases": lambda: projected(x, fixture.state or {}, biases=False)[2],
    }
    turns: dict[str, Callable[[Tensor], Tensor]] = {
        "right": lambda w: w,
        "weights_transposed": lambda w: w.mT,
        "softmax_again": lambda w: w.softmax(-1),
    }
    for source, make in sources.items():
        for turn, turned in turns.items():
            yield named(source, turn), lambda make=make, turned=turned: turned(weights) @ make()
        yield (
            named(source, "mean_of_values"),
            lambda make=make: (
                make().mean(-2, keepdim=True).expand(*weights.shape[:-1], make().shape[-1])
            ),
        )
        yield named(source, "residual_added"), lambda make=make: weights @ make() + make()
    yield ("residual_added",), lambda: weights @ sources["right"]() + x
    yield ("extra_scale",), lambda: weights @ sources["right"]() / math.sqrt(x.shape[-1])


def find_output(fixtures: Fixtures, found: Found) -> Ids | None:
    """How the output came from the student's own weights; () is the right way."""
    matches: list[Ids] = []
    seconds = _mixtures(found[1][1], fixtures[1])
    for (ids, make), (_, make_second) in zip(
        _mixtures(found[0][1], fixtures[0]), seconds, strict=True
    ):
        try:
            if close(found[0][0], make()) and close(found[1][0], make_second()):
                matches.append(ids)
        except RuntimeError:
            continue
    if not matches:
        return None
    fewest = min(len(ids) for ids in matches)
    best = [ids for ids in matches if len(ids) == fewest]
    return best[0] if len(best) == 1 else None


def head_candidates(
    fixtures: Fixtures, found: Found
) -> Iterator[tuple[Ids, dict[str, object]] | None]:
    """The names of what is wrong in a head's weights and output, together."""
    if _exchanged(fixtures, found):
        turned = (found[0][::-1], found[1][::-1])
        inner = list(head_candidates(fixtures, turned))
        for candidate in inner or [((), {})]:
            if candidate is not None:
                yield ("wrong_result_order", *candidate[0]), candidate[1]
        return
    settings_found = find_weights(fixtures, (found[0][1], found[1][1]))
    output = find_output(fixtures, found)
    if not settings_found:
        numbers = unknown_scale(fixtures, (found[0][1], found[1][1]))
        if numbers is not None:
            yield tuple(dict.fromkeys(("unknown_scale", *(output or ())))), numbers
            return
    choices: list[Setting | None] = [*settings_found] or [None]
    for setting in choices:
        ids: Ids = setting.ids() if setting else ()
        numbers = setting.numbers() if setting else {}
        if setting is None and not output:
            return
        if output is None:
            # Another mixture than any that has a name: the weights' fault is named alone.
            yield (ids, numbers) if ids else None
            continue
        whole = _one_story(ids, output, setting)
        if whole:
            yield whole, {**numbers, **_story_numbers(whole)}


def _one_story(ids: Ids, output: Ids, setting: Setting | None) -> Ids:
    """Faults of weights and output that are one slip of the pen get one name."""
    if setting and setting.roles in ("qq", "kk", "vv"):
        same = {"qq": "query_rows_aggregated", "kk": "keys_aggregated", "vv": "right"}
        if output in ((same[setting.roles],), ()):
            return tuple(dict.fromkeys(i for i in ids))
    if setting and setting.roles == "qv" and output == ("keys_aggregated",):
        return ("swapped_projections", *(i for i in ids if i != SHARED))
    if setting and setting.roles == "vk" and output == ("query_rows_aggregated",):
        return ("swapped_projections", *(i for i in ids if i != SHARED))
    return tuple(dict.fromkeys((*ids, *output)))


def _story_numbers(ids: Ids) -> dict[str, object]:
    if "swapped_projections" in ids:
        return {"detail": "two of the layers query, key and value play each other's part"}
    return {}


def _exchanged(fixtures: Fixtures, found: Found) -> bool:
    """Whether weights came first: no output is square where the number of tokens differs."""
    for fixture, results in zip(fixtures, found, strict=True):
        n, d_v = fixture.inputs[0].shape[-2], fixture.sizes[-1]
        if (
            len(results) != 2
            or results[0].shape[-1] != n
            or results[1].shape[-1] != d_v
            or n == d_v
        ):
            return False
    return True


def unknown_scale(fixtures: Fixtures, weights: tuple[Tensor, Tensor]) -> dict[str, object] | None:
    """The slope of the log-weights against the right scores, where they are proportional."""
    slopes = []
    for fixture, found in zip(fixtures, weights, strict=True):
        assert fixture.state is not None
        queries, keys, _ = projected(fixture.inputs[0], fixture.state)
        right = queries @ keys.mT / math.sqrt(queries.shape[-1])
        if found.shape != right.shape or bool((found <= 0).any()):
            return None
        logs = found.log()
        logs, right = logs - logs.mean(-1, keepdim=True), right - right.mean(-1, keepdim=True)
        slope = float((logs * right).sum() / (right * right).sum())
        if slope <= 0 or not close(logs, slope * right, 1e-3):
            return None
        slopes.append(slope)
    return {"ratio": f"{slopes[0]:.3g}"}


AXES: tuple[tuple[int, ...], ...] = ((-1,), (-2,), (0,), (-1, -2), (0, -1, -2))


def same_logits(weights: Tensor, scores: Tensor, tolerance: float = 1e-2) -> bool:
    """Whether weights are a softmax of ``scores`` over some axis, whichever it is.

    A softmax only takes a constant off along its axis, which vanishes from the logarithms when
    the mean along that axis is taken off. Log-weights of small weights carry float32's
    rounding; a hundredth is far below any fault.
    """
    if weights.shape != scores.shape or bool((weights <= 0).any()) or bool(weights.isnan().any()):
        return False
    logs = weights.log()
    return any(
        bool(
            ((logs - logs.mean(axes, True)) - (scores - scores.mean(axes, True))).abs().max()
            < tolerance
        )
        for axes in AXES
    )
