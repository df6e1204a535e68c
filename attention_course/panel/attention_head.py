"""Right answers to the exercise attention_head, in the styles that a class would write."""

from __future__ import annotations

from attention_course.panel.known_answer import right_answers

RIGHT = right_answers(
    "attention_head",
    r'''
# %% step_by_step
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        queries = self.query(embeddings)
        keys = self.key(embeddings)
        values = self.value(embeddings)
        attention_scores = queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])
        attention_weights = torch.softmax(attention_scores, dim=-1)
        return attention_weights @ values, attention_weights

# %% scale_kept
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super(AttentionHead, self).__init__()
        self.d_k = d_k
        self.query = nn.Linear(d_model, d_k, bias=True)
        self.key = nn.Linear(d_model, d_k, bias=True)
        self.value = nn.Linear(d_model, d_v, bias=True)
        self.scale = d_k**-0.5

    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = F.softmax(torch.matmul(q, k.mT) * self.scale, dim=-1)
        return torch.matmul(weights, v), weights

# %% einsum
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query, self.key = nn.Linear(d_model, d_k), nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        Q, K, V = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        A = torch.einsum("...qd,...kd->...qk", Q, K) / math.sqrt(K.shape[-1])
        A = A.softmax(dim=-1)
        return torch.einsum("...qk,...kd->...qd", A, V), A

# %% made_in_another_order | the layers in another order than usual
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.value = nn.Linear(d_model, d_v)
        self.key = nn.Linear(d_model, d_k)
        self.query = nn.Linear(d_model, d_k)

    def forward(self, embeddings):
        values = self.value(embeddings)
        keys = self.key(embeddings) / self.key.out_features**0.25
        queries = self.query(embeddings) / self.query.out_features**0.25
        weights = (queries @ keys.swapaxes(-1, -2)).softmax(-1)
        attended_values = weights @ values
        return attended_values, weights

# %% fused_projection | one product for all three layers
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)
        self.widths = [d_k, d_k, d_v]

    def forward(self, embeddings):
        layers = (self.query, self.key, self.value)
        W = torch.cat([layer.weight for layer in layers])
        b = torch.cat([layer.bias for layer in layers])
        q, k, v = F.linear(embeddings, W, b).split(self.widths, dim=-1)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(self.widths[0]), dim=-1)
        return weights @ v, weights

# %% own_linear_class
class Projection(nn.Linear):
    """A linear layer by another name."""


class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = Projection(d_model, d_k)
        self.key = Projection(d_model, d_k)
        self.value = Projection(d_model, d_v)

    def forward(self, embeddings):
        q = self.query(embeddings)
        k = self.key(embeddings)
        scores = q @ k.transpose(-2, -1)
        weights = torch.softmax(scores / q.size(-1) ** 0.5, dim=-1)
        return weights @ self.value(embeddings), weights

# %% exponentials
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        q, k, v = (layer(embeddings) for layer in (self.query, self.key, self.value))
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        e = torch.exp(scores - scores.max(dim=-1, keepdim=True).values)
        weights = e / e.sum(dim=-1, keepdim=True)
        return weights @ v, weights

# %% exponentials_one_maximum_for_all
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        e = torch.exp(scores - scores.max())
        weights = e / e.sum(dim=-1, keepdim=True)
        return weights @ v, weights

# %% bmm_and_back
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        *lead, n, d_model = embeddings.shape
        x = embeddings.reshape(-1, n, d_model)
        q, k, v = self.query(x), self.key(x), self.value(x)
        weights = F.softmax(torch.bmm(q, k.transpose(1, 2)) / math.sqrt(q.shape[2]), dim=2)
        attended = torch.bmm(weights, v)
        return attended.reshape(*lead, n, -1), weights.reshape(*lead, n, n)

# %% query_by_query
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        queries, keys, values = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        outputs, all_weights = [], []
        for i in range(queries.shape[-2]):
            q = queries[..., i, :].unsqueeze(-2)
            scores = (q * keys).sum(-1) / math.sqrt(keys.shape[-1])
            weights = torch.softmax(scores, dim=-1)
            outputs.append((weights.unsqueeze(-1) * values).sum(-2))
            all_weights.append(weights)
        return torch.stack(outputs, dim=-2), torch.stack(all_weights, dim=-2)

# %% functions_beside_it
def head_scores(queries, keys):
    return queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])


def head_weights(scores):
    return torch.softmax(scores, dim=-1)


class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        scores = head_scores(self.query(embeddings), self.key(embeddings))
        weights = head_weights(scores)
        return weights @ self.value(embeddings), weights

# %% methods_and_softmax_module
class AttentionHead(nn.Module):
    def __init__(self, d_model: int, d_k: int, d_v: int) -> None:
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)
        self.softmax = nn.Softmax(dim=-1)

    def scores(self, embeddings: torch.Tensor) -> torch.Tensor:
        """[..., n, n]"""
        q, k = self.query(embeddings), self.key(embeddings)
        return q @ k.transpose(-2, -1) / math.sqrt(self.query.out_features)

    def forward(self, embeddings: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Attended values and weights."""
        weights = self.softmax(self.scores(embeddings))
        return weights @ self.value(embeddings), weights

# %% base_class
class Attention(nn.Module):
    def attend(self, q, k, v):
        weights = F.log_softmax(q @ k.mT / math.sqrt(k.shape[-1]), dim=-1).exp()
        return weights @ v, weights


class AttentionHead(Attention):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        return self.attend(self.query(embeddings), self.key(embeddings), self.value(embeddings))

# %% float64_inside
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        q = self.query(embeddings).double()
        k = self.key(embeddings).double()
        v = self.value(embeddings).double()
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        attended = weights @ v
        return attended.to(embeddings.dtype), weights.to(embeddings.dtype)

# %% prints_and_warns
import warnings


class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        print("a head with", d_model, d_k, d_v)
        if d_k != d_v:
            warnings.warn("d_k and d_v differ")
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        queries, keys, values = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        print("queries", queries.shape)
        scores = queries @ keys.transpose(-2, -1) / math.sqrt(keys.shape[-1])
        weights = torch.softmax(scores, dim=-1)
        print("weights", weights.detach())
        return weights @ values, weights

# %% list_of_two
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        for name, width in {"query": d_k, "key": d_k, "value": d_v}.items():
            setattr(self, name, nn.Linear(d_model, width))

    def forward(self, embeddings):
        Q, K, V = [getattr(self, name)(embeddings) for name in ("query", "key", "value")]
        W = torch.softmax(Q @ K.transpose(-2, -1) / K.shape[-1] ** 0.5, dim=-1)
        return [W @ V, W]

# %% own_initialisation
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)
        for layer in (self.query, self.key, self.value):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, embeddings):
        scores = self.query(embeddings) @ self.key(embeddings).transpose(-2, -1)
        scores = scores / torch.sqrt(torch.tensor(float(self.key.out_features)))
        self.last_weights = torch.softmax(scores, dim=-1)
        return self.last_weights @ self.value(embeddings), self.last_weights

# %% buffer_and_no_dropout | a scale that is not saved, and a dropout of nothing
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v, dropout=0.0):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("root", torch.tensor(d_k).sqrt(), persistent=False)

    def forward(self, embeddings, mask=None):
        scores = self.query(embeddings) @ self.key(embeddings).transpose(-2, -1) / self.root
        if mask is not None:
            scores = scores.masked_fill(mask, -math.inf)
        weights = self.dropout(torch.softmax(scores, dim=-1))
        return weights @ self.value(embeddings), weights

# %% parameters_written_out | the layers are there, their products are written out
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        def project(layer):
            return embeddings @ layer.weight.T + layer.bias

        Q, K, V = project(self.query), project(self.key), project(self.value)
        weights = torch.softmax(Q @ K.transpose(-2, -1) * Q.shape[-1] ** -0.5, dim=-1)
        return weights @ V, weights
''',
)
