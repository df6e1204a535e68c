"""The texts of misconceptions from the weights on: id -> (title, message, hint)."""

from __future__ import annotations

# ruff: noqa: E501 - sentences stand whole, one to a line

TEXTS_FROM_WEIGHTS: dict[str, tuple[str, str, str]] = {
    # -- weights ----------------------------------------------------------------------------
    "softmax_over_queries": (
        "Softmax over the queries",
        "Your columns sum to 1, your rows do not. Which axis does your softmax normalise?",
        "Each query shares out one unit among the keys: `dim=-1`.",
    ),
    "softmax_over_batch": (
        "Softmax over the batch",
        "Your softmax runs over the sentences of a batch (dim=0). With one sentence every weight becomes 1. "
        "Which axis are the keys?",
        "The keys are the last axis: `dim=-1`, which is right with and without a batch.",
    ),
    "softmax_over_everything": (
        "Softmax over the whole matrix",
        "All entries together sum to 1, the rows do not. Which axis does your softmax normalise?",
        "One softmax for each row: give it `dim=-1`.",
    ),
    "softmax_twice": (
        "Softmax twice",
        "The weights are much flatter than they should be: these are the numbers of a softmax applied to a softmax. "
        "Where is the second one?",
        "Scores in, weights out: softmax once, on the scores.",
    ),
    "no_maximum_subtracted": (
        "Overflows for large scores",
        "Right for small scores, but scores of {size} overflow: exp(89) is already too large for float32. "
        "What can be taken off every score of a row without changing the weights?",
        "Take each row's maximum off before exp, or use torch.softmax, which does.",
    ),
    "divided_by_maximum": (
        "Divided by the maximum",
        "The largest entry of each row is 1: you divide by the maximum. What has to be 1 in each row?",
        "Divide the exponentials by their sum.",
    ),
    "divided_by_raw_sum": (
        "Divided by the sum of the scores",
        "Rows sum to 1, but there are negative weights: the scores themselves are divided by their sum. Which function "
        "makes every score positive first?",
        "First exp, then divide by the sum of the exponentials.",
    ),
    "sigmoid_instead": (
        "Sigmoid instead of softmax",
        "Each score was squashed on its own (sigmoid), so row {row} sums to {sum}. What makes the weights of "
        "a row compete?",
        "Softmax divides by the row's sum; sigmoid knows nothing of the other keys.",
    ),
    "log_softmax_instead": (
        "Logarithms of the weights",
        "These are the logarithms of the weights (all negative). Which step is missing, or too much?",
        "Use softmax, or exp of log_softmax.",
    ),
    "hard_maximum": (
        "All for the best one",
        "Each query gives all its attention to one key. What should the others get?",
        "Softmax is the soft version of the maximum: every key gets a share.",
    ),
    "only_exponentials": (
        "Not normalised",
        "The exponentials are there, but row {row} sums to {sum}, not 1. Which number does a row have to be divided by, to sum to 1?",
        "Divide by the sum over the last axis; keepdim=True keeps the shapes compatible.",
    ),
    "wrong_temperature": (
        "Scores scaled once more",
        "The weights are those of scores multiplied by {ratio}. Is there a scale that was already applied?",
        "The scores come in ready; softmax needs no further factor.",
    ),
    "minus_infinity_lost": (
        "Minus infinity not handled",
        "A score of minus infinity should get the weight 0; here it gave {got}. What happens to -inf in your code?",
        "exp(-inf) is 0 by itself: do not replace, clamp or multiply the scores before.",
    ),
    "rounded_weights": (
        "Rounded",
        "The weights are rounded: rows miss 1 by up to {size}. Where are digits cut off?",
        "Leave the numbers as they are; rounding is for printing.",
    ),
    # -- aggregation ------------------------------------------------------------------------
    "weights_transposed": (
        "Weights transposed",
        "The weights' columns are mixed instead of its rows. Should the weights be transposed here?",
        "`attention_weights @ values`: each row of weights makes one row of the result.",
    ),
    "mean_of_values": (
        "Plain mean",
        "Every query got the plain mean of the values: the weights have no influence. Where do they come in?",
        "A weighted mean: each value times its weight, summed over the keys.",
    ),
    "best_value_only": (
        "Only the best value",
        "Each query got the one value with the largest weight. What becomes of the others?",
        "Mix all values, each by its weight.",
    ),
    "softmax_again": (
        "Softmax again",
        "Softmax is applied to weights that already sum to 1. What comes in here?",
        "The argument holds weights already; multiply them with the values.",
    ),
    "values_transposed": (
        "Values transposed",
        "The values are transposed. Which axis of the values counts the tokens?",
        "[n_q, n_k] times [n_k, d_v]: the inner sizes already fit.",
    ),
    "batch_lost": (
        "Batch lost",
        "The batch axis is gone: expected {expected}, got {actual}. Which operation drops or sums an axis?",
        "Do not index or squeeze the first axis; `@` works on the last two axes by itself.",
    ),
    "extra_scale": (
        "Scaled once more",
        "The result is {ratio} times what the weights and values give. Is there a scale left over?",
        "The weights sum to 1; nothing has to be divided any more.",
    ),
    "residual_added": (
        "Values added",
        "The values were added on top of their mixture. Does the formula have a second term?",
        "A residual connection belongs to a transformer block, not to the head.",
    ),
    # -- the head ---------------------------------------------------------------------------
    "no_biases": (
        "Biases dropped",
        "The biases have no influence on your result. Do your layers have them, and are they used?",
        "nn.Linear has a bias unless it is told otherwise; call the layer instead of its weight.",
    ),
    "wrong_layer_names": (
        "Layers have other names",
        "Expected linear layers named query, key and value; found {found}. What are yours called?",
        "`self.query = nn.Linear(d_model, d_k)`, and key and value likewise.",
    ),
    "wrong_layer_sizes": (
        "Layers have other sizes",
        "{layer} should map {wanted}; yours has {found}. Which size goes in, which comes out?",
        "nn.Linear(in, out): embeddings go in, so d_model comes first.",
    ),
    "shared_projection": (
        "One layer for several parts",
        "{detail}. Which layer belongs to which part?",
        "queries = self.query(x), keys = self.key(x), values = self.value(x).",
    ),
    "keys_aggregated": (
        "Keys mixed instead of values",
        "The weights are right, but the keys are mixed with them. What does a token hand over?",
        "Queries and keys decide how much; the values are what is mixed.",
    ),
    "query_rows_aggregated": (
        "Queries mixed instead of values",
        "The weights are right, but the queries are mixed with them. What does a token hand over?",
        "Queries and keys decide how much; the values are what is mixed.",
    ),
    "embeddings_aggregated": (
        "Embeddings mixed instead of values",
        "The weights are right, but the embeddings themselves are mixed. Which layer makes the values?",
        "values = self.value(embeddings), and these are what is mixed.",
    ),
    "dropout_left_on": (
        "Dropout is on",
        "Two calls differ, and entries are set to zero at random: dropout is on. Does the exercise ask for it?",
        "Take the dropout out; the plain head has none.",
    ),
    "random_weights": (
        "Fresh parameters at every call",
        "Two calls with the same input differ. Are layers or parameters made inside forward?",
        "Make the layers once in __init__; forward only uses them.",
    ),
    "gradients_lost": (
        "Gradients lost",
        "The numbers are right, but no gradient reaches {layers}. Which step leaves torch's graph?",
        "Look for detach, .data, .item, NumPy or no_grad: without them the head can learn.",
    ),
    "output_projection_added": (
        "An extra layer",
        "The weights are right, but the result went through one more layer: {found}. Does the formula have it?",
        "A single head ends with the weighted sum of values.",
    ),
    # -- the first assignment ---------------------------------------------------------------
    "scaled_already": (
        "Already scaled",
        "Your scores are divided by sqrt(n_embd). Well remembered, but that is the next assignment's step: "
        "here the scores stay unscaled.",
        "Leave the division out; in the next lesson you will see what it is good for.",
    ),
    "weights_not_kept": (
        "Weights not kept",
        "After a call, self.attention_weights is not there. Where do you keep the weights?",
        "In forward: `self.attention_weights = ...`, then use it for the output.",
    ),
    "weights_kept_wrong_shape": (
        "Weights of another shape",
        "self.attention_weights should be {expected}, it is {actual}. What have you kept there?",
        "Keep the result of the softmax: one row for each query, one column for each key.",
    ),
    "shape_changed": (
        "Shape changed",
        "Expected the input's shape {expected}, got {actual}. At which step does it change?",
        "Print the shape after each line.",
    ),
    "no_softmax": (
        "No softmax",
        "self.attention_weights holds the scores themselves. Which step turns scores into weights?",
        "Apply softmax over the last axis, and keep that.",
    ),
}
