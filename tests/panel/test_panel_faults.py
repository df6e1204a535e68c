"""The names of faults tell the truth: each answer's numbers are those of the fault it is named for.

A fault is a formula in float64 for one step; a pair of faults is two of them.
"""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from attention_course.panel import BASICS, PANEL


def masked(scores, kept=-math.inf):
    return scores.masked_fill(torch.ones_like(scores).triu(1).bool(), kept)


def reshaped(x):
    return x.reshape(*x.shape[:-2], x.shape[-1], x.shape[-2])


# Each fault may have been spelled in several ways: any of a list will do.
PRODUCTS = {
    "queries_keys_swapped": [lambda q, k: k @ q.mT],
    "reshape_instead_of_transpose": [lambda q, k: q @ reshaped(k)],
    "queries_only": [lambda q, k: q @ q.mT],
    "keys_only": [lambda q, k: k @ k.mT],
    "negated_scores": [lambda q, k: -(q @ k.mT)],
}
SCALES = {
    "no_scaling": [lambda q, k, v, x: 1],
    "divided_by_d_k": [lambda q, k, v, x: q.shape[-1]],
    "multiplied_by_sqrt_d_k": [lambda q, k, v, x: q.shape[-1] ** -0.5],
    "divided_by_sqrt_d_model": [lambda q, k, v, x: x.shape[-1] ** 0.5],
    "divided_by_sqrt_d_v": [lambda q, k, v, x: v.shape[-1] ** 0.5],
    "divided_by_sqrt_n": [
        lambda q, k, v, x: k.shape[-2] ** 0.5,
        lambda q, k, v, x: q.shape[-2] ** 0.5,
    ],
    "hard_coded_scale": [lambda q, k, v, x: 8],
    "scaled_already": [lambda q, k, v, x: q.shape[-1] ** 0.5],
}
AFTER_SCORES = {
    "mask_applied": [masked, lambda s: masked(s, 0.0)],
    "softmax_already_applied": [lambda s: s.softmax(-1)],
}
NORMALISERS = {
    "softmax_over_queries": [lambda s: s.softmax(-2)],
    "softmax_over_batch": [lambda s: s.softmax(0)],
    "softmax_over_everything": [
        lambda s: s.flatten().softmax(0).reshape(s.shape),
        lambda s: s.flatten(-2).softmax(-1).reshape(s.shape),
    ],
    "softmax_twice": [lambda s: s.softmax(-1).softmax(-1)],
    "only_exponentials": [torch.exp, lambda s: (s - s.amax(-1, keepdim=True)).exp()],
    "divided_by_maximum": [
        lambda s: s / s.amax(-1, keepdim=True),
        lambda s: (s - s.amax(-1, keepdim=True)).exp(),
    ],
    "divided_by_raw_sum": [lambda s: s / s.sum(-1, keepdim=True)],
    "sigmoid_instead": [torch.sigmoid],
    "log_softmax_instead": [lambda s: s.log_softmax(-1)],
    "negated_scores": [lambda s: (-s).softmax(-1)],
    "hard_maximum": [lambda s: (s == s.amax(-1, keepdim=True)).double()],
    "wrong_temperature": [
        lambda s: (s / s.shape[-1] ** 0.5).softmax(-1),
        lambda s: (s / 8).softmax(-1),
        lambda s: (2 * s).softmax(-1),
    ],
    "no_softmax": [lambda s: s],
    # two faults of one step
    ("softmax_over_queries", "softmax_twice"): [lambda s: s.softmax(-2).softmax(-2)],
    ("negated_scores", "softmax_over_queries"): [lambda s: (-s).softmax(-2)],
}
AGGREGATIONS = {
    "weights_transposed": [lambda w, v: w.mT @ v],
    "mean_of_values": [lambda w, v: v.mean(-2, keepdim=True).expand(*w.shape[:-1], v.shape[-1])],
    "best_value_only": [lambda w, v: torch.take_along_dim(v, w.argmax(-1)[..., None], -2)],
    "softmax_again": [lambda w, v: w.softmax(-1) @ v],
    "values_transposed": [lambda w, v: w @ v.mT],
    "elementwise_product": [lambda w, v: w * v],
    "residual_added": [lambda w, v: w @ v + v],
    "batch_lost": [
        lambda w, v: w[0] @ v[0],
        lambda w, v: (w @ v).sum(0),
    ],
    "extra_scale": [
        lambda w, v: w @ v / v.shape[-1] ** 0.5,
        lambda w, v: w @ v / v.shape[-2],
        lambda w, v: w @ v / v.shape[-2] ** 0.5,
    ],
    ("weights_transposed", "extra_scale"): [lambda w, v: w.mT @ v / v.shape[-1] ** 0.5],
    ("softmax_again", "residual_added"): [lambda w, v: w.softmax(-1) @ v + v],
    ("softmax_again", "extra_scale"): [lambda w, v: w.softmax(-1) @ v / v.shape[-1] ** 0.5],
}
# Projections, by the layer that plays query, key and value; "x" is the input itself.
ROLES = {
    "swapped_projections": [("query", "value", "key")],
    "shared_projection": [
        ("value", "value", "value"),
        ("query", "query", "value"),
        ("key", "key", "value"),
    ],
}
ROWS = {"keys_aggregated": 1, "query_rows_aggregated": 0, "embeddings_aggregated": 3}
PROJECTIONS = {
    "one_projection_for_all": [(0, 0, 0), (2, 2, 2), (0, 0, 2)],
    "swapped_projections": [(0, 2, 1), (1, 0, 2), (2, 1, 0), (1, 2, 0)],
}
OF_EXERCISE = {
    "linear_projections": PROJECTIONS,
    "attention_scores": PRODUCTS | SCALES | AFTER_SCORES,
    "attention_weights": NORMALISERS,
    "value_aggregation": AGGREGATIONS,
    "attention_head": PRODUCTS
    | SCALES
    | {"mask_applied": AFTER_SCORES["mask_applied"]}
    | NORMALISERS
    | AGGREGATIONS
    | ROLES
    | ROWS
    | {"no_biases": None},
}


def formulas_of(exercise):
    return OF_EXERCISE["attention_head" if exercise in BASICS else exercise]


NUMERIC = [
    answer
    for answer in PANEL
    if answer.misconceptions
    and set(answer.misconceptions) <= set(formulas_of(answer.exercise))
    # Layers that are missing, shared or without biases do not take the agreed parameters.
    and answer.exercise != "projections"
    and answer.name not in ("layers_without_biases", "scores_kept")
]


def named(answer):
    return f"{answer.exercise}-{answer.name}"


def spellings(table, ids, right):
    """The formulas that the ids ask for, or the right one where they ask for none."""
    asked = [table[i] for i in (ids, *ids) if i in table]
    return asked[0] if asked else [right]


def scores_with(ids, q, k, v, x, right_scale):
    for product, scale in itertools.product(
        spellings(PRODUCTS, ids, lambda q, k: q @ k.mT), spellings(SCALES, ids, right_scale)
    ):
        try:
            scores = product(q, k) / scale(q, k, v, x)
        except RuntimeError:  # sizes that do not go together
            continue
        for after in spellings(AFTER_SCORES, ids, lambda s: s):
            yield after(scores)


def faulty_results(exercise, ids, inputs, state, bench):
    """Every result that the faults may give, in float64."""
    root = lambda q, k, v, x: q.shape[-1] ** 0.5  # noqa: E731
    x = [tensor.double() for tensor in inputs]
    if exercise == "linear_projections":
        made = [x[0] @ W for W in x[1:]]
        for order in spellings(PROJECTIONS, ids, (0, 1, 2)):
            yield tuple(made[i] for i in order)
    elif exercise == "attention_scores":
        for scores in scores_with(ids, x[0], x[1], None, None, root):
            yield (scores,)
    elif exercise == "attention_weights":
        for normalise in spellings(NORMALISERS, ids, lambda s: s.softmax(-1)):
            yield (normalise(x[0]),)
    elif exercise == "value_aggregation":
        for aggregate in spellings(AGGREGATIONS, ids, lambda w, v: w @ v):
            yield (aggregate(*x),)
    else:
        yield from faulty_heads(exercise, ids, x[0], state, bench)


def faulty_heads(exercise, ids, x, state, bench):
    for roles in spellings(ROLES, ids, ("query", "key", "value")):
        yield from heads_of_roles(exercise, ids, x, state, roles, bench)


def heads_of_roles(exercise, ids, x, state, roles, bench):
    state = {
        f"{layer}.{kind}": state[f"{role}.{kind}"] * (kind != "bias" or "no_biases" not in ids)
        for layer, role in zip(("query", "key", "value"), roles, strict=True)
        for kind in ("weight", "bias")
    }
    parts = (*bench.projected(x, state), x)
    rows = next((parts[ROWS[i]] for i in ids if i in ROWS), parts[2])
    power = 0.0 if exercise in BASICS else 0.5
    scale = lambda q, k, v, x: q.shape[-1] ** power  # noqa: E731
    for scores in scores_with(ids, *parts, scale):
        for normalise, aggregate in itertools.product(
            spellings(NORMALISERS if "negated_scores" not in ids else {}, ids, softmax),
            spellings(AGGREGATIONS, ids, lambda w, v: w @ v),
        ):
            weights = normalise(scores)
            yield aggregate(weights, rows), weights
            if exercise in BASICS and "residual_added" in ids:
                yield weights @ rows + x, weights


def softmax(scores):
    return scores.softmax(-1)


@pytest.mark.parametrize("answer", NUMERIC, ids=named)
def test_the_numbers_are_those_of_the_named_faults(bench, answer):
    seen = []
    for name in ("batch", "other batch", "square", "larger square"):
        inputs, state, sizes = bench.inputs_for(answer.exercise, name)
        call = bench.Answer(answer).call(inputs, state, sizes)
        if call.error is not None:
            continue  # sizes that do not go together: the fault shows as an error there
        results = call.results
        candidates = faulty_results(answer.exercise, answer.misconceptions, inputs, state, bench)
        seen.append(
            any(
                all(bench.close(r, e) for r, e in zip(results, candidate, strict=True))
                for candidate in candidates
            )
        )
    assert len(seen) >= 2 and all(seen)


def test_most_named_answers_are_held_to_a_formula():
    assert len(NUMERIC) >= 130
