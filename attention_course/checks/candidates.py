"""The candidates of diagnosis: settings of the pipeline's switches, tried on a student's numbers.

Each finder yields the names of the faults whose numbers equal the student's on both fixtures,
with the measured numbers for their messages; single faults stand before pairs.
"""

# mypy: disable-error-code="misc"
# (lambdas with default arguments, which mypy does not infer)

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from attention_course.checks.heads import head_candidates
from attention_course.checks.observe import show
from attention_course.checks.pipeline import (
    AGGREGATIONS,
    NORMALISERS,
    PRODUCTS,
    SCALES,
    Sizes,
    named,
)
from attention_course.checks.trial import RESULTS, all_close, close
from attention_course.exercise import Fixture

Ids = tuple[str, ...]
Results = tuple[Tensor, ...]
Candidate = tuple[Ids, dict[str, object]]


def _computed(compute: Callable[[], Results | Tensor]) -> Results | None:
    """A candidate's results, or None where it cannot be computed for these sizes."""
    try:
        value = compute()
    except (RuntimeError, IndexError):
        return None
    return value if isinstance(value, tuple) else (value,)


Fixtures = tuple[Fixture, Fixture]
Found = tuple[Results, Results]


def _both(fixtures: Fixtures, found: Found, compute: Callable[[Fixture], Results | Tensor]) -> bool:
    for fixture, results in zip(fixtures, found, strict=True):
        made = _computed(lambda fixture=fixture: compute(fixture))
        if made is None or not all_close(results, made):
            return False
    return True


# -- projections


def _projection_candidates(fixtures: Fixtures, found: Found) -> Iterator[Candidate | None]:
    parts = []
    for place in range(3):
        part = _projection_part(fixtures, (found[0][place], found[1][place]))
        if part is None:
            return
        parts.append(part)
    sources = "".join(source for source, _, _ in parts)
    ids: list[str] = []
    numbers: dict[str, object] = {}
    if sources == "xxx":
        ids.append("embeddings_returned")
    elif sources != "qkv":
        ids.append(
            "swapped_projections" if sorted(sources) == list("kqv") else "one_projection_for_all"
        )
        words = {"q": "W_q", "k": "W_k", "v": "W_v", "x": "no matrix"}
        made = zip(("queries", "keys", "values"), sources, "qkv", strict=True)
        numbers["detail"] = ", ".join(f"{n} come from {words[s]}" for n, s, r in made if s != r)
    ids += [manner for _, manner, _ in parts if manner != "right"]
    scaled = [
        f"Your {name} are {ratio} times" if not place else f"{name} {ratio} times"
        for place, (name, ratio) in enumerate(
            (name, ratio)
            for name, (_, manner, ratio) in zip(RESULTS["linear_projections"], parts, strict=True)
            if manner == "scaled_projections"
        )
    ]
    if scaled:
        numbers["scaled"] = ", ".join(scaled)
    yield tuple(dict.fromkeys(ids)), numbers


def _projection_part(fixtures: Fixtures, found: Results) -> tuple[str, str, str] | None:
    """Which matrix made one of the three results, and how: (source, manner, ratio)."""
    manners: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "right": lambda x, w: x @ w,
        "weight_transposed": lambda x, w: x @ w.mT,
        "elementwise_product": lambda x, w: x * w,
    }
    for source, place in (("q", 1), ("k", 2), ("v", 3)):
        for manner, compute in manners.items():
            ratios = []
            for fixture, result in zip(fixtures, found, strict=True):
                x, w = fixture.inputs[0].double(), fixture.inputs[place].double()
                made = _computed(lambda x=x, w=w, compute=compute: compute(x, w))
                ratio = proportion(result, made[0]) if made else None
                if ratio is None:
                    break
                ratios.append(ratio)
            else:
                if all(abs(ratio - 1) < 1e-3 for ratio in ratios):
                    return source, manner, ""
                if manner == "right":
                    return source, "scaled_projections", f"{ratios[0]:.3g}"
    if all(close(r, f.inputs[0].double()) for f, r in zip(fixtures, found, strict=True)):
        return "x", "right", ""
    return None


def proportion(found: Tensor, base: Tensor) -> float | None:
    """The number c with found = c * base, if there is one."""
    if found.shape != base.shape or not bool(torch.isfinite(found).all()):
        return None
    square = float((base * base).sum())
    c = float((found * base).sum()) / square if square else 0.0
    noise = 1e-4 * max(1.0, float(found.abs().max()))
    return c if abs(c) > 1e-9 and float((found - c * base).abs().max()) < noise else None


# -- scores


def _sizes(fixture: Fixture) -> Sizes:
    queries, keys = fixture.inputs[0], fixture.inputs[1]
    return Sizes(queries.shape[-2], keys.shape[-2], queries.shape[-1])


def scale_names(sizes: tuple[Sizes, Sizes], ratios: tuple[float, float]) -> list[str]:
    """The known scales that explain the factors found at two sizes."""
    fits = []
    for name, formula in SCALES.items():
        made = [formula(s) for s in sizes]
        if all(m is not None and abs(r / m - 1) < 1e-3 for r, m in zip(ratios, made, strict=True)):
            fits.append(name)
    return fits


def _score_candidates(fixtures: Fixtures, found: Found) -> Iterator[Candidate | None]:
    sizes = _sizes(fixtures[0]), _sizes(fixtures[1])
    for product, compute in PRODUCTS.items():
        ratios = []
        for fixture, results in zip(fixtures, found, strict=True):
            q, k = (t.double() for t in fixture.inputs)
            made = _computed(lambda q=q, k=k, compute=compute: compute(q, k))
            ratio = proportion(results[0], made[0]) if made else None
            if ratio is None or ratio < 0:
                break
            ratios.append(ratio)
        else:
            names = scale_names(sizes, (ratios[0], ratios[1]))
            names = names[:1] if "right" in names or len(names) < 2 else names
            relative = f"{ratios[0] * math.sqrt(sizes[0].d_k):.3g}"
            for scale in names or ["unknown_scale"]:
                yield named(product, scale), {"ratio": relative}


def _late_scores(fixtures: Fixtures, found: Found) -> Iterator[Candidate | None]:
    """Scores that went through a later step too: softmax, or a mask."""

    def scores(fixture: Fixture, product: str, scale: str) -> Tensor:
        q, k = (t.double() for t in fixture.inputs)
        factor = SCALES[scale](_sizes(fixture))
        if factor is None:
            raise RuntimeError("no such scale here")
        return PRODUCTS[product](q, k) * factor

    for product in ("right", "queries_keys_swapped", "reshape_instead_of_transpose"):
        for scale in SCALES:
            if _both(fixtures, found, lambda f, p=product, s=scale: scores(f, p, s).softmax(-1)):
                yield named("softmax_already_applied", product, scale), {}
            masked = []
            for fixture, results in zip(fixtures, found, strict=True):
                made = _computed(lambda f=fixture, p=product, s=scale: scores(f, p, s))
                masked.append(made is not None and _masked_equal(results[0], made[0]))
            if all(masked):
                yield named("mask_applied", product, scale), {}


def _masked_equal(found: Tensor, scores: Tensor) -> bool:
    """Whether the upper triangle was masked out and the rest is as it should be."""
    if found.shape != scores.shape or min(scores.shape[-2:]) < 2:
        return False
    upper = torch.ones_like(scores).triu(1).bool()
    hidden = bool((found[upper] < -1e3).all()) or bool((found[upper] == 0).all())
    return hidden and close(found[~upper], scores[~upper])


# -- weights

TEMPERATURES: dict[str, Callable[[Fixture], float]] = {
    "right": lambda f: 1.0,
    "eighth": lambda f: 1 / 8,
    "eight": lambda f: 8.0,
    "half": lambda f: 0.5,
    "double": lambda f: 2.0,
    "sqrt_keys": lambda f: f.inputs[0].shape[-1] ** -0.5,
    "sqrt_queries": lambda f: f.inputs[0].shape[-2] ** -0.5,
    "by_sqrt_keys": lambda f: f.inputs[0].shape[-1] ** 0.5,
    "keys": lambda f: 1 / f.inputs[0].shape[-1],
    "base_two": lambda f: math.log(2),
    "tenth": lambda f: 0.1,
    "ten": lambda f: 10.0,
}


def _weight_singles(fixtures: Fixtures, found: Found) -> Iterator[Candidate | None]:
    numbers: dict[str, object] = _worst_row(found[0][0])
    for name, compute in NORMALISERS.items():
        if _both(fixtures, found, lambda f, c=compute: c(f.inputs[0].double())):
            yield named(name), numbers
    if all(rounded(r[0], f) for f, r in zip(fixtures, found, strict=True)):
        size = max(float((r[0].sum(-1) - 1).abs().max()) for r in found)
        yield ("rounded_weights",), {"size": f"{size:.2g}"}
    slopes = [_slope(r[0], f.inputs[0].double()) for f, r in zip(fixtures, found, strict=True)]
    if all(slope is not None for slope in slopes):
        yield ("wrong_temperature",), {"ratio": f"{slopes[0]:.3g}"}


def _weight_pairs(fixtures: Fixtures, found: Found) -> Iterator[Candidate | None]:
    for name, compute in NORMALISERS.items():
        if name in ("right", "hard_maximum"):
            continue
        for scale, factor in TEMPERATURES.items():
            if scale != "right" and _both(
                fixtures,
                found,
                lambda f, c=compute, t=factor: c(f.inputs[0].double() * t(f)),
            ):
                ratio = f"{factor(fixtures[0]):.3g}"
                yield named(name, "wrong_temperature"), {"ratio": ratio, **_worst_row(found[0][0])}
    for outer in NORMALISERS:
        for inner in NORMALISERS:
            if "right" in (outer, inner) or outer == inner:
                continue
            if _both(
                fixtures,
                found,
                lambda f, o=outer, i=inner: NORMALISERS[o](NORMALISERS[i](f.inputs[0].double())),
            ):
                yield named(inner, outer), _worst_row(found[0][0])
    for name in ("softmax_over_queries", "softmax_over_batch", "softmax_over_everything"):
        if _both(fixtures, found, lambda f, n=name: NORMALISERS[n](-f.inputs[0].double())):
            yield named("negated_scores", name), _worst_row(found[0][0])
    for inner in ("softmax_over_queries", "softmax_over_batch", "softmax_over_everything"):
        for first, second in ((inner, "right"), ("right", inner), (inner, inner)):
            if _both(
                fixtures,
                found,
                lambda f, a=first, b=second: NORMALISERS[b](NORMALISERS[a](f.inputs[0].double())),
            ):
                yield named("softmax_twice", inner), _worst_row(found[0][0])


def _worst_row(weights: Tensor) -> dict[str, object]:
    sums = weights.sum(-1)
    worst = int((sums - 1).abs().flatten().argmax())
    row = worst % sums.shape[-1] if sums.dim() else 0
    return {"row": row, "sum": f"{float(sums.flatten()[worst]):.3g}"}


def rounded(found: Tensor, fixture: Fixture) -> bool:
    right = fixture.inputs[0].double().softmax(-1)
    if found.shape != right.shape or close(found, right):
        return False
    return any(close(found, right.round(decimals=digits), 1e-6) for digits in (1, 2, 3))


def _slope(found: Tensor, scores: Tensor) -> float | None:
    """The temperature of weights that are a softmax of scaled scores."""
    if found.shape != scores.shape or bool((found <= 0).any()):
        return None
    if not close(found.sum(-1), torch.ones_like(found.sum(-1))):
        return None
    logs = found.log()
    ratio = proportion(logs - logs.mean(-1, keepdim=True), scores - scores.mean(-1, keepdim=True))
    return ratio if ratio is not None and ratio > 0 else None


# -- aggregation


def _value_singles(fixtures: Fixtures, found: Found) -> Iterator[Candidate | None]:
    for name, compute in AGGREGATIONS.items():
        if _both(
            fixtures, found, lambda f, c=compute: c(f.inputs[0].double(), f.inputs[1].double())
        ):
            ratio = proportion(
                found[0][0], fixtures[0].inputs[0].double() @ fixtures[0].inputs[1].double()
            )
            yield named(name), {"ratio": f"{ratio:.3g}" if ratio else "…"}
    ratios = [
        proportion(r[0], f.inputs[0].double() @ f.inputs[1].double())
        for f, r in zip(fixtures, found, strict=True)
    ]
    if all(ratio is not None and abs(ratio - 1) > 1e-3 for ratio in ratios):
        yield ("extra_scale",), {"ratio": f"{ratios[0]:.3g}"}
    if all(_lost_batch(r[0], f) for f, r in zip(fixtures, found, strict=True)):
        right = fixtures[0].inputs[0].double() @ fixtures[0].inputs[1].double()
        yield ("batch_lost",), {"expected": show(right.shape), "actual": show(found[0][0].shape)}


def _lost_batch(found: Tensor, fixture: Fixture) -> bool:
    right = fixture.inputs[0].double() @ fixture.inputs[1].double()
    reduced = (right[0], right[-1], right.sum(0), right.mean(0), right.flatten(0, 1))
    return any(close(found, other) for other in reduced)


def _value_pairs(fixtures: Fixtures, found: Found) -> Iterator[Candidate | None]:
    weights: dict[str, Callable[[Tensor], Tensor]] = {
        "weights_transposed": lambda w: w.mT,
        "softmax_again": lambda w: w.softmax(-1),
    }
    values: dict[str, Callable[[Tensor], Tensor]] = {
        "values_transposed": lambda v: v.mT,
        "reshape_instead_of_transpose": lambda v: (
            v.reshape(*v.shape[:-2], v.shape[-1], v.shape[-2]).mT
        ),
        "right": lambda v: v,
    }
    after: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "right": lambda out, v: out,
        "residual_added": lambda out, v: out + v,
        "extra_scale": lambda out, v: out / math.sqrt(v.shape[-1]),
    }
    for w_name, change_w in (*weights.items(), ("right", lambda w: w)):
        for v_name, change_v in values.items():
            for a_name, change in after.items():
                ids = named(w_name, v_name, a_name)
                if len(ids) == 2 and _both(
                    fixtures,
                    found,
                    lambda f, cw=change_w, cv=change_v, ca=change: ca(
                        cw(f.inputs[0].double()) @ cv(f.inputs[1].double()), f.inputs[1].double()
                    ),
                ):
                    yield ids, {}


Finder = Callable[[Fixtures, Found], Iterator[Candidate | None]]
CANDIDATES: dict[str, tuple[Finder, ...]] = {
    "linear_projections": (_projection_candidates,),
    "attention_scores": (_score_candidates, _late_scores),
    "attention_weights": (_weight_singles, _weight_pairs),
    "value_aggregation": (_value_singles, _value_pairs),
    "attention_head": (head_candidates,),
}
