"""The texts of the misconceptions up to the scores: id -> (title, message, hint)."""

from __future__ import annotations

# ruff: noqa: E501 - sentences stand whole, one to a line

TEXTS_UP_TO_SCORES: dict[str, tuple[str, str, str]] = {
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
}
