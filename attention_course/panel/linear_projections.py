"""Right answers to the exercise linear_projections, in the styles that a class would write."""

from __future__ import annotations

from attention_course.panel.known_answer import right_answers

RIGHT = right_answers(
    "linear_projections",
    r'''
# %% matmul_operator
def linear_projections(embeddings, W_q, W_k, W_v):
    queries = embeddings @ W_q
    keys = embeddings @ W_k
    values = embeddings @ W_v
    return queries, keys, values

# %% torch_matmul
def linear_projections(embeddings, W_q, W_k, W_v):
    return (
        torch.matmul(embeddings, W_q),
        torch.matmul(embeddings, W_k),
        torch.matmul(embeddings, W_v),
    )

# %% matmul_method
def linear_projections(embeddings, W_q, W_k, W_v):
    q, k, v = (embeddings.matmul(W) for W in (W_q, W_k, W_v))
    return q, k, v

# %% einsum
def linear_projections(embeddings, W_q, W_k, W_v):
    project = lambda W: torch.einsum("...nd,dk->...nk", embeddings, W)
    return project(W_q), project(W_k), project(W_v)

# %% einsum_operands_exchanged | the matrix comes first, the letters are others
def linear_projections(embeddings, W_q, W_k, W_v):
    Q = torch.einsum("ij,...ti->...tj", W_q, embeddings)
    K = torch.einsum("ij,...ti->...tj", W_k, embeddings)
    V = torch.einsum("ij,...ti->...tj", W_v, embeddings)
    return Q, K, V

# %% functional_linear_of_the_transposed
def linear_projections(embeddings, W_q, W_k, W_v):
    # F.linear multiplies with the transposed weight, so transpose it back first.
    return F.linear(embeddings, W_q.T), F.linear(embeddings, W_k.T), F.linear(embeddings, W_v.T)

# %% linear_layers_made_inside | layers without biases that take over the given matrices
def linear_projections(embeddings, W_q, W_k, W_v):
    outputs = []
    for W in (W_q, W_k, W_v):
        layer = nn.Linear(W.shape[0], W.shape[1], bias=False)
        layer.weight.data = W.T.clone()
        outputs.append(layer(embeddings))
    return tuple(outputs)

# %% list_of_three
def linear_projections(embeddings, W_q, W_k, W_v):
    return [embeddings @ W for W in [W_q, W_k, W_v]]

# %% map
def linear_projections(embeddings, W_q, W_k, W_v):
    return tuple(map(lambda W: embeddings @ W, (W_q, W_k, W_v)))

# %% named_tuple
from collections import namedtuple

Projections = namedtuple("Projections", "queries keys values")


def linear_projections(embeddings, W_q, W_k, W_v):
    return Projections(
        queries=embeddings @ W_q,
        keys=embeddings @ W_k,
        values=embeddings @ W_v,
    )

# %% fused_and_split
def linear_projections(embeddings, W_q, W_k, W_v):
    W_qkv = torch.cat([W_q, W_k, W_v], dim=1)
    return (embeddings @ W_qkv).split([W_q.size(1), W_k.size(1), W_v.size(1)], dim=-1)

# %% flattened_and_back
def linear_projections(embeddings, W_q, W_k, W_v):
    *lead, n, d_model = embeddings.shape
    flat = embeddings.reshape(-1, d_model)
    q = torch.mm(flat, W_q).view(*lead, n, -1)
    k = torch.mm(flat, W_k).view(*lead, n, -1)
    v = torch.mm(flat, W_v).view(*lead, n, -1)
    return q, k, v

# %% helper_function
def project(x, W):
    return torch.matmul(x, W)


def linear_projections(embeddings, W_q, W_k, W_v):
    return project(embeddings, W_q), project(embeddings, W_k), project(embeddings, W_v)

# %% one_lambda
linear_projections = lambda embeddings, W_q, W_k, W_v: (
    embeddings @ W_q,
    embeddings @ W_k,
    embeddings @ W_v,
)

# %% hints_and_docstring
def linear_projections(
    embeddings: torch.Tensor, W_q: torch.Tensor, W_k: torch.Tensor, W_v: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Project the embeddings.

    Args:
        embeddings: [..., n, d_model]
        W_q, W_k, W_v: one matrix for each of the three roles

    Returns:
        queries, keys, values
    """
    assert embeddings.shape[-1] == W_q.shape[0] == W_k.shape[0] == W_v.shape[0]
    queries: torch.Tensor = embeddings @ W_q
    keys: torch.Tensor = embeddings @ W_k
    values: torch.Tensor = embeddings @ W_v
    return queries, keys, values

# %% float64_inside
def linear_projections(embeddings, W_q, W_k, W_v):
    x = embeddings.double()
    outputs = [x @ W.double() for W in (W_q, W_k, W_v)]
    return tuple(out.to(embeddings.dtype) for out in outputs)

# %% prints_shapes
def linear_projections(embeddings, W_q, W_k, W_v):
    print("embeddings", embeddings.shape, "W_q", W_q.shape)
    queries = embeddings @ W_q
    keys = embeddings @ W_k
    values = embeddings @ W_v
    print(queries.shape, keys.shape, values.shape)
    print(queries)
    return queries, keys, values

# %% warns
import warnings


def linear_projections(embeddings, W_q, W_k, W_v):
    if W_q.shape != W_v.shape:
        warnings.warn("the values have another width than the queries")
    return embeddings @ W_q, embeddings @ W_k, embeddings @ W_v

# %% tensordot
def linear_projections(embeddings, W_q, W_k, W_v):
    return tuple(torch.tensordot(embeddings, W, dims=1) for W in (W_q, W_k, W_v))

# %% token_by_token
def linear_projections(embeddings, W_q, W_k, W_v):
    results = []
    for W in (W_q, W_k, W_v):
        rows = [token @ W for token in embeddings.reshape(-1, embeddings.shape[-1])]
        results.append(torch.stack(rows).reshape(*embeddings.shape[:-1], W.shape[1]))
    return results[0], results[1], results[2]

# %% broadcast_and_sum
def linear_projections(embeddings, W_q, W_k, W_v):
    # The sum over d_model, written out.
    x = embeddings.unsqueeze(-1)
    return (x * W_q).sum(dim=-2), (x * W_k).sum(dim=-2), (x * W_v).sum(dim=-2)

# %% column_by_column
def linear_projections(embeddings, W_q, W_k, W_v):
    def times(W):
        out = torch.zeros(*embeddings.shape[:-1], W.shape[1], dtype=embeddings.dtype)
        for j in range(W.shape[1]):
            out[..., j] = (embeddings * W[:, j]).sum(-1)
        return out

    return times(W_q), times(W_k), times(W_v)

# %% works_on_copies
def linear_projections(embeddings, W_q, W_k, W_v):
    x = embeddings.clone()
    queries = x @ W_q
    keys = x @ W_k
    values = x @ W_v
    x.zero_()  # my own copy
    return queries, keys, values

# %% dead_code_and_tries
def linear_projections(embeddings, W_q, W_k, W_v):
    # queries = W_q @ embeddings     # does not work
    # queries = embeddings * W_q     # no!
    tries = 3
    if tries < 0:
        return None
    queries = torch.matmul(embeddings, W_q); keys = torch.matmul(embeddings, W_k)
    values = torch.matmul(embeddings, W_v)
    unused = queries.mean()
    return (queries, keys, values)
''',
)
