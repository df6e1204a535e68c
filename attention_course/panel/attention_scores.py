"""Right answers to the exercise attention_scores, in the styles that a class would write."""

from __future__ import annotations

from attention_course.panel.known_answer import right_answers

RIGHT = right_answers(
    "attention_scores",
    r'''
# %% matmul_operator
def scaled_dot_product_scores(queries, keys):
    d_k = queries.shape[-1]
    return queries @ keys.transpose(-2, -1) / math.sqrt(d_k)

# %% torch_matmul
def scaled_dot_product_scores(queries, keys):
    scores = torch.matmul(queries, keys.transpose(-1, -2))
    scores = scores / (keys.size(-1) ** 0.5)
    return scores

# %% matrix_transpose
def scaled_dot_product_scores(queries, keys):
    return (queries @ keys.mT) * queries.shape[-1] ** -0.5

# %% swapped_axes
def scaled_dot_product_scores(queries, keys):
    d_k = queries.shape[-1]
    kT = keys.swapaxes(-1, -2)
    return torch.matmul(queries, kT).div(math.sqrt(d_k))

# %% permuted_dimensions
def scaled_dot_product_scores(queries, keys):
    order = list(range(keys.dim()))
    order[-1], order[-2] = order[-2], order[-1]
    return queries @ keys.permute(*order) / math.sqrt(keys.shape[-1])

# %% einsum
def scaled_dot_product_scores(queries, keys):
    d_k = queries.shape[-1]
    return torch.einsum("...qd,...kd->...qk", queries, keys) / math.sqrt(d_k)

# %% einsum_keys_first | the operands the other way round, the result the right way round
def scaled_dot_product_scores(queries, keys):
    s = torch.einsum("...ax,...bx->...ba", keys, queries)
    return s / s.new_tensor(keys.shape[-1]).sqrt()

# %% scale_split_over_both
def scaled_dot_product_scores(queries, keys):
    root = queries.shape[-1] ** 0.25
    return (queries / root) @ (keys / root).transpose(-2, -1)

# %% queries_scaled_first
def scaled_dot_product_scores(queries, keys):
    queries = queries * (1.0 / math.sqrt(queries.shape[-1]))
    return queries @ keys.transpose(-2, -1)

# %% square_root_of_a_tensor
def scaled_dot_product_scores(queries, keys):
    d_k = torch.tensor(queries.shape[-1], dtype=torch.float32)
    return torch.matmul(queries, keys.transpose(-2, -1)) / torch.sqrt(d_k)

# %% numpy_square_root
import numpy as np


def scaled_dot_product_scores(queries, keys):
    return queries @ keys.transpose(-2, -1) / np.sqrt(queries.shape[-1])

# %% bmm_and_back
def scaled_dot_product_scores(queries, keys):
    n_q, d_k = queries.shape[-2:]
    n_k = keys.shape[-2]
    q = queries.reshape(-1, n_q, d_k)
    k = keys.reshape(-1, n_k, d_k)
    s = torch.bmm(q, k.transpose(1, 2)) / math.sqrt(d_k)
    return s.reshape(*queries.shape[:-2], n_q, n_k)

# %% baddbmm
def scaled_dot_product_scores(queries, keys):
    lead, (n_q, d_k), n_k = queries.shape[:-2], queries.shape[-2:], keys.shape[-2]
    q, k = queries.reshape(-1, n_q, d_k), keys.reshape(-1, n_k, d_k)
    empty = torch.zeros(q.shape[0], n_q, n_k, dtype=q.dtype)
    s = torch.baddbmm(empty, q, k.transpose(1, 2), beta=0, alpha=1 / math.sqrt(d_k))
    return s.view(lead + (n_q, n_k))

# %% loops
def scaled_dot_product_scores(queries, keys):
    n_q, n_k, d_k = queries.shape[-2], keys.shape[-2], keys.shape[-1]
    scores = torch.zeros(queries.shape[:-1] + (n_k,), dtype=queries.dtype)
    for i in range(n_q):
        for j in range(n_k):
            dot = (queries[..., i, :] * keys[..., j, :]).sum(dim=-1)
            scores[..., i, j] = dot / math.sqrt(d_k)
    return scores

# %% broadcast_and_sum
def scaled_dot_product_scores(queries, keys):
    products = queries.unsqueeze(-2) * keys.unsqueeze(-3)  # [..., n_q, n_k, d_k]
    return products.sum(-1) / math.sqrt(products.shape[-1])

# %% transposed_product_transposed
def scaled_dot_product_scores(queries, keys):
    return (keys @ queries.transpose(-2, -1)).transpose(-2, -1) / math.sqrt(keys.shape[-1])

# %% one_lambda
scaled_dot_product_scores = lambda queries, keys: (
    queries @ keys.transpose(-2, -1) / math.sqrt(keys.size(-1))
)

# %% hints_and_docstring
def scaled_dot_product_scores(queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """QK^T / sqrt(d_k), from "Attention Is All You Need".

    >>> scaled_dot_product_scores(torch.ones(1, 4), torch.ones(3, 4))
    tensor([[2., 2., 2.]])
    """
    assert queries.shape[-1] == keys.shape[-1], "queries and keys must have one width"
    d_k: int = queries.shape[-1]
    return torch.matmul(queries, keys.transpose(-2, -1)) / math.sqrt(d_k)

# %% float64_inside
def scaled_dot_product_scores(queries, keys):
    s = queries.to(torch.float64) @ keys.to(torch.float64).transpose(-2, -1)
    return (s / math.sqrt(queries.shape[-1])).to(queries.dtype)

# %% prints_and_warns
import warnings


def scaled_dot_product_scores(queries, keys):
    print("queries:", queries.shape, "keys:", keys.shape)
    scores = queries @ keys.transpose(-2, -1)
    if scores.abs().max() > 5:
        warnings.warn("these scores are large", RuntimeWarning)
    scores = scores / math.sqrt(queries.shape[-1])
    print(f"largest score {scores.max():.2f}")
    return scores

# %% divided_in_place | in place on a result of its own, which changes no input
def scaled_dot_product_scores(queries, keys):
    scores = queries @ keys.transpose(-2, -1)
    scores /= math.sqrt(queries.shape[-1])
    return scores

# %% helper_functions
def transpose_last(x):
    return x.transpose(-2, -1)


def scale_for(x):
    return math.sqrt(x.shape[-1])


def dot_products(a, b):
    return a @ transpose_last(b)


def scaled_dot_product_scores(queries, keys):
    return dot_products(queries, keys) / scale_for(queries)

# %% optional_mask_and_dead_code | the mask is never given
def scaled_dot_product_scores(queries, keys, mask=None):
    # first try: queries @ keys.T
    scores = torch.matmul(queries, keys.transpose(-2, -1)) / math.sqrt(keys.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(mask == 0, float("-inf"))
    return scores
''',
)
