"""Finds the name of a fault from the numbers it makes.

A candidate is a setting of the switches in :mod:`pipeline`. It names the fault only if its
numbers equal the student's on one fixture *and* on a second one of other sizes, and if no
other candidate does the same; single faults are tried before pairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from attention_course.checks.heads import head_candidates
from attention_course.checks.misconceptions import MISCONCEPTIONS, message_of
from attention_course.checks.observe import WrongLayers, show
from attention_course.checks.pipeline import (
    AGGREGATIONS,
    NORMALISERS,
    PRODUCTS,
    SCALES,
    Sizes,
    named,
)
from attention_course.checks.trial import (
    Failure,
    Trial,
    Unusable,
    all_close,
    close,
    failure,
    quoted,
)
from attention_course.exercise import Fixture
from attention_course.verdict import AnswerStopped

Ids = tuple[str, ...]
Results = tuple[Tensor, ...]
Candidate = tuple[Ids, dict[str, object]]
PAIRS_OF_FIXTURES = (("first", "second"), ("square", "square_too"))


def diagnose(trial: Trial) -> Failure | None:
    """The named fault of an answer whose numbers are wrong, or None."""
    return _by_behaviour(trial) or _by_numbers(trial)


def diagnose_error(trial: Trial, error: BaseException) -> Failure:
    """The failure of an answer that raises on a batch of several sentences of odd sizes."""
    if isinstance(error, NotImplementedError):
        return failure("not_started")
    if isinstance(error, AnswerStopped):
        return failure("stopped", error=str(error))
    if isinstance(error, WrongLayers):
        return wrong_layers(error)
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        return failure("raises", error=quoted(error))
    problem = quoted(error)
    by_numbers = _by_numbers(trial, (PAIRS_OF_FIXTURES[1],))
    if by_numbers is not None:
        note = f"Where the sizes differ, it raises {problem}"
        return Failure(by_numbers.message, by_numbers.misconceptions, details=(note,))
    right = {name: trial.right_on(name) for name in ("no_batch", "square", "prompt")}
    note = (f"It raised {problem}",)
    if right["no_batch"]:
        return Failure(message_of("no_batch"), ("no_batch",), details=note)
    if right["prompt"] and not right["square"]:
        return Failure(message_of("hard_coded_shape"), ("hard_coded_shape",), details=note)
    if right["square"]:
        return failure("square_only", problem=problem)
    return failure("raises", error=problem)


def wrong_layers(error: WrongLayers) -> Failure:
    """Which of the expected layers are missing, without a bias, or of another size."""
    layers = ("query", "key", "value")
    missing = [name for name in layers if f"{name}.weight" not in error.found]
    if missing:
        others = sorted({name.rpartition(".")[0] or name for name in error.found})
        return failure("wrong_layer_names", found=", ".join(others)[:200] or "no layers at all")
    for layer in layers:
        found, wanted = error.found[f"{layer}.weight"], error.wanted[f"{layer}.weight"]
        if found != wanted:
            sizes = "{1} to {0}".format(*wanted)
            got = "{1} to {0}".format(*found) if len(found) == 2 else show(found)
            return failure("wrong_layer_sizes", layer=layer, wanted=sizes, found=got)
    return failure("no_biases")


# -- what the answer does, whatever the numbers are -----------------------------------------


def _by_behaviour(trial: Trial) -> Failure | None:
    try:
        found = trial.results("first")
        again = trial.results("first", again=1)
    except Unusable as error:
        return error.failed
    if any(bool(torch.isnan(f).any()) for f in found):
        return failure("nan_result", count=sum(int(torch.isnan(f).sum()) for f in found))
    if all(not f.any() for f in found):
        return failure("all_zeros")
    coarse = coarse_dtype(trial, "first")
    if coarse:
        return failure("wrong_dtype", dtype=coarse)
    if not _same(found, again):
        return _random(trial, found, again)
    if trial.kind == "attention_weights" and all(close(f, torch.ones_like(f)) for f in found):
        return None  # a softmax over one entry: the numbers have a name
    if all(f.numel() > 1 and close(f, f.flatten()[0].expand_as(f)) for f in found):
        return failure("constant", value=f"{float(found[0].flatten()[0]):.3g}")
    other = trial.tried("other")
    if other is not None and _same(found, other):
        return failure("ignores_inputs")
    return None


def coarse_dtype(trial: Trial, name: str) -> str:
    """Whether right numbers were rounded by a dtype on their way, and to which."""
    found, right = trial.results(name), trial.expected(name)
    if [f.shape for f in found] != [r.shape for r in right]:
        return ""
    value = trial.observe(name).value
    with torch._C.DisableTorchFunctionSubclass():
        if issubclass(type(value), Tensor) and not value.is_floating_point():
            return "whole numbers"
    if trial.kind == "attention_weights" and _rounded(found[0], trial.fixture(name)):
        return ""  # rounded by hand, which has a name of its own
    for words, rounded in (
        ("whole numbers", lambda t: t.trunc()),
        ("whole numbers", lambda t: t.round()),
        ("half precision", lambda t: t.half().double()),
        ("half precision", lambda t: t.bfloat16().double()),
    ):
        # Rounding on the way differs from rounding at the end by a step or two.
        step = 1e-6 if words == "whole numbers" else 5e-3
        if all(close(f, rounded(r), step) for f, r in zip(found, right, strict=True)):
            return words
    return ""


def _same(left: Results, right: Results) -> bool:
    return [x.shape for x in left] == [x.shape for x in right] and all(
        torch.equal(x.nan_to_num(7.25), y.nan_to_num(7.25))
        for x, y in zip(left, right, strict=True)
    )


def _random(trial: Trial, found: Results, again: Results) -> Failure:
    if trial.kind not in ("attention_head", "simple_attention"):
        return failure("random_result")
    extra = _extra_parameters(trial)
    if extra:
        return failure("output_projection_added", found=extra)
    right = trial.expected("first")
    if [f.shape for f in found] == [r.shape for r in right]:
        for f, a, r in zip(found, again, right, strict=True):
            # Dropout leaves every entry at zero or at the same multiple of what it was.
            if bool((f == 0).any()) and bool((a == 0).any()) and not bool((r == 0).any()):
                return failure("dropout_left_on")
        if close(found[-1], right[-1]) != close(again[-1], right[-1]):
            return failure("dropout_left_on")
        if _dropped_inside(found, again, right):
            return failure("dropout_left_on")
    return failure("random_weights")


def _extra_parameters(trial: Trial) -> str:
    """Layers of a head beside the three: a fixture cannot load them, so they start at random."""
    module, fixture = trial.observe("first").extra.get("module"), trial.fixture("first")
    try:
        names = set(module.state_dict()) - set(fixture.state or {})  # type: ignore[union-attr]
    except Exception:
        return ""
    return ", ".join(sorted({str(name).rpartition(".")[0] or str(name) for name in names}))[:200]


def _dropped_inside(found: Results, again: Results, right: Results) -> bool:
    """Weights right, output a mixture in which some weights were dropped at random."""
    if len(right) < 2 or not (close(found[1], right[1]) and close(again[1], right[1])):
        return False
    return not close(found[0], again[0])


# -- what the numbers are -------------------------------------------------------------------


def _by_numbers(
    trial: Trial, pairs: Iterable[tuple[str, str]] = PAIRS_OF_FIXTURES
) -> Failure | None:
    for first, second in pairs:
        one, two = trial.tried(first), trial.tried(second)
        if one is None or two is None:
            continue
        fixtures = trial.fixture(first), trial.fixture(second)
        for candidates in CANDIDATES.get(trial.kind, ()):
            matched = dict(_matching(candidates(fixtures, (one, two))))
            matched.pop((), None)
            if first == "square":
                matched = _on_squares(trial.kind, matched)
            if len(matched) == 1:
                ids, numbers = next(iter(matched.items()))
                return together(ids, numbers)
            if matched:
                return _one_of(list(matched))
    return None


def _on_squares(kind: str, matched: dict[Ids, dict[str, object]]) -> dict[Ids, dict[str, object]]:
    """On squares a reshape moves nothing: what looks like one is a transposition left out."""
    reshape = "reshape_instead_of_transpose"
    if kind == "value_aggregation":
        return {ids: numbers for ids, numbers in matched.items() if reshape not in ids}
    return {
        tuple("not_transposed" if name == reshape else name for name in ids): numbers
        for ids, numbers in matched.items()
    }


def _matching(candidates: Iterator[Candidate | None]) -> Iterator[Candidate]:
    return (candidate for candidate in candidates if candidate is not None)


def together(ids: Ids, numbers: dict[str, object]) -> Failure:
    """The failure for one named fault, or for two that come together."""
    if len(ids) == 1:
        return Failure(message_of(ids[0], **numbers), ids)
    titles = " and ".join(f"“{MISCONCEPTIONS[name].title}”" for name in ids)
    messages = [message_of(name, **numbers) for name in ids]
    return Failure(f"Two things at once: {titles}. {messages[0]}", ids, details=tuple(messages[1:]))


def _one_of(found: list[Ids]) -> Failure:
    names = [" with ".join(MISCONCEPTIONS[name].title for name in ids) for ids in found]
    listed = " or ".join(f"“{name}”" for name in names[:4])
    return Failure(f"The numbers are those of {listed}; which one fits your code?")


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
        made = _computed(lambda fixture=fixture: compute(fixture))  # type: ignore[misc]
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
    elif len(set(sources)) == 1:
        ids.append("one_projection_for_all")
    elif sources != "qkv":
        ids.append(
            "swapped_projections" if sorted(sources) == list("kqv") else "one_projection_for_all"
        )
        words = {"q": "W_q", "k": "W_k", "v": "W_v", "x": "no matrix"}
        made = zip(("queries", "keys", "values"), sources, "qkv", strict=True)
        numbers["detail"] = ", ".join(f"{n} come from {words[s]}" for n, s, r in made if s != r)
    for _, manner, ratio in parts:
        if manner != "right":
            ids.append(manner)
            numbers["ratio"] = ratio
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
                made = _computed(lambda x=x, w=w, compute=compute: compute(x, w))  # type: ignore[misc]
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
            made = _computed(lambda q=q, k=k, compute=compute: compute(q, k))  # type: ignore[misc]
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
            if _both(fixtures, found, lambda f, p=product, s=scale: scores(f, p, s).softmax(-1)):  # type: ignore[misc]
                yield named("softmax_already_applied", product, scale), {}
            masked = []
            for fixture, results in zip(fixtures, found, strict=True):
                made = _computed(lambda f=fixture, p=product, s=scale: scores(f, p, s))  # type: ignore[misc]
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
        if _both(fixtures, found, lambda f, c=compute: c(f.inputs[0].double())):  # type: ignore[misc]
            yield named(name), numbers
    if all(_rounded(r[0], f) for f, r in zip(fixtures, found, strict=True)):
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
                lambda f, c=compute, t=factor: c(f.inputs[0].double() * t(f)),  # type: ignore[misc]
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
                lambda f, o=outer, i=inner: NORMALISERS[o](NORMALISERS[i](f.inputs[0].double())),  # type: ignore[misc]
            ):
                yield named(inner, outer), _worst_row(found[0][0])
    for name in ("softmax_over_queries", "softmax_over_batch", "softmax_over_everything"):
        if _both(fixtures, found, lambda f, n=name: NORMALISERS[n](-f.inputs[0].double())):  # type: ignore[misc]
            yield named("negated_scores", name), _worst_row(found[0][0])
    for inner in ("softmax_over_queries", "softmax_over_batch", "softmax_over_everything"):
        for first, second in ((inner, "right"), ("right", inner), (inner, inner)):
            if _both(
                fixtures,
                found,
                lambda f, a=first, b=second: NORMALISERS[b](NORMALISERS[a](f.inputs[0].double())),  # type: ignore[misc]
            ):
                yield named("softmax_twice", inner), _worst_row(found[0][0])


def _worst_row(weights: Tensor) -> dict[str, object]:
    sums = weights.sum(-1)
    worst = int((sums - 1).abs().flatten().argmax())
    row = worst % sums.shape[-1] if sums.dim() else 0
    return {"row": row, "sum": f"{float(sums.flatten()[worst]):.3g}"}


def _rounded(found: Tensor, fixture: Fixture) -> bool:
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
        ):  # type: ignore[misc]
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
                    lambda f, cw=change_w, cv=change_v, ca=change: ca(  # type: ignore[misc]
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
