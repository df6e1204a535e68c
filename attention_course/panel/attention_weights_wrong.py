"""Wrong answers to the exercise attention_weights, each with the name of its fault."""

from __future__ import annotations

from attention_course.panel.known_answer import wrong_answers

WRONG = wrong_answers(
    "attention_weights",
    r"""
# %% not_started | not_started
def softmax_weights(attention_scores):
    # YOUR CODE HERE
    raise NotImplementedError()

# %% nothing_returned | returns_nothing
def softmax_weights(attention_scores):
    attention_weights = torch.softmax(attention_scores, dim=-1)

# %% sums_returned_too | wrong_result_count
def softmax_weights(attention_scores):
    weights = torch.softmax(attention_scores, dim=-1)
    return weights, weights.sum(dim=-1)

# %% dim_minus_two | softmax_over_queries
def softmax_weights(attention_scores):
    return torch.softmax(attention_scores, dim=-2)

# %% exponentials_by_column | softmax_over_queries
def softmax_weights(attention_scores):
    e = torch.exp(attention_scores - attention_scores.amax(dim=-2, keepdim=True))
    return e / e.sum(dim=-2, keepdim=True)

# %% transposed_softmax | softmax_over_queries
def softmax_weights(attention_scores):
    return F.softmax(attention_scores.transpose(-2, -1), dim=-1).transpose(-2, -1)

# %% dim_zero | softmax_over_batch
def softmax_weights(attention_scores):
    return torch.softmax(attention_scores, dim=0)

# %% dim_zero_functional | softmax_over_batch
def softmax_weights(attention_scores):
    weights = F.softmax(attention_scores, 0)
    return weights

# %% all_entries | softmax_over_everything
def softmax_weights(attention_scores):
    return torch.softmax(attention_scores.flatten(), dim=0).view_as(attention_scores)

# %% sum_of_everything | softmax_over_everything
def softmax_weights(attention_scores):
    e = torch.exp(attention_scores - attention_scores.max())
    return e / e.sum()

# %% whole_matrix_each | softmax_over_everything | each sentence's matrix sums to 1
def softmax_weights(attention_scores):
    flat = attention_scores.flatten(start_dim=-2)
    return torch.softmax(flat, dim=-1).reshape(attention_scores.shape)

# %% softmax_of_softmax | softmax_twice
def softmax_weights(attention_scores):
    weights = torch.softmax(attention_scores, dim=-1)
    return F.softmax(weights, dim=-1)

# %% softmax_module_after_softmax | softmax_twice
softmax = nn.Softmax(dim=-1)


def softmax_weights(attention_scores):
    return softmax(torch.softmax(attention_scores, -1))

# %% exponentials_of_weights_again | softmax_twice
def softmax_weights(attention_scores):
    e = torch.exp(torch.softmax(attention_scores, dim=-1))
    return e / e.sum(dim=-1, keepdim=True)

# %% formula_as_written | no_maximum_subtracted
def softmax_weights(attention_scores):
    exponentials = torch.exp(attention_scores)
    return exponentials / exponentials.sum(dim=-1, keepdim=True)

# %% formula_in_loops | no_maximum_subtracted
def softmax_weights(attention_scores):
    rows = attention_scores.reshape(-1, attention_scores.shape[-1])
    weights = [row.exp() / row.exp().sum() for row in rows]
    return torch.stack(weights).reshape(attention_scores.shape)

# %% power_of_e | no_maximum_subtracted
def softmax_weights(attention_scores):
    powers = math.e**attention_scores
    return powers / torch.sum(powers, -1, keepdim=True)

# %% divided_by_maximum | divided_by_maximum
def softmax_weights(attention_scores):
    return attention_scores / attention_scores.max(dim=-1, keepdim=True).values

# %% exponentials_over_largest | only_exponentials, no_maximum_subtracted
def softmax_weights(attention_scores):
    e = torch.exp(attention_scores)
    return e / e.amax(dim=-1, keepdim=True)

# %% scores_over_their_sum | divided_by_raw_sum
def softmax_weights(attention_scores):
    return attention_scores / attention_scores.sum(dim=-1, keepdim=True)

# %% scores_over_their_sum_in_a_loop | divided_by_raw_sum
def softmax_weights(attention_scores):
    weights = torch.zeros_like(attention_scores)
    total = attention_scores.sum(dim=-1)
    for j in range(attention_scores.shape[-1]):
        weights[..., j] = attention_scores[..., j] / total
    return weights

# %% sigmoid | sigmoid_instead
def softmax_weights(attention_scores):
    return torch.sigmoid(attention_scores)

# %% sigmoid_written_out | sigmoid_instead
def softmax_weights(attention_scores):
    return 1 / (1 + torch.exp(-attention_scores))

# %% log_softmax | log_softmax_instead
def softmax_weights(attention_scores):
    return F.log_softmax(attention_scores, dim=-1)

# %% logarithm_of_the_weights | log_softmax_instead
def softmax_weights(attention_scores):
    return torch.softmax(attention_scores, dim=-1).log()

# %% softmin | negated_scores
def softmax_weights(attention_scores):
    return F.softmin(attention_scores, dim=-1)

# %% maximum_minus_scores | negated_scores
def softmax_weights(attention_scores):
    return torch.softmax(attention_scores.max() - attention_scores, dim=-1)

# %% one_hot | hard_maximum
def softmax_weights(attention_scores):
    best = attention_scores.argmax(dim=-1)
    return F.one_hot(best, attention_scores.shape[-1]).float()

# %% equal_to_the_maximum | hard_maximum
def softmax_weights(attention_scores):
    return (attention_scores == attention_scores.amax(dim=-1, keepdim=True)).float()

# %% exponentials_alone | only_exponentials
def softmax_weights(attention_scores):
    return torch.exp(attention_scores)

# %% shifted_exponentials_alone | only_exponentials
def softmax_weights(attention_scores):
    return torch.exp(attention_scores - attention_scores.max(dim=-1, keepdim=True).values)

# %% scaled_once_more | wrong_temperature
def softmax_weights(attention_scores):
    return torch.softmax(attention_scores / math.sqrt(attention_scores.shape[-1]), dim=-1)

# %% scaled_by_eight | wrong_temperature
def softmax_weights(attention_scores):
    return F.softmax(attention_scores / 8, dim=-1)

# %% sharpened | wrong_temperature
def softmax_weights(attention_scores):
    temperature = 0.5
    return (attention_scores / temperature).softmax(dim=-1)

# %% nan_from_masked_entries | minus_infinity_lost | -inf times 0
def softmax_weights(attention_scores):
    shifted = attention_scores - attention_scores.amax(-1, keepdim=True)
    e = torch.exp(shifted)
    log_weights = shifted - torch.log(e.sum(-1, keepdim=True))
    return torch.where(e > 0, torch.exp(log_weights), 0 * log_weights)

# %% minus_infinity_replaced | minus_infinity_lost | a masked key keeps weight
def softmax_weights(attention_scores):
    return torch.softmax(torch.nan_to_num(attention_scores, neginf=0.0), dim=-1)

# %% multiplied_by_the_mask | minus_infinity_lost | 0 times -inf is NaN
def softmax_weights(attention_scores):
    mask = attention_scores > -math.inf
    return torch.softmax(attention_scores * mask, dim=-1)

# %% two_digits | rounded_weights
def softmax_weights(attention_scores):
    return torch.round(torch.softmax(attention_scores, dim=-1), decimals=2)

# %% two_digits_by_hand | rounded_weights
def softmax_weights(attention_scores):
    weights = torch.softmax(attention_scores, dim=-1)
    return (weights * 100).round() / 100

# %% zeros | all_zeros
def softmax_weights(attention_scores):
    return torch.zeros_like(attention_scores)

# %% the_same_for_each_key | constant
def softmax_weights(attention_scores):
    return torch.ones_like(attention_scores) / attention_scores.shape[-1]

# %% answer_kept_from_the_prompt | ignores_inputs
PROMPT_WEIGHTS = torch.softmax(
    torch.randn(1, 6, 6, generator=torch.Generator().manual_seed(8)), dim=-1
)


def softmax_weights(attention_scores):
    return PROMPT_WEIGHTS

# %% random_shares | random_result
def softmax_weights(attention_scores):
    return torch.softmax(torch.randn_like(attention_scores), dim=-1)

# %% dropout | random_result
def softmax_weights(attention_scores):
    return F.dropout(torch.softmax(attention_scores, dim=-1), p=0.5)

# %% sharper_with_each_call | keeps_state
seen = []


def softmax_weights(attention_scores):
    seen.append(attention_scores)
    return torch.softmax(attention_scores * len(seen), dim=-1)

# %% maximum_taken_off_in_place | changes_input
def softmax_weights(attention_scores):
    attention_scores -= attention_scores.max(dim=-1, keepdim=True).values
    e = torch.exp(attention_scores)
    return e / e.sum(dim=-1, keepdim=True)

# %% result_written_into_the_scores | changes_input
def softmax_weights(attention_scores):
    attention_scores[:] = torch.softmax(attention_scores, dim=-1)
    return attention_scores

# %% six_by_six | hard_coded_shape
def softmax_weights(attention_scores):
    weights = torch.zeros(1, 6, 6)
    for i in range(6):
        weights[0, i] = torch.softmax(attention_scores[0, i], dim=0)
    return weights

# %% two_sizes_unpacked | no_batch
def softmax_weights(attention_scores):
    n_q, n_k = attention_scores.shape
    rows = [torch.softmax(attention_scores[i], dim=0) for i in range(n_q)]
    return torch.stack(rows)

# %% dim_one | softmax_over_queries | right for a single sentence without a batch
def softmax_weights(attention_scores):
    return torch.softmax(attention_scores, dim=1)

# %% dim_two | noted: needs_batch
def softmax_weights(attention_scores):
    return torch.softmax(attention_scores, dim=2)

# %% three_loops | noted: needs_batch
def softmax_weights(attention_scores):
    batch, n_q, n_k = attention_scores.shape
    weights = torch.zeros(batch, n_q, n_k)
    for b in range(batch):
        for i in range(n_q):
            weights[b, i] = F.softmax(attention_scores[b, i], dim=0)
    return weights

# %% dimension_forgotten | raises
def softmax_weights(attention_scores):
    return torch.softmax(attention_scores)

# %% sum_not_kept | raises | sums lack the dimension that they are to divide
def softmax_weights(attention_scores):
    e = torch.exp(attention_scores - attention_scores.max(dim=-1, keepdim=True).values)
    return e / e.sum(dim=-1)

# %% reference_called | ready_made
from reference_attention.weights import softmax_weights as ready


def softmax_weights(attention_scores):
    return ready(attention_scores)

# %% half_precision | wrong_dtype
def softmax_weights(attention_scores):
    return torch.softmax(attention_scores, dim=-1).half()

# %% logarithm_of_the_scores | nan_result
def softmax_weights(attention_scores):
    return torch.softmax(torch.log(attention_scores), dim=-1)

# %% over_queries_and_twice | softmax_over_queries, softmax_twice
def softmax_weights(attention_scores):
    return torch.softmax(torch.softmax(attention_scores, dim=-2), dim=-2)

# %% over_queries_without_maximum | softmax_over_queries, no_maximum_subtracted
def softmax_weights(attention_scores):
    e = torch.exp(attention_scores)
    return e / e.sum(dim=-2, keepdim=True)

# %% negated_over_queries | negated_scores, softmax_over_queries
def softmax_weights(attention_scores):
    return torch.softmax(-attention_scores, dim=-2)

# %% everything_without_maximum | softmax_over_everything, no_maximum_subtracted
def softmax_weights(attention_scores):
    return attention_scores.exp() / attention_scores.exp().sum()

# %% minimum_subtracted | | fails on minus infinity, and where the scores of a row lie 88 apart
def softmax_weights(attention_scores):
    e = torch.exp(attention_scores - attention_scores.amin(dim=-1, keepdim=True))
    return e / e.sum(dim=-1, keepdim=True)

# %% squares
def softmax_weights(attention_scores):
    squares = attention_scores**2
    return squares / squares.sum(dim=-1, keepdim=True)

# %% diagonal_left_out
def softmax_weights(attention_scores):
    own = torch.zeros_like(attention_scores)
    own.diagonal(dim1=-2, dim2=-1).fill_(-1e9)
    return torch.softmax(attention_scores + own, dim=-1)

# %% constant_added_below | | a smaller sum, so that nothing is divided by zero
def softmax_weights(attention_scores):
    e = torch.exp(attention_scores - attention_scores.amax(-1, keepdim=True))
    return e / (e.sum(-1, keepdim=True) + 1)

# %% rectified
def softmax_weights(attention_scores):
    return torch.softmax(F.relu(attention_scores), dim=-1)

# %% smoothed
def softmax_weights(attention_scores):
    return 0.9 * torch.softmax(attention_scores, -1) + 0.1 / attention_scores.shape[-1]
""",
)
