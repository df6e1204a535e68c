"""Graded answers to value_aggregation, attention_head and the exercises of attention_basics."""

from attention_course.grading.review.gold.entry import GoldAnswer

LAST_STEPS = (
    GoldAnswer(
        "product",
        "value_aggregation",
        True,
        (5, 5, 5),
        """def aggregate_values(attention_weights, values):
    attended_values = attention_weights @ values
    return attended_values
""",
    ),
    GoldAnswer(
        "sum_over_keys",
        "value_aggregation",
        True,
        (5, 5, 4),
        """def aggregate_values(attention_weights, values):
    weighted_values = attention_weights.unsqueeze(-1) * values.unsqueeze(-3)
    return weighted_values.sum(dim=-2)
""",
    ),
    GoldAnswer(
        "transposed_but_clear",
        "value_aggregation",
        False,
        (5, 5, 4),
        """def aggregate_values(attention_weights, values):
    weights_by_key = attention_weights.transpose(-2, -1)
    return weights_by_key @ values
""",
    ),
    GoldAnswer(
        "elementwise_but_clear",
        "value_aggregation",
        False,
        (5, 5, 5),
        """def aggregate_values(attention_weights, values):
    weighted_values = attention_weights * values
    return weighted_values
""",
    ),
    GoldAnswer(
        "spelled_out",
        "value_aggregation",
        False,
        (2, 1, 2),
        """def aggregate_values(attention_weights, values):
    r = torch.zeros(1, 6, 64)
    for a1 in range(6):
        for a2 in range(6):
            for a3 in range(64):
                r[0, a1, a3] += attention_weights[0, a1, a2] * values[0, a2, a3]
    return r
""",
    ),
    GoldAnswer(
        "turned_around",
        "value_aggregation",
        True,
        (3, 5, 2),
        """def aggregate_values(attention_weights, values):
    w = attention_weights.transpose(-2, -1)
    v = values.transpose(-2, -1)
    out = v @ w
    out = out.transpose(-2, -1)
    return out
""",
    ),
    GoldAnswer(
        "key_by_key",
        "value_aggregation",
        True,
        (5, 5, 3),
        """def aggregate_values(attention_weights, values):
    attended_values = 0
    for key in range(values.shape[-2]):
        share = attention_weights[..., key : key + 1]
        attended_values = attended_values + share * values[..., key : key + 1, :]
    return attended_values
""",
    ),
    GoldAnswer(
        "earlier_answers_used",
        "attention_head",
        True,
        (5, 5, 5),
        """class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        scores = scaled_dot_product_scores(self.query(embeddings), self.key(embeddings))
        weights = softmax_weights(scores)
        return aggregate_values(weights, self.value(embeddings)), weights
""",
    ),
    GoldAnswer(
        "written_out",
        "attention_head",
        True,
        (5, 5, 5),
        """class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)
        self.scale = math.sqrt(d_k)

    def forward(self, embeddings):
        queries = self.query(embeddings)
        keys = self.key(embeddings)
        values = self.value(embeddings)
        weights = torch.softmax(queries @ keys.transpose(-2, -1) / self.scale, dim=-1)
        return weights @ values, weights
""",
    ),
    GoldAnswer(
        "sizes_of_the_lesson",
        "attention_head",
        False,
        (4, 1, 4),
        """class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(64, 64)
        self.key = nn.Linear(64, 64)
        self.value = nn.Linear(64, 64)

    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        weights = torch.softmax(q @ k.transpose(-2, -1) / 8, dim=-1)
        return weights @ v, weights
""",
    ),
    GoldAnswer(
        "state_everywhere",
        "attention_head",
        True,
        (2, 5, 2),
        """class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)
        self.a = None
        self.b = None

    def step1(self, x):
        self.a = self.query(x)
        self.b = self.key(x)

    def step2(self):
        self.a = self.a @ self.b.transpose(-2, -1)
        self.a = self.a / math.sqrt(self.b.shape[-1])

    def step3(self):
        self.a = torch.softmax(self.a, -1)

    def forward(self, x):
        self.step1(x)
        self.step2()
        self.step3()
        self.b = self.a @ self.value(x)
        return self.b, self.a
""",
    ),
    GoldAnswer(
        "not_scaled_but_clear",
        "attention_head",
        False,
        (5, 5, 5),
        """class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        queries, keys = self.query(embeddings), self.key(embeddings)
        weights = torch.softmax(queries @ keys.transpose(-2, -1), dim=-1)
        return weights @ self.value(embeddings), weights
""",
    ),
    GoldAnswer(
        "everything_in_one_line",
        "attention_head",
        True,
        (3, 5, 2),
        """class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(d_model, z) for z in (d_k, d_k, d_v))

    def forward(self, x):
        return (w := torch.softmax(self.query(x) @ self.key(x).mT / self.key(x).shape[-1] ** 0.5,
                                   -1)) @ self.value(x), w
""",
    ),
    GoldAnswer(
        "tangled",
        "attention_head",
        False,
        (1, 2, 1),
        """class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, keys):
        queries = self.value(keys)
        values = self.query(keys)
        foo = self.key(keys)
        weights = values @ foo.transpose(-2, -1)
        scores = torch.softmax(weights / 8, dim=-1)
        if scores.shape[-1] == 6:
            result = scores @ queries
        else:
            result = scores @ queries
            result = result * 1
        return result, scores
""",
    ),
    GoldAnswer(
        "loop_over_layers",
        "projections",
        True,
        (5, 5, 5),
        """attention = SimpleAttention(x.shape[-1])
for name in ("query", "key", "value"):
    projected = getattr(attention, name)(x)
    print(name, list(projected.shape))
""",
    ),
    GoldAnswer(
        "three_times_the_same",
        "projections",
        True,
        (2, 2, 3),
        """a = SimpleAttention(64)
tmp1 = a.query(x)
print(tmp1.shape)
tmp2 = a.key(x)
print(tmp2.shape)
tmp3 = a.value(x)
print(tmp3.shape)
""",
    ),
    GoldAnswer(
        "one_product_one_check",
        "scores",
        True,
        (5, 5, 5),
        """queries, keys = attention.query(x), attention.key(x)
scores = queries @ keys.transpose(-2, -1)
print("scores:", list(scores.shape))
print(scores[0, 2, 1].item(), (queries[0, 2] @ keys[0, 1]).item())
""",
    ),
    GoldAnswer(
        "computed_again",
        "scores",
        True,
        (2, 3, 2),
        """foo = SimpleAttention(64)
print((foo.query(x) @ foo.key(x).transpose(-2, -1)).shape)
print((foo.query(x) @ foo.key(x).transpose(-2, -1))[0, 2, 1])
print((foo.query(x)[0, 2] * foo.key(x)[0, 1]).sum())
""",
    ),
    GoldAnswer(
        "row_sums",
        "weights",
        True,
        (5, 5, 5),
        """attention(x)
weights = attention.attention_weights
print("each row sums to", weights.sum(dim=-1).tolist())
""",
    ),
    GoldAnswer(
        "summed_by_hand",
        "weights",
        True,
        (3, 1, 2),
        """attention(x)
w = attention.attention_weights
for i in range(6):
    total = 0
    for j in range(6):
        total = total + w[0, i, j]
    print(total)
""",
    ),
    GoldAnswer(
        "sizes_in_a_loop",
        "output",
        True,
        (5, 4, 5),
        """for batch, seq_len in ((1, 6), (3, 6), (2, 1), (2, 20)):
    sentences = torch.randn(batch, seq_len, 64)
    print(list(sentences.shape), "to", list(attention(sentences).shape))
""",
    ),
    GoldAnswer(
        "copied_lines",
        "output",
        True,
        (2, 3, 2),
        """x1 = torch.randn(1, 6, 64)
y1 = attention(x1)
print(y1.shape)
x2 = torch.randn(3, 6, 64)
y2 = attention(x2)
print(y2.shape)
x3 = torch.randn(2, 20, 64)
y3 = attention(x3)
print(y3.shape)
""",
    ),
    GoldAnswer(
        "class_by_einsum",
        "problem.py",
        True,
        (5, 5, 5),
        """import torch
from torch import nn


class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        self.query = nn.Linear(n_embd, n_embd)
        self.key = nn.Linear(n_embd, n_embd)
        self.value = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        scores = torch.einsum("bqd,bkd->bqk", self.query(x), self.key(x))
        self.attention_weights = scores.softmax(dim=-1)
        return torch.einsum("bqk,bkd->bqd", self.attention_weights, self.value(x))
""",
    ),
    GoldAnswer(
        "class_with_everything_in_self",
        "problem.py",
        False,
        (1, 1, 2),
        """import torch
from torch import nn


class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        self.query = nn.Linear(64, 64)
        self.key = nn.Linear(64, 64)
        self.value = nn.Linear(64, 64)
        self.keys = None

    def forward(self, x):
        self.keys = self.query(x)
        self.values = self.key(x)
        self.keys = self.keys @ self.values.transpose(1, 2)
        self.keys = torch.softmax(self.keys, dim=1)
        self.attention_weights = self.keys
        self.keys = self.keys @ self.value(x)
        result = self.keys
        return result
""",
    ),
)
