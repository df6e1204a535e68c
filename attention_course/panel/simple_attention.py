"""Right SimpleAttention classes, in the styles that a class would write.

Each answers all four exercises of attention_basics, and is kept under the last of them.
"""

from __future__ import annotations

from attention_course.panel.known_answer import right_answers

RIGHT = right_answers(
    "output",
    r'''
# %% step_by_step
class SimpleAttention(nn.Module):
    def __init__(self, n_embd: int) -> None:
        super().__init__()
        self.query = nn.Linear(n_embd, n_embd)
        self.key = nn.Linear(n_embd, n_embd)
        self.value = nn.Linear(n_embd, n_embd)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x [batch, seq_len, n_embd] to the same shape."""
        queries = self.query(x)
        keys = self.key(x)
        values = self.value(x)
        scores = queries @ keys.transpose(-2, -1)
        self.attention_weights = torch.softmax(scores, dim=-1)
        return self.attention_weights @ values

# %% batch_time_channels
class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        self.key = nn.Linear(n_embd, n_embd)
        self.query = nn.Linear(n_embd, n_embd)
        self.value = nn.Linear(n_embd, n_embd)
        self.attention_weights = None

    def forward(self, x):
        B, T, C = x.shape
        k, q, v = self.key(x), self.query(x), self.value(x)
        wei = F.softmax(q @ k.transpose(1, 2), dim=2)
        self.attention_weights = wei
        return wei @ v

# %% bmm
class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super(SimpleAttention, self).__init__()
        self.query = nn.Linear(n_embd, n_embd, bias=True)
        self.key = nn.Linear(n_embd, n_embd, bias=True)
        self.value = nn.Linear(n_embd, n_embd, bias=True)
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, x):
        scores = torch.bmm(self.query(x), self.key(x).permute(0, 2, 1))
        self.attention_weights = self.softmax(scores)
        return torch.bmm(self.attention_weights, self.value(x))

# %% einsum
class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(n_embd, n_embd) for _ in range(3))

    def forward(self, x):
        scores = torch.einsum("btd,bsd->bts", self.query(x), self.key(x))
        self.attention_weights = scores.softmax(dim=-1)
        return torch.einsum("bts,bsd->btd", self.attention_weights, self.value(x))

# %% exponentials
class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        self.query = nn.Linear(n_embd, n_embd)
        self.key = nn.Linear(n_embd, n_embd)
        self.value = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        scores = torch.matmul(self.query(x), self.key(x).mT)
        e = torch.exp(scores - scores.amax(dim=-1, keepdim=True))
        self.attention_weights = e / e.sum(dim=-1, keepdim=True)
        return torch.matmul(self.attention_weights, self.value(x))

# %% sentence_by_sentence
class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        self.query = nn.Linear(n_embd, n_embd)
        self.key = nn.Linear(n_embd, n_embd)
        self.value = nn.Linear(n_embd, n_embd)

    def attend(self, sentence):
        weights = torch.softmax(self.query(sentence) @ self.key(sentence).T, dim=1)
        return weights, weights @ self.value(sentence)

    def forward(self, x):
        weights, outputs = zip(*[self.attend(sentence) for sentence in x])
        self.attention_weights = torch.stack(weights)
        return torch.stack(outputs)

# %% prints_and_warns
import warnings


class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        if n_embd % 2:
            warnings.warn("an odd embedding size")
        self.query = nn.Linear(n_embd, n_embd)
        self.key = nn.Linear(n_embd, n_embd)
        self.value = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        print("x:", x.shape)
        queries, keys, values = self.query(x), self.key(x), self.value(x)
        scores = queries @ keys.transpose(-2, -1)
        print("scores:", scores.shape, scores.detach().std())
        self.attention_weights = torch.softmax(scores, dim=-1)
        return self.attention_weights @ values

# %% weights_kept_detached | kept for looking at; the output does not use the kept ones
class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        self.query = nn.Linear(n_embd, n_embd)
        self.key = nn.Linear(n_embd, n_embd)
        self.value = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        weights = F.softmax(self.query(x) @ self.key(x).transpose(-2, -1), dim=-1)
        self.attention_weights = weights.detach()
        return weights @ self.value(x)

# %% property_of_the_weights
class SimpleAttention(nn.Module):
    """Attention with its last weights behind a property."""

    def __init__(self, n_embd):
        super().__init__()
        self.query = nn.Linear(n_embd, n_embd)
        self.key = nn.Linear(n_embd, n_embd)
        self.value = nn.Linear(n_embd, n_embd)
        self._weights = None

    @property
    def attention_weights(self):
        return self._weights

    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self._weights = F.log_softmax(q @ k.swapaxes(1, 2), dim=-1).exp()
        return self._weights.matmul(v)

# %% float64_inside
class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        self.query = nn.Linear(n_embd, n_embd)
        self.key = nn.Linear(n_embd, n_embd)
        self.value = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        q, k, v = (layer(x).double() for layer in (self.query, self.key, self.value))
        weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        self.attention_weights = weights.to(x.dtype)
        return (weights @ v).to(x.dtype)
''',
)
