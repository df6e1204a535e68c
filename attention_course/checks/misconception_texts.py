"""The texts of the misconceptions: id -> (title, message, hint)."""

from __future__ import annotations

# ruff: noqa: E501 - sentences stand whole, one to a line

TEXTS: dict[str, tuple[str, str, str]] = {
    # -- in every exercise ------------------------------------------------------------------
    "not_started": (
        "Not written yet",
        "The stub is still in place: write your code where it says YOUR CODE HERE, and take the "
        "line with NotImplementedError out.",
        "Read the formula above the exercise once more, then write it down symbol by symbol.",
    ),
    "not_defined": (
        "Not defined yet",
        "There is no {name} yet: run the cell in which you define it, then check again.",
        "A cell defines its names only when it is run. After a restart, run all cells above.",
    ),
    "returns_nothing": (
        "Nothing is returned",
        "Your code returned None. Does it end with a return statement?",
        "Computing is not enough: the last line must hand the result back with `return`.",
    ),
    "wrong_result_count": (
        "Wrong number of results",
        "Expected {wanted}, got {got}. What is missing, or too many?",
        "Return them side by side: `return first, second`.",
    ),
    "wrong_result_order": (
        "Results in another order",
        "All results are there, in another order. Which one does the exercise ask for first?",
        "Compare your return line with the exercise's first line: the order is part of the contract.",
    ),
    "ignores_inputs": (
        "Ignores its arguments",
        "Other inputs bring the same answer. Does your code use its arguments, or variables of "
        "the notebook such as the prompt's own embeddings?",
        "Inside the function, use only the names in its first line.",
    ),
    "all_zeros": (
        "Only zeros",
        "Every entry of the result is 0. Where is the result computed from the inputs?",
        "A placeholder such as torch.zeros is a good start, but it has to be filled.",
    ),
    "constant": (
        "Always the same number",
        "Every entry of the result is {value}. Where is it computed from the inputs?",
        "Print an intermediate result: at which line do all entries become equal?",
    ),
    "random_result": (
        "Different at every call",
        "Two calls with the same input gave different results. What in your code is random?",
        "Parameters are drawn once, in __init__; the calculation itself draws nothing.",
    ),
    "keeps_state": (
        "Remembers earlier calls",
        "The second call with the same input gave another result than the first. What does your "
        "code keep from one call to the next?",
        "Assign to local names; a result must depend on the arguments alone.",
    ),
    "changes_input": (
        "Changes its input",
        "Your code changed {argument} in place. Which line writes into it?",
        "Operators such as `/=` and methods ending in `_` work in place; `a = a / b` makes a new tensor.",
    ),
    "hard_coded_shape": (
        "Shape written into the code",
        "It works for the prompt's sizes, and not for other ones. Which numbers in your code should be "
        "taken from the input's shape?",
        "Ask the tensor: `x.shape[-1]` is right for any length and any batch.",
    ),
    "no_batch": (
        "Works for one sentence only",
        "It works for one sentence, and not for a batch of several. Which operation takes all axes, where "
        "only the last two are meant?",
        "`.T` turns all axes round. `transpose(-2, -1)` swaps the last two and leaves the batch alone.",
    ),
    "needs_batch": (
        "Needs exactly one batch axis",
        "It works with one batch axis, and not with {lead}. Which axis is counted from the front?",
        "Count axes from the end (-1, -2): then any number of axes may stand in front.",
    ),
    "square_only": (
        "Works only when sizes are equal",
        "It works where all sizes are equal and fails where they differ ({problem}). Which two axes are mixed up?",
        "Write the shape behind each line as a comment; the inner sizes of a product must be the same.",
    ),
    "raises": (
        "Stops with an error",
        "Your code raised {error}.",
        "Read the last line of the error first, then the line of yours that it names.",
    ),
    "stopped": (
        "Did not come to an end",
        "Your code did not return: {error}.",
        "Look for a loop whose end is never reached.",
    ),
    "ready_made": (
        "Ready-made",
        "This exercise asks you to write it: {names} does the work here. Write the steps "
        "yourself; torch.softmax and matrix products are welcome.",
        "You will meet the ready-made function again at the end, and know what is inside.",
    ),
    "wrong_dtype": (
        "Numbers lose their precision",
        "The right numbers were rounded to {dtype}, which cannot hold them exactly enough. Where are they converted?",
        "Leave the dtype of the inputs alone, or compute in float32 or more.",
    ),
    "not_a_tensor": (
        "Not a tensor",
        "Your code {what}.",
        "Stay with torch from beginning to end: converting to another kind loses the gradients too.",
    ),
    "nan_result": (
        "Not a number",
        "{count} entries of the result are NaN (not a number). Which step divides by zero, or overflows?",
        "NaN comes from 0/0, inf/inf or inf - inf: print the intermediate results.",
    ),
    # -- projections ------------------------------------------------------------------------
    "one_projection_for_all": (
        "One projection for all three",
        "One matrix serves for more than one of the three: {detail}. Which matrix belongs to which?",
        "Three matrices, three products: W_q for queries, W_k for keys, W_v for values.",
    ),
    "swapped_projections": (
        "Projections exchanged",
        "The projections are right but exchanged: {detail}. Which matrix makes which?",
        "Check letter by letter: W_q makes queries, W_k keys, W_v values, returned in this order.",
    ),
    "weight_transposed": (
        "Matrix transposed",
        "The result is that of the transposed matrix. The shapes say [n, d_model] times [d_model, d_k]: is "
        "a transposition needed?",
        "nn.Linear stores its weight transposed, the W of this exercise is not: `embeddings @ W_q`.",
    ),
    "elementwise_product": (
        "Element-wise product",
        "That is the product of entries in the same place (`*`), not the matrix product. Which operator sums over the "
        "shared axis?",
        "`@` (matmul) multiplies rows by columns and sums; `*` does not sum.",
    ),
    "scaled_projections": (
        "Projections scaled",
        "{scaled} what the formula gives. Is there a scale that belongs to a later step?",
        "A projection is a matrix product and nothing more; scaling comes with the scores.",
    ),
    "embeddings_returned": (
        "Embeddings not projected",
        "The embeddings came back unchanged. Where are they multiplied by a matrix?",
        "Each of the three is `embeddings @ W` with a W of its own.",
    ),
    # -- scores -----------------------------------------------------------------------------
    "no_scaling": (
        "No scaling",
        "Your scores are sqrt(d_k) times too large. Which division of the formula is missing?",
        "Divide by the square root of d_k, the size of a query: `math.sqrt(queries.shape[-1])`.",
    ),
    "divided_by_d_k": (
        "Divided by d_k",
        "Your scores are divided by d_k, or by sqrt(d_k) twice. Where is the square root, and how often "
        "is it applied?",
        "The standard deviation of a dot product grows with sqrt(d_k), so that is what it is divided by, once.",
    ),
    "multiplied_by_sqrt_d_k": (
        "Multiplied by sqrt(d_k)",
        "Your scores grow with d_k twice: they are multiplied by sqrt(d_k). Should the scale make them larger or smaller?",
        "Divide: the aim is scores whose size does not depend on d_k.",
    ),
    "divided_by_sqrt_n": (
        "Divided by the sentence's length",
        "Your scale is the square root of the number of tokens. Which axis of the queries is d_k?",
        "d_k is the last axis, `queries.shape[-1]`; the one before counts tokens.",
    ),
    "divided_by_sqrt_d_model": (
        "Divided by sqrt(d_model)",
        "Your scale is sqrt(d_model), the size of an embedding. Which size do the products sum over?",
        "Queries and keys have d_k entries: take the last size of the queries, not of the embeddings.",
    ),
    "divided_by_sqrt_d_v": (
        "Divided by sqrt(d_v)",
        "Your scale is sqrt(d_v), the size of a value. Which size do the products sum over?",
        "Queries and keys have d_k entries: take the last size of the queries.",
    ),
    "hard_coded_scale": (
        "Scale written as a number",
        "Your scale is 8 whatever the size of the queries. For which d_k only is 8 the square root?",
        "Compute it: `math.sqrt(queries.shape[-1])` is 8 for the prompt and right for all others.",
    ),
    "unknown_scale": (
        "Another scale",
        "Your scores are {ratio} times what the formula gives, the same for every pair. Which "
        "number do you divide by?",
        "The formula divides by sqrt(d_k) and by nothing else.",
    ),
    "reshape_instead_of_transpose": (
        "Reshaped, not transposed",
        "The shape is right but the pairs are not: reshape and view fill rows in reading order. "
        "Which operation exchanges two axes?",
        "`transpose(-2, -1)` moves every entry to its mirror place; `reshape` only re-cuts the rows.",
    ),
    "not_transposed": (
        "Keys not transposed",
        "The keys go into the product as they are: [n_q, d_k] times [n_k, d_k] fits only when all sizes are equal. Which operation exchanges their last two axes?",
        "`queries @ keys.transpose(-2, -1)`: then the inner sizes are both d_k.",
    ),
    "queries_keys_swapped": (
        "Queries and keys exchanged",
        "Your scores are the transposed ones: row i holds what key i gets. Rows belong to queries; which "
        "factor has to stand first?",
        "`queries @ keys.transpose(-2, -1)`: queries first.",
    ),
    "softmax_already_applied": (
        "Softmax too early",
        "The softmax is already in these scores. It is the next exercise's step.",
        "Return the scaled products themselves; they may be negative.",
    ),
    "queries_only": (
        "Queries matched with themselves",
        "The queries are multiplied by themselves: the keys have no influence. Where do the keys come in?",
        "One factor is the queries, the other one the keys, transposed.",
    ),
    "keys_only": (
        "Keys matched with themselves",
        "The keys are multiplied by themselves: the queries have no influence. Where do the queries come in?",
        "One factor is the queries, the other one the keys, transposed.",
    ),
    "negated_scores": (
        "Sign turned round",
        "Best matches got the least: the sign of the scores is turned round. Where does the minus come from?",
        "A large dot product means a good match and should get a large weight.",
    ),
    "mask_applied": (
        "A mask nobody asked for",
        "Later tokens are masked out, as in a model that writes text. Does this exercise ask for a mask?",
        "Here every token may look at every token.",
    ),
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
