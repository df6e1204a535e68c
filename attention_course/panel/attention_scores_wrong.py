"""Wrong answers to the exercise attention_scores, each with the name of its fault."""

from __future__ import annotations

from attention_course.panel.known_answer import wrong_answers

WRONG = wrong_answers(
    "attention_scores",
    r"""
# %% not_started | not_started
def scaled_dot_product_scores(queries, keys):
    # YOUR CODE HERE
    raise NotImplementedError()

# %% nothing_returned | returns_nothing
def scaled_dot_product_scores(queries, keys):
    scores = queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])

# %% pass_only | returns_nothing
def scaled_dot_product_scores(queries, keys):
    pass

# %% scale_returned_too | wrong_result_count
def scaled_dot_product_scores(queries, keys):
    d_k = queries.shape[-1]
    return queries @ keys.transpose(-2, -1) / math.sqrt(d_k), d_k

# %% not_scaled | no_scaling
def scaled_dot_product_scores(queries, keys):
    return queries @ keys.transpose(-2, -1)

# %% not_scaled_einsum | no_scaling
def scaled_dot_product_scores(queries, keys):
    return torch.einsum("...qd,...kd->...qk", queries, keys)

# %% scaled_result_thrown_away | no_scaling
def scaled_dot_product_scores(queries, keys):
    scores = torch.matmul(queries, keys.transpose(-2, -1))
    scores.div(math.sqrt(keys.shape[-1]))
    return scores

# %% divided_by_d_k | divided_by_d_k
def scaled_dot_product_scores(queries, keys):
    d_k = queries.shape[-1]
    return queries @ keys.transpose(-2, -1) / d_k

# %% scaled_twice | divided_by_d_k | queries scaled, then the scores as well
def scaled_dot_product_scores(queries, keys):
    scale = math.sqrt(queries.shape[-1])
    queries = queries / scale
    return queries @ keys.transpose(-2, -1) / scale

# %% both_scaled | divided_by_d_k
def scaled_dot_product_scores(queries, keys):
    root = keys.size(-1) ** 0.5
    return (queries / root) @ (keys / root).mT

# %% mean_instead_of_sum | divided_by_d_k
def scaled_dot_product_scores(queries, keys):
    return (queries.unsqueeze(-2) * keys.unsqueeze(-3)).mean(dim=-1)

# %% multiplied | multiplied_by_sqrt_d_k
def scaled_dot_product_scores(queries, keys):
    return queries @ keys.transpose(-2, -1) * math.sqrt(queries.shape[-1])

# %% parenthesis_misplaced | multiplied_by_sqrt_d_k | 1 / d_k ** -0.5
def scaled_dot_product_scores(queries, keys):
    scale = 1 / queries.shape[-1] ** -0.5
    return torch.matmul(queries, keys.transpose(-2, -1)) * scale

# %% divided_by_negative_power | multiplied_by_sqrt_d_k
def scaled_dot_product_scores(queries, keys):
    return queries @ keys.mT / queries.size(-1) ** -0.5

# %% number_of_keys | divided_by_sqrt_n
def scaled_dot_product_scores(queries, keys):
    n = keys.shape[-2]
    return queries @ keys.transpose(-2, -1) / math.sqrt(n)

# %% number_of_queries | divided_by_sqrt_n
def scaled_dot_product_scores(queries, keys):
    return queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-2])

# %% last_size_of_the_scores | divided_by_sqrt_n
def scaled_dot_product_scores(queries, keys):
    scores = queries @ keys.transpose(-2, -1)
    return scores / scores.shape[-1] ** 0.5

# %% eight | hard_coded_scale
def scaled_dot_product_scores(queries, keys):
    return queries @ keys.transpose(-2, -1) / 8

# %% root_of_sixty_four | hard_coded_scale
def scaled_dot_product_scores(queries, keys):
    d_k = 64
    return torch.matmul(queries, keys.transpose(-2, -1)) / math.sqrt(d_k)

# %% halved | unknown_scale
def scaled_dot_product_scores(queries, keys):
    return 0.5 * queries @ keys.transpose(-2, -1)

# %% a_tenth | unknown_scale
def scaled_dot_product_scores(queries, keys):
    return torch.einsum("...id,...jd->...ij", queries, keys) / 10

# %% logarithm | unknown_scale
def scaled_dot_product_scores(queries, keys):
    return queries @ keys.transpose(-2, -1) / math.log2(queries.shape[-1] + 1)

# %% keys_reshaped | reshape_instead_of_transpose
def scaled_dot_product_scores(queries, keys):
    n_k, d_k = keys.shape[-2:]
    return queries @ keys.reshape(*keys.shape[:-2], d_k, n_k) / math.sqrt(d_k)

# %% keys_viewed | reshape_instead_of_transpose
def scaled_dot_product_scores(queries, keys):
    *lead, n_k, d_k = keys.size()
    kT = keys.contiguous().view(*lead, d_k, n_k)
    return torch.matmul(queries, kT) / d_k**0.5

# %% keys_times_queries | queries_keys_swapped
def scaled_dot_product_scores(queries, keys):
    return keys @ queries.transpose(-2, -1) / math.sqrt(queries.shape[-1])

# %% einsum_output_exchanged | queries_keys_swapped
def scaled_dot_product_scores(queries, keys):
    return torch.einsum("...qd,...kd->...kq", queries, keys) / math.sqrt(keys.shape[-1])

# %% result_transposed | queries_keys_swapped
def scaled_dot_product_scores(queries, keys):
    scores = queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])
    return scores.transpose(-2, -1)

# %% asterisk | elementwise_product
def scaled_dot_product_scores(queries, keys):
    return queries * keys / math.sqrt(queries.shape[-1])

# %% asterisk_with_transposed | elementwise_product
def scaled_dot_product_scores(queries, keys):
    return queries * keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])

# %% softmax_too | softmax_already_applied
def scaled_dot_product_scores(queries, keys):
    scores = queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])
    return torch.softmax(scores, dim=-1)

# %% softmax_too_functional | softmax_already_applied
def scaled_dot_product_scores(queries, keys):
    d_k = queries.size(-1)
    return F.softmax(torch.matmul(queries, keys.mT) / math.sqrt(d_k), dim=-1)

# %% queries_with_queries | queries_only
def scaled_dot_product_scores(queries, keys):
    return queries @ queries.transpose(-2, -1) / math.sqrt(keys.shape[-1])

# %% keys_with_keys | keys_only
def scaled_dot_product_scores(queries, keys):
    return keys @ keys.transpose(-2, -1) / math.sqrt(keys.shape[-1])

# %% negative | negated_scores
def scaled_dot_product_scores(queries, keys):
    return -(queries @ keys.transpose(-2, -1)) / math.sqrt(queries.shape[-1])

# %% causal_mask | mask_applied
def scaled_dot_product_scores(queries, keys):
    scores = queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])
    future = torch.triu(torch.ones_like(scores), diagonal=1).bool()
    return scores.masked_fill(future, float("-inf"))

# %% lower_triangle | mask_applied
def scaled_dot_product_scores(queries, keys):
    return torch.tril(queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1]))

# %% zeros | all_zeros
def scaled_dot_product_scores(queries, keys):
    return torch.zeros(*queries.shape[:-1], keys.shape[-2])

# %% ones | constant
def scaled_dot_product_scores(queries, keys):
    return torch.ones(*queries.shape[:-1], keys.shape[-2])

# %% answer_kept_from_the_prompt | ignores_inputs
PROMPT_SCORES = torch.randn(1, 6, 6, generator=torch.Generator().manual_seed(5))


def scaled_dot_product_scores(queries, keys):
    return PROMPT_SCORES

# %% random_scores | random_result
def scaled_dot_product_scores(queries, keys):
    return torch.randn(*queries.shape[:-1], keys.shape[-2])

# %% grows_with_each_call | keeps_state
calls = 0


def scaled_dot_product_scores(queries, keys):
    global calls
    calls += 1
    return calls * (queries @ keys.transpose(-2, -1)) / math.sqrt(queries.shape[-1])

# %% queries_divided_in_place | changes_input
def scaled_dot_product_scores(queries, keys):
    queries /= math.sqrt(queries.shape[-1])
    return queries @ keys.transpose(-2, -1)

# %% keys_transposed_in_place | changes_input
def scaled_dot_product_scores(queries, keys):
    keys.transpose_(-2, -1)
    return queries @ keys / math.sqrt(queries.shape[-1])

# %% shape_of_the_prompt | hard_coded_shape
def scaled_dot_product_scores(queries, keys):
    scores = torch.zeros(1, 6, 6)
    for i in range(6):
        for j in range(6):
            scores[0, i, j] = torch.dot(queries[0, i], keys[0, j]) / math.sqrt(queries.shape[-1])
    return scores

# %% viewed_as_the_prompt | hard_coded_shape
def scaled_dot_product_scores(queries, keys):
    q, k = queries.view(1, 6, 64), keys.view(1, 6, 64)
    return q @ k.transpose(1, 2) / math.sqrt(64)

# %% capital_t | no_batch
def scaled_dot_product_scores(queries, keys):
    return queries @ keys.T / math.sqrt(queries.shape[-1])

# %% small_t | no_batch
def scaled_dot_product_scores(queries, keys):
    return torch.matmul(queries, keys.t()) / math.sqrt(queries.shape[-1])

# %% first_two_dimensions_exchanged | no_batch
def scaled_dot_product_scores(queries, keys):
    return queries @ keys.transpose(0, 1) / math.sqrt(queries.shape[-1])

# %% first_and_second_exchanged | noted: needs_batch
def scaled_dot_product_scores(queries, keys):
    return queries @ keys.transpose(1, 2) / math.sqrt(queries.shape[-1])

# %% bmm | noted: needs_batch
def scaled_dot_product_scores(queries, keys):
    return torch.bmm(queries, keys.permute(0, 2, 1)) / math.sqrt(queries.shape[-1])

# %% einsum_of_three_letters | noted: needs_batch
def scaled_dot_product_scores(queries, keys):
    B, N, D = queries.shape
    return torch.einsum("bqd,bkd->bqk", queries, keys) / math.sqrt(D)

# %% not_transposed | not_transposed
def scaled_dot_product_scores(queries, keys):
    return queries @ keys / math.sqrt(queries.shape[-1])

# %% root_of_a_shape | raises
def scaled_dot_product_scores(queries, keys):
    return queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape)

# %% reference_called | ready_made
from reference_attention import scaled_dot_product_scores as their_scores


def scaled_dot_product_scores(queries, keys):
    return their_scores(queries, keys)

# %% whole_numbers | wrong_dtype
def scaled_dot_product_scores(queries, keys):
    return (queries @ keys.transpose(-2, -1) // math.sqrt(queries.shape[-1])).int()

# %% root_of_the_scores | nan_result
def scaled_dot_product_scores(queries, keys):
    return torch.sqrt(queries @ keys.transpose(-2, -1))

# %% swapped_and_not_scaled | queries_keys_swapped, no_scaling
def scaled_dot_product_scores(queries, keys):
    return keys @ queries.transpose(-2, -1)

# %% swapped_and_divided_by_d_k | queries_keys_swapped, divided_by_d_k
def scaled_dot_product_scores(queries, keys):
    return torch.einsum("...qd,...kd->...kq", queries, keys) / queries.shape[-1]

# %% reshaped_and_not_scaled | reshape_instead_of_transpose, no_scaling
def scaled_dot_product_scores(queries, keys):
    return queries @ keys.reshape(*keys.shape[:-2], keys.shape[-1], keys.shape[-2])

# %% softmax_too_and_not_scaled | softmax_already_applied, no_scaling
def scaled_dot_product_scores(queries, keys):
    return torch.softmax(queries @ keys.transpose(-2, -1), dim=-1)

# %% keys_only_and_not_scaled | keys_only, no_scaling
def scaled_dot_product_scores(queries, keys):
    return keys @ keys.mT

# %% multiplied_in_place | multiplied_by_sqrt_d_k, changes_input
def scaled_dot_product_scores(queries, keys):
    queries *= math.sqrt(queries.shape[-1])
    return queries @ keys.transpose(-2, -1)

# %% cosine
def scaled_dot_product_scores(queries, keys):
    return F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).transpose(-2, -1)

# %% distances
def scaled_dot_product_scores(queries, keys):
    return -torch.cdist(queries, keys) / math.sqrt(queries.shape[-1])

# %% additive
def scaled_dot_product_scores(queries, keys):
    return (queries.unsqueeze(-2) + keys.unsqueeze(-3)).sum(-1) / math.sqrt(keys.shape[-1])

# %% shifted
def scaled_dot_product_scores(queries, keys):
    scores = queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])
    return scores - scores.amax(dim=-1, keepdim=True)

# %% absolute
def scaled_dot_product_scores(queries, keys):
    return (queries @ keys.transpose(-2, -1)).abs() / math.sqrt(queries.shape[-1])

# %% first_feature_left_out
def scaled_dot_product_scores(queries, keys):
    d_k = queries.shape[-1]
    return queries[..., 1:] @ keys[..., 1:].transpose(-2, -1) / math.sqrt(d_k)

# %% batch_summed
def scaled_dot_product_scores(queries, keys):
    return torch.einsum("bqd,bkd->qk", queries, keys) / math.sqrt(queries.shape[-1])
""",
)
