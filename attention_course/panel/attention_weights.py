"""Right answers to the exercise attention_weights, in the styles that a class would write."""

from __future__ import annotations

from attention_course.panel.known_answer import right_answers

RIGHT = right_answers(
    "attention_weights",
    r'''
# %% torch_softmax
def softmax_weights(attention_scores):
    return torch.softmax(attention_scores, dim=-1)

# %% functional_softmax
def softmax_weights(attention_scores):
    attention_weights = F.softmax(attention_scores, dim=-1)
    return attention_weights

# %% method
def softmax_weights(attention_scores):
    return attention_scores.softmax(-1)

# %% softmax_module
softmax_over_keys = nn.Softmax(dim=-1)


def softmax_weights(attention_scores):
    return softmax_over_keys(attention_scores)

# %% exponentials_row_maximum
def softmax_weights(attention_scores):
    largest = attention_scores.max(dim=-1, keepdim=True).values
    exponentials = torch.exp(attention_scores - largest)
    return exponentials / exponentials.sum(dim=-1, keepdim=True)

# %% exponentials_global_maximum | stable unless the rows lie very far apart
def softmax_weights(attention_scores):
    exponentials = torch.exp(attention_scores - attention_scores.max())
    return exponentials / exponentials.sum(dim=-1, keepdim=True)

# %% exponentials_amax_unsqueezed
def softmax_weights(attention_scores):
    m = torch.amax(attention_scores, -1)
    e = (attention_scores - m[..., None]).exp()
    return e / e.sum(-1).unsqueeze(-1)

# %% divided_in_place | in place on a result of its own
def softmax_weights(attention_scores):
    weights = torch.exp(attention_scores - attention_scores.amax(dim=-1, keepdim=True))
    weights /= weights.sum(dim=-1, keepdim=True)
    return weights

# %% changes_a_clone
def softmax_weights(attention_scores):
    s = attention_scores.clone()
    s -= s.max(-1, keepdim=True)[0]
    s.exp_()
    s /= s.sum(-1, keepdim=True)
    return s

# %% log_softmax_then_exp
def softmax_weights(attention_scores):
    return F.log_softmax(attention_scores, dim=-1).exp()

# %% logsumexp
def softmax_weights(attention_scores):
    return torch.exp(attention_scores - torch.logsumexp(attention_scores, dim=-1, keepdim=True))

# %% softmin_of_the_negative
def softmax_weights(attention_scores):
    return F.softmin(-attention_scores, dim=-1)

# %% transposed_there_and_back
def softmax_weights(attention_scores):
    columns = attention_scores.transpose(-2, -1)
    return torch.softmax(columns, dim=-2).transpose(-2, -1)

# %% powers_of_two
def softmax_weights(attention_scores):
    shifted = attention_scores - attention_scores.amax(-1, keepdim=True)
    powers = torch.exp2(shifted * math.log2(math.e))
    return powers / powers.sum(-1, keepdim=True)

# %% row_by_row
def softmax_weights(attention_scores):
    rows = attention_scores.reshape(-1, attention_scores.shape[-1])
    weights = []
    for row in rows:
        e = torch.exp(row - row.max())
        weights.append(e / e.sum())
    return torch.stack(weights).reshape(attention_scores.shape)

# %% plain_python
def softmax_of(row):
    largest = max(row)
    exponentials = [math.exp(score - largest) for score in row]
    total = sum(exponentials)
    return [e / total for e in exponentials]


def softmax_weights(attention_scores):
    n_k = attention_scores.shape[-1]
    rows = [softmax_of(row) for row in attention_scores.reshape(-1, n_k).tolist()]
    return torch.tensor(rows).reshape(attention_scores.shape)

# %% float64_inside
def softmax_weights(attention_scores):
    return torch.softmax(attention_scores.double(), dim=-1).to(attention_scores.dtype)

# %% dtype_argument
def softmax_weights(attention_scores):
    return torch.softmax(attention_scores, dim=-1, dtype=torch.float64).type_as(attention_scores)

# %% one_lambda
softmax_weights = lambda attention_scores: F.softmax(attention_scores, -1)

# %% last_dimension_counted
def softmax_weights(attention_scores):
    return torch.softmax(attention_scores, dim=attention_scores.dim() - 1)

# %% hints_prints_and_warning
import warnings


def softmax_weights(attention_scores: torch.Tensor) -> torch.Tensor:
    """Each query's scores as shares of 1."""
    weights: torch.Tensor = torch.softmax(attention_scores, dim=-1)
    print("row sums:", weights.sum(dim=-1))
    if attention_scores.abs().max() > 50:
        warnings.warn("very large scores")
    return weights

# %% checked_and_helped
def stable_exponentials(x):
    return torch.exp(x - torch.max(x, dim=-1, keepdim=True)[0])


def normalised(x):
    return x / torch.sum(x, dim=-1, keepdim=True)


def softmax_weights(attention_scores):
    weights = normalised(stable_exponentials(attention_scores))
    assert torch.allclose(weights.sum(-1), torch.ones(weights.shape[:-1], dtype=weights.dtype))
    return weights
''',
)
