"""Wrong answers to the exercise attention_head: faults of the computation, single and in pairs."""

from __future__ import annotations

from attention_course.panel.attention_head_wrong import LAYERS
from attention_course.panel.known_answer import wrong_answers

WRONG_IN_FORWARD = wrong_answers(
    "attention_head",
    r"""
# %% not_scaled | no_scaling
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return weights @ v, weights

# %% divided_by_d_k | divided_by_d_k
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = F.softmax(q @ k.mT / q.shape[-1], dim=-1)
        return weights @ v, weights

# %% multiplied | multiplied_by_sqrt_d_k
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) * math.sqrt(k.shape[-1]), dim=-1)
        return weights @ v, weights

# %% divided_by_sqrt_d_model | divided_by_sqrt_d_model
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        scores = q @ k.transpose(-2, -1) / math.sqrt(embeddings.shape[-1])
        weights = torch.softmax(scores, dim=-1)
        return weights @ v, weights

# %% divided_by_sqrt_d_v | divided_by_sqrt_d_v
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / v.size(-1) ** 0.5, dim=-1)
        return weights @ v, weights

# %% divided_by_sqrt_n | divided_by_sqrt_n
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(k.shape[-2]), dim=-1)
        return weights @ v, weights

# %% eight | hard_coded_scale
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / 8.0, dim=-1)
        return weights @ v, weights

# %% three_tenths | unknown_scale
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(0.3 * (q @ k.transpose(-2, -1)), dim=-1)
        return weights @ v, weights

# %% keys_reshaped | reshape_instead_of_transpose
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        *lead, n, d_k = k.shape
        weights = torch.softmax(q @ k.reshape(*lead, d_k, n) / math.sqrt(d_k), dim=-1)
        return weights @ v, weights

# %% keys_times_queries | queries_keys_swapped
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(k @ q.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% query_and_key_layers_mixed_up | queries_keys_swapped
    def forward(self, embeddings):
        q, k, v = self.key(embeddings), self.query(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% queries_with_queries | shared_projection
    def forward(self, embeddings):
        q, v = self.query(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ q.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% keys_with_keys | shared_projection
    def forward(self, embeddings):
        k, v = self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(k @ k.transpose(-2, -1) / math.sqrt(k.shape[-1]), dim=-1)
        return weights @ v, weights

# %% negative | negated_scores
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = F.softmin(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% causal_mask | mask_applied
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        future = torch.triu(torch.ones(scores.shape[-2:]), diagonal=1).bool()
        weights = torch.softmax(scores.masked_fill(future, float("-inf")), dim=-1)
        return weights @ v, weights

# %% over_queries | softmax_over_queries
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-2)
        return weights @ v, weights

# %% over_the_batch | softmax_over_batch
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=0)
        return weights @ v, weights

# %% over_everything | softmax_over_everything
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        e = torch.exp(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]))
        weights = e / e.sum()
        return weights @ v, weights

# %% softmax_of_softmax | softmax_twice
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        weights = torch.softmax(weights, dim=-1)
        return weights @ v, weights

# %% exponentials_as_written | no_maximum_subtracted
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        e = torch.exp(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]))
        weights = e / e.sum(dim=-1, keepdim=True)
        return weights @ v, weights

# %% exponentials_alone | only_exponentials
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.exp(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]))
        return weights @ v, weights

# %% softmax_forgotten | no_softmax
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        return weights @ v, weights

# %% sigmoid | sigmoid_instead
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.sigmoid(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]))
        return weights @ v, weights

# %% one_projection | shared_projection
    def forward(self, embeddings):
        q = k = v = self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% keys_and_values_mixed_up | swapped_projections
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.value(embeddings), self.key(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights

# %% weights_times_keys | keys_aggregated
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ k, weights

# %% weights_times_queries | query_rows_aggregated
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ q, weights

# %% weights_times_embeddings | embeddings_aggregated
    def forward(self, embeddings):
        q, k = self.query(embeddings), self.key(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ embeddings, weights

# %% weights_turned | weights_transposed
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights.transpose(-2, -1) @ v, weights

# %% softmax_before_the_values | softmax_again | weights are right, the values get others
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return F.softmax(weights, dim=-1) @ v, weights

# %% values_added | residual_added
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v + v, weights

# %% mean_of_all_values | mean_of_values
    def forward(self, embeddings):
        q, k, v = self.query(embeddings), self.key(embeddings), self.value(embeddings)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return v.mean(dim=-2, keepdim=True).expand_as(v), weights
""",
    LAYERS,
)
