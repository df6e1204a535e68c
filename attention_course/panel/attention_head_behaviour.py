"""Wrong answers to the exercise attention_head: faults of behaviour, pairs of faults, the nameless.

Behaviour is what a single look at the numbers does not show: state, chance, gradients, shapes.
"""

from __future__ import annotations

from attention_course.panel.attention_head_wrong import LAYERS
from attention_course.panel.known_answer import wrong_answers

WRONG_IN_BEHAVIOUR = wrong_answers(
    "attention_head",
    r"""
# %% dropout_always | dropout_left_on
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        weights = F.dropout(weights, p=0.2)
        return weights @ v, weights

# %% dropout_of_the_values | dropout_left_on
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return F.dropout(weights @ v, 0.5, training=True), weights

# %% layers_made_in_forward | random_weights
    def forward(self, embeddings):
        d_model = embeddings.shape[-1]
        q = nn.Linear(d_model, self.query.out_features)(embeddings)
        k = nn.Linear(d_model, self.key.out_features)(embeddings)
        v = nn.Linear(d_model, self.value.out_features)(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% matrices_drawn_in_forward | random_weights
    def forward(self, embeddings):
        d_model, d_k = embeddings.shape[-1], self.query.out_features
        q, k = embeddings @ torch.randn(d_model, d_k), embeddings @ torch.randn(d_model, d_k)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(d_k), dim=-1)
        return weights @ self.value(embeddings), weights

# %% everything_detached | gradients_lost
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return (weights @ v).detach(), weights.detach()

# %% weights_detached | gradients_lost | the values learn, queries and keys do not
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        weights = weights.detach()
        return weights @ v, weights

# %% no_grad | gradients_lost
    @torch.no_grad()
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% data_of_the_queries | gradients_lost
    def forward(self, embeddings):
        q, k, v = self.query(embeddings).data, self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% through_numpy | gradients_lost
import numpy as np


class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        q = self.query(embeddings).detach().numpy()
        k = self.key(embeddings).detach().numpy()
        v = self.value(embeddings).detach().numpy()
        scores = q @ np.swapaxes(k, -1, -2) / np.float32(math.sqrt(q.shape[-1]))
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights = e / e.sum(axis=-1, keepdims=True)
        return torch.from_numpy(weights @ v), torch.from_numpy(weights)

# %% new_tensor_of_the_old | gradients_lost
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        scores = torch.tensor((q @ k.transpose(-2, -1)).tolist()) / math.sqrt(q.shape[-1])
        weights = torch.softmax(scores, dim=-1)
        return weights @ v, weights

# %% divided_in_place | | right numbers, but backward() fails: exp needs what was overwritten
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        weights = torch.exp(scores - scores.amax(dim=-1, keepdim=True))
        weights /= weights.sum(dim=-1, keepdim=True)
        return weights @ v, weights

# %% running_mean | keeps_state
    weights = 0.0

    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        self.weights = 0.5 * self.weights + torch.softmax(q @ k.mT / math.sqrt(k.shape[-1]), dim=-1)
        return self.weights @ v, self.weights

# %% embeddings_scaled_in_place | changes_input
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        with torch.no_grad():
            embeddings.mul_(0.5)
        return weights @ v, weights

# %% viewed_as_the_prompt | hard_coded_shape
    def forward(self, embeddings):
        x = embeddings.view(1, 6, 64)
        q, k, v = self.query(x), self.key(x), self.value(x)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% capital_t | no_batch
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.T / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% first_and_second_exchanged | noted: needs_batch
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% bmm | noted: needs_batch
    def forward(self, embeddings):
        B, T, C = embeddings.shape
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = F.softmax(torch.bmm(q, k.transpose(1, 2)) * q.size(-1) ** -0.5, dim=-1)
        return torch.bmm(weights, v), weights

# %% zeros | all_zeros
    def forward(self, embeddings):
        n = embeddings.shape[-2]
        weights = torch.zeros(*embeddings.shape[:-1], n)
        return torch.zeros(*embeddings.shape[:-1], self.value.out_features), weights

# %% ones | constant
    def forward(self, embeddings):
        v = self.value(embeddings)
        return torch.ones_like(v), torch.ones(*v.shape[:-1], v.shape[-2]) / v.shape[-2]

# %% answer_kept_from_the_prompt | ignores_inputs
HEAD_OUTPUT = torch.randn(1, 6, 64, generator=torch.Generator().manual_seed(21))
HEAD_WEIGHTS = torch.eye(6).unsqueeze(0)


class AttentionHead(nn.Module):
    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, embeddings):
        return HEAD_OUTPUT, HEAD_WEIGHTS

# %% half_precision | wrong_dtype
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return (weights @ v).half(), weights.half()

# %% logarithm_of_the_scores | nan_result
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(torch.log(q @ k.mT) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% not_scaled_and_over_queries | no_scaling, softmax_over_queries
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1), dim=-2)
        return weights @ v, weights

# %% not_scaled_and_keys_aggregated | no_scaling, keys_aggregated
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return weights @ k, weights

# %% not_scaled_and_weights_turned | no_scaling, weights_transposed
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.mT, dim=-1)
        return weights.mT @ v, weights

# %% swapped_and_not_scaled | queries_keys_swapped, no_scaling
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(k @ q.transpose(-2, -1), dim=-1)
        return weights @ v, weights

# %% swapped_and_over_queries | queries_keys_swapped, softmax_over_queries
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(k @ q.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-2)
        return weights @ v, weights

# %% reshaped_and_not_scaled | reshape_instead_of_transpose, no_scaling
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.reshape(*k.shape[:-2], k.shape[-1], k.shape[-2]), dim=-1)
        return weights @ v, weights

# %% divided_by_d_k_and_softmax_twice | divided_by_d_k, softmax_twice
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = (q @ k.mT / q.shape[-1]).softmax(-1).softmax(-1)
        return weights @ v, weights

# %% over_queries_and_weights_turned | softmax_over_queries, weights_transposed
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-2)
        return weights.transpose(-2, -1) @ v, weights

# %% keys_aggregated_weights_turned | keys_aggregated, weights_transposed
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights.transpose(-2, -1) @ k, weights

# %% not_scaled_and_no_biases | no_scaling, no_biases
    def forward(self, embeddings):
        q = embeddings @ self.query.weight.T
        k = embeddings @ self.key.weight.T
        v = embeddings @ self.value.weight.T
        weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return weights @ v, weights

# %% weights_first_and_not_scaled | wrong_result_order, no_scaling
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return weights, weights @ v

# %% rounded_weights_of_the_head | | three digits only
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        weights = (weights * 100).floor() / 100
        return weights @ v, weights

# %% normalised_queries_and_keys
    def forward(self, embeddings):
        q = F.normalize(self.query(embeddings), dim=-1)
        k = F.normalize(self.key(embeddings), dim=-1)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ self.value(embeddings), weights

# %% hyperbolic_tangent_at_the_end
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return torch.tanh(weights @ v), weights

# %% own_token_left_out
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        own = torch.eye(scores.shape[-1]).bool()
        weights = torch.softmax(scores.masked_fill(own, -1e9), dim=-1)
        return weights @ v, weights
""",
    LAYERS,
)
