"""Wrong SimpleAttention classes: the exercises that each loses, and the name of its fault.

An exercise is lost where its own step is wrong. What follows is judged by the step itself: weights
over the wrong axis cost the mark for weights, not the one for the output made from them.
"""

from __future__ import annotations

from attention_course.panel.known_answer import wrong_classes

LAYERS = """
class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        self.query = nn.Linear(n_embd, n_embd)
        self.key = nn.Linear(n_embd, n_embd)
        self.value = nn.Linear(n_embd, n_embd)
"""
"""How most answers begin; those below that start with ``def forward`` continue it."""

WRONG = wrong_classes(
    r"""
# %% nothing_written | all: not_started
class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()

# %% forward_not_written | scores, weights, output: not_started | the layers are there
    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()

# %% layers_without_biases | projections: no_biases
class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        self.query = nn.Linear(n_embd, n_embd, bias=False)
        self.key = nn.Linear(n_embd, n_embd, bias=False)
        self.value = nn.Linear(n_embd, n_embd, bias=False)

    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return self.attention_weights @ v

# %% names_of_the_matrices | all: wrong_layer_names | no parameters can be given to it
class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        self.W_q = nn.Linear(n_embd, n_embd)
        self.W_k = nn.Linear(n_embd, n_embd)
        self.W_v = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        q, k, v = self.W_q(x), self.W_k(x), self.W_v(x)
        self.attention_weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return self.attention_weights @ v

# %% one_layer_three_names | projections, scores: shared_projection
class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        self.query = nn.Linear(n_embd, n_embd)
        self.key = self.query
        self.value = self.query

    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return self.attention_weights @ v

# %% half_as_wide | all: wrong_layer_sizes | no parameters can be given to it
class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        self.query = nn.Linear(n_embd, n_embd // 2)
        self.key = nn.Linear(n_embd, n_embd // 2)
        self.value = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return self.attention_weights @ v

# %% scaled_already | scores: scaled_already
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        scores = q @ k.transpose(-2, -1) / math.sqrt(k.shape[-1])
        self.attention_weights = torch.softmax(scores, dim=-1)
        return self.attention_weights @ v

# %% scaled_already_by_a_power | scores: scaled_already
    def forward(self, x):
        q, k, v = self.query(x) * x.shape[-1] ** -0.5, self.key(x), self.value(x)
        self.attention_weights = F.softmax(q @ k.mT, dim=-1)
        return self.attention_weights @ v

# %% divided_by_n_embd | scores: divided_by_d_k
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.mT / x.shape[-1], dim=-1)
        return self.attention_weights @ v

# %% keys_times_queries | scores: queries_keys_swapped
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(k @ q.transpose(-2, -1), dim=-1)
        return self.attention_weights @ v

# %% queries_with_queries | scores, projections: shared_projection | the key layer is there, unused
    def forward(self, x):
        q, v = self.query(x), self.value(x)
        self.attention_weights = torch.softmax(q @ q.transpose(-2, -1), dim=-1)
        return self.attention_weights @ v

# %% keys_reshaped | scores: reshape_instead_of_transpose
    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.reshape(B, C, T), dim=-1)
        return self.attention_weights @ v

# %% biases_not_used | projections, scores, output: no_biases | forward leaves them out
    def forward(self, x):
        q, k, v = x @ self.query.weight.T, x @ self.key.weight.T, x @ self.value.weight.T
        self.attention_weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return self.attention_weights @ v

# %% causal_mask | scores: mask_applied
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        scores = q @ k.transpose(-2, -1)
        future = torch.ones_like(scores).triu(diagonal=1).bool()
        self.attention_weights = scores.masked_fill(future, -math.inf).softmax(dim=-1)
        return self.attention_weights @ v

# %% negative | scores: negated_scores
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(-q @ k.transpose(-2, -1), dim=-1)
        return self.attention_weights @ v

# %% capital_t | scores, weights, output: no_batch
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.T, dim=-1)
        return self.attention_weights @ v

# %% not_transposed | scores, weights, output: raises
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k, dim=-1)
        return self.attention_weights @ v

# %% weights_not_kept | weights: weights_not_kept
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        attention_weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return attention_weights @ v

# %% weights_kept_by_another_name | weights: weights_not_kept
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return self.weights @ v

# %% weights_of_the_first_sentence | weights: weights_kept_wrong_shape
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        self.attention_weights = weights[0]
        return weights @ v

# %% weights_kept_as_a_mean | weights: weights_kept_wrong_shape
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        self.attention_weights = weights.mean(dim=0, keepdim=True)
        return weights @ v

# %% scores_kept | weights: no_softmax | the softmax is there, but what is kept is from before it
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = q @ k.transpose(-2, -1)
        return torch.softmax(self.attention_weights, dim=-1) @ v

# %% softmax_forgotten | weights: no_softmax
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = q @ k.transpose(-2, -1)
        return self.attention_weights @ v

# %% over_queries | weights: softmax_over_queries
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.transpose(-2, -1), dim=1)
        return self.attention_weights @ v

# %% over_the_batch | weights: softmax_over_batch
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.transpose(-2, -1), dim=0)
        return self.attention_weights @ v

# %% softmax_of_softmax | weights: softmax_twice
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        self.attention_weights = torch.softmax(weights, dim=-1)
        return self.attention_weights @ v

# %% exponentials_as_written | weights: no_maximum_subtracted
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        e = torch.exp(q @ k.transpose(-2, -1))
        self.attention_weights = e / e.sum(dim=-1, keepdim=True)
        return self.attention_weights @ v

# %% exponentials_not_divided | weights: only_exponentials
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.exp(q @ k.transpose(-2, -1))
        return self.attention_weights @ v

# %% sigmoid | weights: sigmoid_instead
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.sigmoid(q @ k.transpose(-2, -1))
        return self.attention_weights @ v

# %% weights_times_keys | output: keys_aggregated
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return self.attention_weights @ k

# %% weights_times_x | output: embeddings_aggregated
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return self.attention_weights @ x

# %% weights_turned | output: weights_transposed
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return self.attention_weights.transpose(-2, -1) @ v

# %% input_added | output: residual_added
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return x + self.attention_weights @ v

# %% tokens_averaged | output: shape_changed
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return (self.attention_weights @ v).mean(dim=1)

# %% weights_returned_too | output: wrong_result_count
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return self.attention_weights @ v, self.attention_weights

# %% nothing_returned | output: returns_nothing
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        self.output = self.attention_weights @ v

# %% detached_output | output: gradients_lost
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return (self.attention_weights @ v).detach()
""",
    LAYERS,
)
