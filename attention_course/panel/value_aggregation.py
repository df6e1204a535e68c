"""Right answers to the exercise value_aggregation, in the styles that a class would write."""

from __future__ import annotations

from attention_course.panel.known_answer import right_answers

RIGHT = right_answers(
    "value_aggregation",
    r'''
# %% matmul_operator
def aggregate_values(attention_weights, values):
    return attention_weights @ values

# %% torch_matmul
def aggregate_values(attention_weights, values):
    attended_values = torch.matmul(attention_weights, values)
    return attended_values

# %% einsum
def aggregate_values(attention_weights, values):
    return torch.einsum("...qk,...kv->...qv", attention_weights, values)

# %% einsum_values_first
def aggregate_values(attention_weights, values):
    return torch.einsum("...jd,...ij->...id", values, attention_weights)

# %% bmm_and_back
def aggregate_values(attention_weights, values):
    *lead, n_q, n_k = attention_weights.shape
    w = attention_weights.reshape(-1, n_q, n_k)
    v = values.reshape(-1, n_k, values.shape[-1])
    return torch.bmm(w, v).reshape(*lead, n_q, values.shape[-1])

# %% loops
def aggregate_values(attention_weights, values):
    n_q, n_k = attention_weights.shape[-2:]
    out = torch.zeros(*attention_weights.shape[:-1], values.shape[-1], dtype=values.dtype)
    for i in range(n_q):
        for j in range(n_k):
            out[..., i, :] += attention_weights[..., i, j, None] * values[..., j, :]
    return out

# %% weighted_sum_by_broadcasting
def aggregate_values(attention_weights, values):
    # [..., n_q, n_k, 1] * [..., 1, n_k, d_v], summed over the keys
    return (attention_weights[..., None] * values[..., None, :, :]).sum(dim=-2)

# %% transposed_product
def aggregate_values(attention_weights, values):
    return (values.mT @ attention_weights.mT).mT

# %% key_by_key
def aggregate_values(attention_weights, values):
    parts = [
        attention_weights[..., j : j + 1] * values[..., j : j + 1, :]
        for j in range(values.shape[-2])
    ]
    return sum(parts)

# %% one_lambda
aggregate_values = lambda attention_weights, values: attention_weights.matmul(values)

# %% hints_and_docstring
def aggregate_values(attention_weights: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """The mean of the values, weighted by each query's attention."""
    assert attention_weights.shape[-1] == values.shape[-2]
    attended: torch.Tensor = torch.matmul(attention_weights, values)
    return attended

# %% float64_inside
def aggregate_values(attention_weights, values):
    return (attention_weights.double() @ values.double()).to(values.dtype)

# %% prints_and_warns
import warnings


def aggregate_values(attention_weights, values):
    print(attention_weights.shape, "@", values.shape)
    sums = attention_weights.sum(dim=-1)
    if not torch.allclose(sums, torch.ones_like(sums)):
        warnings.warn("some rows of the weights do not sum to 1")
    return attention_weights @ values

# %% helper_function
def weighted_mean(shares, rows):
    return torch.einsum("...j,...jd->...d", shares, rows)


def aggregate_values(attention_weights, values):
    n_q = attention_weights.shape[-2]
    rows = [weighted_mean(attention_weights[..., i, :], values) for i in range(n_q)]
    return torch.stack(rows, dim=-2)

# %% in_place_on_its_own
def aggregate_values(attention_weights, values):
    result = attention_weights[..., :1] * values[..., :1, :]
    for j in range(1, values.size(-2)):
        result += attention_weights[..., j : j + 1] * values[..., j : j + 1, :]
    return result

# %% functional_linear_of_a_sentence | F.linear knows one matrix, so each sentence has its turn
def aggregate_values(attention_weights, values):
    if attention_weights.dim() == 2:
        return F.linear(attention_weights, values.T)
    return torch.stack([aggregate_values(w, v) for w, v in zip(attention_weights, values)])
''',
)
