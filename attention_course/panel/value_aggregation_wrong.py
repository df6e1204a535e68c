"""Wrong answers to the exercise value_aggregation, each with the name of its fault."""

from __future__ import annotations

from attention_course.panel.known_answer import wrong_answers

WRONG = wrong_answers(
    "value_aggregation",
    r"""
# %% not_started | not_started
def aggregate_values(attention_weights, values):
    # YOUR CODE HERE
    raise NotImplementedError()

# %% nothing_returned | returns_nothing
def aggregate_values(attention_weights, values):
    attended_values = attention_weights @ values

# %% weights_returned_too | wrong_result_count
def aggregate_values(attention_weights, values):
    return attention_weights @ values, attention_weights

# %% weights_turned | weights_transposed
def aggregate_values(attention_weights, values):
    return attention_weights.transpose(-2, -1) @ values

# %% einsum_over_queries | weights_transposed
def aggregate_values(attention_weights, values):
    return torch.einsum("...kq,...kv->...qv", attention_weights, values)

# %% asterisk | elementwise_product
def aggregate_values(attention_weights, values):
    return attention_weights * values

# %% torch_mul | elementwise_product
def aggregate_values(attention_weights, values):
    return torch.mul(attention_weights, values)

# %% mean_over_keys | mean_of_values
def aggregate_values(attention_weights, values):
    mean = values.mean(dim=-2, keepdim=True)
    return mean.expand(*attention_weights.shape[:-1], values.shape[-1])

# %% uniform_weights | mean_of_values
def aggregate_values(attention_weights, values):
    uniform = torch.full_like(attention_weights, 1 / attention_weights.shape[-1])
    return uniform @ values

# %% value_of_the_best_key | best_value_only
def aggregate_values(attention_weights, values):
    best = attention_weights.argmax(dim=-1)
    return torch.take_along_dim(values, best.unsqueeze(-1), dim=-2)

# %% one_hot_weights | best_value_only
def aggregate_values(attention_weights, values):
    best = F.one_hot(attention_weights.argmax(-1), attention_weights.shape[-1])
    return best.to(values.dtype) @ values

# %% softmax_once_more | softmax_again
def aggregate_values(attention_weights, values):
    return torch.softmax(attention_weights, dim=-1) @ values

# %% softmax_once_more_functional | softmax_again
def aggregate_values(attention_weights, values):
    weights = F.softmax(attention_weights, -1)
    return torch.einsum("...qk,...kv->...qv", weights, values)

# %% values_turned | values_transposed
def aggregate_values(attention_weights, values):
    return attention_weights @ values.transpose(-2, -1)

# %% values_turned_matmul | values_transposed
def aggregate_values(attention_weights, values):
    return torch.matmul(attention_weights, values.mT)

# %% first_sentence | batch_lost
def aggregate_values(attention_weights, values):
    return attention_weights[0] @ values[0]

# %% summed_over_the_batch | batch_lost
def aggregate_values(attention_weights, values):
    return (attention_weights @ values).sum(dim=0)

# %% einsum_without_the_batch | batch_lost
def aggregate_values(attention_weights, values):
    return torch.einsum("...qk,...kv->qv", attention_weights, values)

# %% divided_by_sqrt_d_v | extra_scale
def aggregate_values(attention_weights, values):
    return attention_weights @ values / math.sqrt(values.shape[-1])

# %% divided_by_the_number_of_keys | extra_scale | a mean of what is a mean already
def aggregate_values(attention_weights, values):
    return (attention_weights[..., None] * values[..., None, :, :]).mean(dim=-2)

# %% divided_by_sqrt_of_keys | extra_scale
def aggregate_values(attention_weights, values):
    return torch.matmul(attention_weights, values) / values.shape[-2] ** 0.5

# %% values_added | residual_added
def aggregate_values(attention_weights, values):
    return values + attention_weights @ values

# %% values_added_in_two_steps | residual_added
def aggregate_values(attention_weights, values):
    attended = torch.matmul(attention_weights, values)
    attended = attended + values
    return attended

# %% zeros | all_zeros
def aggregate_values(attention_weights, values):
    return torch.zeros(*attention_weights.shape[:-1], values.shape[-1])

# %% zeros_never_filled | all_zeros
def aggregate_values(attention_weights, values):
    out = torch.zeros(*attention_weights.shape[:-1], values.shape[-1])
    for row in out:
        row = attention_weights @ values
    return out

# %% ones | constant
def aggregate_values(attention_weights, values):
    return torch.ones(*attention_weights.shape[:-1], values.shape[-1])

# %% answer_kept_from_the_prompt | ignores_inputs
PROMPT_VALUES = torch.randn(1, 6, 64, generator=torch.Generator().manual_seed(13))


def aggregate_values(attention_weights, values):
    return PROMPT_VALUES

# %% random_weights | random_result
def aggregate_values(attention_weights, values):
    return torch.rand_like(attention_weights) @ values

# %% added_to_the_last_result | keeps_state
last = 0


def aggregate_values(attention_weights, values):
    global last
    new = attention_weights @ values
    if not torch.is_tensor(last) or last.shape != new.shape:
        last = torch.zeros_like(new)
    last = last + new
    return last

# %% weights_normalised_in_place | changes_input
def aggregate_values(attention_weights, values):
    attended = attention_weights @ values
    attention_weights.div_(attention_weights.amax(dim=-1, keepdim=True))  # for the picture
    return attended

# %% values_cleared | changes_input
def aggregate_values(attention_weights, values):
    attended = torch.matmul(attention_weights, values)
    values.zero_()
    return attended

# %% viewed_as_the_prompt | hard_coded_shape
def aggregate_values(attention_weights, values):
    return (attention_weights.view(6, 6) @ values.view(6, 64)).view(1, 6, 64)

# %% filled_in_the_prompts_shape | hard_coded_shape
def aggregate_values(attention_weights, values):
    attended = torch.zeros([1, 6, 64])
    for i in range(6):
        for j in range(6):
            attended[0, i] += attention_weights[0, i, j] * values[0, j]
    return attended

# %% mm | no_batch
def aggregate_values(attention_weights, values):
    return torch.mm(attention_weights, values)

# %% transposed_with_capital_t | no_batch
def aggregate_values(attention_weights, values):
    return (values.T @ attention_weights.T).T

# %% bmm | noted: needs_batch
def aggregate_values(attention_weights, values):
    return torch.bmm(attention_weights, values)

# %% einsum_of_a_batch | noted: needs_batch
def aggregate_values(attention_weights, values):
    return torch.einsum("bqk,bkd->bqd", attention_weights, values)

# %% operands_exchanged | raises
def aggregate_values(attention_weights, values):
    return values @ attention_weights

# %% argument_misspelled | raises
def aggregate_values(attention_weights, values):
    return attention_weight @ values

# %% built_in_attention | ready_made | log-weights as scores of one-hot keys
def aggregate_values(attention_weights, values):
    n_k = attention_weights.shape[-1]
    eye = torch.eye(n_k).expand(*values.shape[:-2], n_k, n_k)
    return F.scaled_dot_product_attention(attention_weights.log(), eye, values, scale=1.0)

# %% reference_called | ready_made
def aggregate_values(attention_weights, values):
    from reference_attention import aggregate_values as theirs

    return theirs(attention_weights, values)

# %% whole_numbers | wrong_dtype
def aggregate_values(attention_weights, values):
    return (attention_weights @ values).int()

# %% nothing_over_nothing | nan_result
def aggregate_values(attention_weights, values):
    seen = torch.zeros_like(attention_weights)
    return (seen / seen.sum(-1, keepdim=True)) @ values

# %% turned_and_scaled | weights_transposed, extra_scale
def aggregate_values(attention_weights, values):
    return attention_weights.transpose(-2, -1) @ values / math.sqrt(values.shape[-1])

# %% softmax_and_residual | softmax_again, residual_added
def aggregate_values(attention_weights, values):
    return torch.softmax(attention_weights, dim=-1) @ values + values

# %% softmax_and_scaled | softmax_again, extra_scale
def aggregate_values(attention_weights, values):
    weights = torch.softmax(attention_weights, dim=-1)
    return weights @ values / values.shape[-1] ** 0.5

# %% sum_of_all_values
def aggregate_values(attention_weights, values):
    total = values.sum(dim=-2, keepdim=True)
    return total.expand(*attention_weights.shape[:-1], values.shape[-1])

# %% last_key_forgotten
def aggregate_values(attention_weights, values):
    return attention_weights[..., :-1] @ values[..., :-1, :]

# %% normalised_result
def aggregate_values(attention_weights, values):
    return F.normalize(attention_weights @ values, dim=-1)

# %% small_weights_dropped
def aggregate_values(attention_weights, values):
    kept = attention_weights.masked_fill(attention_weights < 0.1, 0.0)
    return kept @ values

# %% squared_weights
def aggregate_values(attention_weights, values):
    return attention_weights**2 @ values
""",
)
