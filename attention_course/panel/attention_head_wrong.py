"""Wrong answers to the exercise attention_head: faults of the class, its layers and its results.

Those of the computation itself are in attention_head_computation.
"""

from __future__ import annotations

from attention_course.panel.known_answer import wrong_answers

LAYERS = """
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)
"""
"""How most answers begin; those below that start with ``def forward`` continue it."""

WRONG = wrong_answers(
    "attention_head",
    r"""
# %% not_started | not_started
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, embeddings):
        # YOUR CODE HERE
        raise NotImplementedError()

# %% forward_not_started | not_started
    def forward(self, embeddings):
        # YOUR CODE HERE
        raise NotImplementedError()

# %% nothing_returned | returns_nothing
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        attended = weights @ v

# %% values_alone | wrong_result_count
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v

# %% weights_kept_inside | wrong_result_count
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        scores = torch.matmul(q, k.mT) / k.shape[-1] ** 0.5
        self.attention_weights = F.softmax(scores, dim=-1)
        return torch.matmul(self.attention_weights, v)

# %% scores_returned_too | wrong_result_count
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        weights = torch.softmax(scores, dim=-1)
        return weights @ v, weights, scores

# %% weights_first | wrong_result_order
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights, weights @ v

# %% scores_instead_of_weights | | the second result is taken before the softmax
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        return torch.softmax(scores, dim=-1) @ v, scores

# %% layers_without_biases | no_biases
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k, bias=False)
        self.key = nn.Linear(d_model, d_k, bias=False)
        self.value = nn.Linear(d_model, d_v, bias=False)

    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% biases_not_used | no_biases
    def forward(self, embeddings):
        q = embeddings @ self.query.weight.T
        k = embeddings @ self.key.weight.T
        v = embeddings @ self.value.weight.T
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% biases_not_given | no_biases
    def forward(self, embeddings):
        q, k, v = [F.linear(embeddings, layer.weight) for layer in self.children()]
        weights = (q @ k.mT / math.sqrt(k.shape[-1])).softmax(-1)
        return weights @ v, weights

# %% names_of_the_matrices | wrong_layer_names
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.W_q = nn.Linear(d_model, d_k)
        self.W_k = nn.Linear(d_model, d_k)
        self.W_v = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        q, k, v = self.W_q(embeddings), self.W_k(embeddings), self.W_v(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% plural_names | wrong_layer_names
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.queries = nn.Linear(d_model, d_k)
        self.keys = nn.Linear(d_model, d_k)
        self.values = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        q, k, v = self.queries(embeddings), self.keys(embeddings), self.values(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% one_fused_layer | wrong_layer_names
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.sizes = (d_k, d_k, d_v)
        self.qkv = nn.Linear(d_model, sum(self.sizes))

    def forward(self, embeddings):
        q, k, v = self.qkv(embeddings).split(self.sizes, dim=-1)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% square_layers | wrong_layer_sizes
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_model)
        self.key = nn.Linear(d_model, d_model)
        self.value = nn.Linear(d_model, d_model)

    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% values_as_wide_as_keys | wrong_layer_sizes
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_k)

    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% sizes_of_the_prompt | wrong_layer_sizes
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(64, 64)
        self.key = nn.Linear(64, 64)
        self.value = nn.Linear(64, 64)

    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / 8, dim=-1)
        return weights @ v, weights

# %% output_layer | output_projection_added
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)
        self.out = nn.Linear(d_v, d_model)

    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return self.out(weights @ v), weights

# %% bare_parameters | | matrices in place of layers
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Parameter(torch.randn(d_model, d_k))
        self.key = nn.Parameter(torch.randn(d_model, d_k))
        self.value = nn.Parameter(torch.randn(d_model, d_v))

    def forward(self, embeddings):
        q, k, v = embeddings @ self.query, embeddings @ self.key, embeddings @ self.value
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% base_class_not_started | raises | super().__init__() is missing
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% self_forgotten | raises
    def forward(self, embeddings):
        q, k, v = query(embeddings), key(embeddings), value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% forward_by_another_name | | torch says that forward is missing
    def attend(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% plain_class | | no nn.Module, so no parameters and no call
class AttentionHead:
    def __init__(self, d_model, d_k, d_v):
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% built_in_attention | ready_made
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        eye = torch.eye(embeddings.shape[-2]).expand(*embeddings.shape[:-1], -1)
        weights = F.scaled_dot_product_attention(q, k, eye)
        return F.scaled_dot_product_attention(q, k, v), weights

# %% built_in_attention_by_another_name | ready_made
attend = getattr(F, "scaled_dot_" + "product_attention")


class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return attend(q, k, v), weights

# %% multihead_attention | ready_made | one head of the ready-made layer, weights put in place
class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        d_k, d_v = q.shape[-1], v.shape[-1]
        layer = nn.MultiheadAttention(d_k, 1, bias=False, vdim=d_v, batch_first=True)
        layer.q_proj_weight.data = layer.k_proj_weight.data = torch.eye(d_k)
        weights = layer(q, k, v)[1]
        return weights @ v, weights

# %% reference_called | ready_made
import reference_attention


class AttentionHead(reference_attention.AttentionHead):
    pass
""",
    LAYERS,
)
