"""The nine exercises of the course, in lesson order."""

from __future__ import annotations

from attention_course.exercise import Exercise

_ALL = (
    Exercise(
        "linear_projections", "attention", "linear_projections", "Linear projections", 1,
        "queries, keys and values, each [6, 64]",
    ),
    Exercise(
        "attention_scores", "attention", "scaled_dot_product_scores",
        "Scaled dot-product scores", 1, "attention_scores [1, 6, 6]",
    ),
    Exercise(
        "attention_weights", "attention", "softmax_weights", "Softmax and attention weights", 1,
        "attention_weights [1, 6, 6]",
    ),
    Exercise(
        "value_aggregation", "attention", "aggregate_values", "Value aggregation", 1,
        "attended_values [1, 6, 64]",
    ),
    Exercise(
        "attention_head", "attention", "AttentionHead", "Full attention head", 1,
        "attended values [1, 6, 64] and weights [1, 6, 6]",
    ),
    Exercise(
        "projections", "attention_basics", "SimpleAttention", "Queries, keys and values", 1,
        "linear layers query, key and value, n_embd to n_embd",
    ),
    Exercise(
        "scores", "attention_basics", "SimpleAttention", "Unscaled scores", 1,
        "queries times keys, without scaling",
    ),
    Exercise(
        "weights", "attention_basics", "SimpleAttention", "Attention weights", 1,
        "attention_weights [batch, seq_len, seq_len], every row sums to 1",
    ),
    Exercise(
        "output", "attention_basics", "SimpleAttention", "Output", 1,
        "the input's shape, [batch, seq_len, n_embd]",
    ),
)  # fmt: skip

EXERCISES: dict[str, Exercise] = {exercise.name: exercise for exercise in _ALL}


def exercises_of(assignment: str) -> tuple[Exercise, ...]:
    """The exercises of an assignment, in lesson order; none for an unknown one."""
    return tuple(exercise for exercise in _ALL if exercise.assignment == assignment)
