"""Wrong answers to the exercise linear_projections, each with the name of its fault."""

from __future__ import annotations

from attention_course.panel.known_answer import wrong_answers

WRONG = wrong_answers(
    "linear_projections",
    r"""
# %% not_started | not_started
def linear_projections(embeddings, W_q, W_k, W_v):
    # YOUR CODE HERE
    raise NotImplementedError()

# %% nothing_returned | returns_nothing
def linear_projections(embeddings, W_q, W_k, W_v):
    queries = embeddings @ W_q
    keys = embeddings @ W_k
    values = embeddings @ W_v

# %% printed_instead_of_returned | returns_nothing
def linear_projections(embeddings, W_q, W_k, W_v):
    print(embeddings @ W_q, embeddings @ W_k, embeddings @ W_v)

# %% queries_alone | wrong_result_count
def linear_projections(embeddings, W_q, W_k, W_v):
    return embeddings @ W_q

# %% two_of_three | wrong_result_count
def linear_projections(embeddings, W_q, W_k, W_v):
    return embeddings @ W_q, embeddings @ W_k

# %% embeddings_too | wrong_result_count
def linear_projections(embeddings, W_q, W_k, W_v):
    return embeddings, embeddings @ W_q, embeddings @ W_k, embeddings @ W_v

# %% one_wide_tensor | wrong_result_count | fused, and never split
def linear_projections(embeddings, W_q, W_k, W_v):
    return embeddings @ torch.cat([W_q, W_k, W_v], dim=-1)

# %% dictionary | | three results, under names instead of in order
def linear_projections(embeddings, W_q, W_k, W_v):
    return {"queries": embeddings @ W_q, "keys": embeddings @ W_k, "values": embeddings @ W_v}

# %% stacked | raises | works only where d_k equals d_v
def linear_projections(embeddings, W_q, W_k, W_v):
    return torch.stack([embeddings @ W_q, embeddings @ W_k, embeddings @ W_v])

# %% keys_and_values_swapped | swapped_projections
def linear_projections(embeddings, W_q, W_k, W_v):
    queries = embeddings @ W_q
    keys = embeddings @ W_v
    values = embeddings @ W_k
    return queries, keys, values

# %% queries_and_keys_swapped | swapped_projections
def linear_projections(embeddings, W_q, W_k, W_v):
    queries = torch.matmul(embeddings, W_k)
    keys = torch.matmul(embeddings, W_q)
    values = torch.matmul(embeddings, W_v)
    return queries, keys, values

# %% returned_in_another_order | swapped_projections
def linear_projections(embeddings, W_q, W_k, W_v):
    queries, keys, values = embeddings @ W_q, embeddings @ W_k, embeddings @ W_v
    return values, keys, queries

# %% rotated | swapped_projections
def linear_projections(embeddings, W_q, W_k, W_v):
    return [embeddings @ W for W in (W_k, W_v, W_q)]

# %% queries_for_all | one_projection_for_all
def linear_projections(embeddings, W_q, W_k, W_v):
    queries = embeddings @ W_q
    keys = embeddings @ W_q
    values = embeddings @ W_q
    return queries, keys, values

# %% one_result_three_times | one_projection_for_all
def linear_projections(embeddings, W_q, W_k, W_v):
    projected = torch.einsum("...nd,dk->...nk", embeddings, W_v)
    return projected, projected, projected

# %% copied_line_not_changed | one_projection_for_all | the keys are made with the queries' matrix
def linear_projections(embeddings, W_q, W_k, W_v):
    queries = embeddings @ W_q
    keys = embeddings @ W_q
    values = embeddings @ W_v
    return queries, keys, values

# %% transposed_matrices | weight_transposed
def linear_projections(embeddings, W_q, W_k, W_v):
    return embeddings @ W_q.T, embeddings @ W_k.T, embeddings @ W_v.T

# %% functional_linear | weight_transposed
def linear_projections(embeddings, W_q, W_k, W_v):
    return F.linear(embeddings, W_q), F.linear(embeddings, W_k), F.linear(embeddings, W_v)

# %% einsum_letters_exchanged | weight_transposed
def linear_projections(embeddings, W_q, W_k, W_v):
    return tuple(torch.einsum("...nd,kd->...nk", embeddings, W) for W in (W_q, W_k, W_v))

# %% asterisk | elementwise_product
def linear_projections(embeddings, W_q, W_k, W_v):
    return embeddings * W_q, embeddings * W_k, embeddings * W_v

# %% torch_mul | elementwise_product
def linear_projections(embeddings, W_q, W_k, W_v):
    queries = torch.mul(embeddings, W_q)
    keys = torch.mul(embeddings, W_k)
    values = torch.mul(embeddings, W_v)
    return queries, keys, values

# %% divided_by_sqrt_d_model | scaled_projections
def linear_projections(embeddings, W_q, W_k, W_v):
    scale = math.sqrt(embeddings.shape[-1])
    return embeddings @ W_q / scale, embeddings @ W_k / scale, embeddings @ W_v / scale

# %% scaled_queries | scaled_projections | the scale of the scores, one step too early
def linear_projections(embeddings, W_q, W_k, W_v):
    queries = embeddings @ W_q / math.sqrt(W_q.shape[1])
    return queries, embeddings @ W_k, embeddings @ W_v

# %% queries_and_keys_share_the_scale | scaled_projections
def linear_projections(embeddings, W_q, W_k, W_v):
    d_k = W_q.shape[-1]
    return embeddings @ W_q * d_k**-0.25, embeddings @ W_k * d_k**-0.25, embeddings @ W_v

# %% embeddings_three_times | embeddings_returned
def linear_projections(embeddings, W_q, W_k, W_v):
    return embeddings, embeddings, embeddings

# %% copies_of_the_embeddings | embeddings_returned
def linear_projections(embeddings, W_q, W_k, W_v):
    queries = keys = values = embeddings.clone()
    return queries, keys, values

# %% zeros | all_zeros
def linear_projections(embeddings, W_q, W_k, W_v):
    shape = embeddings.shape[:-1]
    queries = torch.zeros(*shape, W_q.shape[1])
    keys = torch.zeros(*shape, W_k.shape[1])
    values = torch.zeros(*shape, W_v.shape[1])
    return queries, keys, values

# %% ones | constant
def linear_projections(embeddings, W_q, W_k, W_v):
    shape = embeddings.shape[:-1]
    return tuple(torch.ones(*shape, W.shape[1]) for W in (W_q, W_k, W_v))

# %% answer_kept_from_the_prompt | ignores_inputs
PROMPT_ANSWER = torch.randn(3, 6, 64, generator=torch.Generator().manual_seed(3))


def linear_projections(embeddings, W_q, W_k, W_v):
    return PROMPT_ANSWER[0], PROMPT_ANSWER[1], PROMPT_ANSWER[2]

# %% new_random_layers | random_result
def linear_projections(embeddings, W_q, W_k, W_v):
    d_model = embeddings.shape[-1]
    return (
        nn.Linear(d_model, W_q.shape[1], bias=False)(embeddings),
        nn.Linear(d_model, W_k.shape[1], bias=False)(embeddings),
        nn.Linear(d_model, W_v.shape[1], bias=False)(embeddings),
    )

# %% noise | random_result
def linear_projections(embeddings, W_q, W_k, W_v):
    return [(embeddings @ W) + torch.randn(W.shape[1]) for W in (W_q, W_k, W_v)]

# %% sums_over_calls | keeps_state
TOTAL = {}


def linear_projections(embeddings, W_q, W_k, W_v):
    results = []
    for name, W in (("q", W_q), ("k", W_k), ("v", W_v)):
        new = embeddings @ W
        old = TOTAL.get(name)
        TOTAL[name] = new if old is None or old.shape != new.shape else old + new
        results.append(TOTAL[name])
    return results

# %% transposed_in_place | changes_input | leaves the caller's matrices transposed
def linear_projections(embeddings, W_q, W_k, W_v):
    for W in (W_q, W_k, W_v):
        W.t_()
    return embeddings @ W_q.T, embeddings @ W_k.T, embeddings @ W_v.T

# %% normalised_afterwards | changes_input
def linear_projections(embeddings, W_q, W_k, W_v):
    queries, keys, values = embeddings @ W_q, embeddings @ W_k, embeddings @ W_v
    embeddings -= embeddings.mean(dim=-1, keepdim=True)  # ready for the next layer
    return queries, keys, values

# %% six_rows | hard_coded_shape
def linear_projections(embeddings, W_q, W_k, W_v):
    x = embeddings.view(6, 64)
    return x @ W_q, x @ W_k, x @ W_v

# %% six_loops | hard_coded_shape
def linear_projections(embeddings, W_q, W_k, W_v):
    queries, keys, values = torch.zeros(6, 64), torch.zeros(6, 64), torch.zeros(6, 64)
    for i in range(6):
        queries[i] = embeddings[i] @ W_q
        keys[i] = embeddings[i] @ W_k
        values[i] = embeddings[i] @ W_v
    return queries, keys, values

# %% mm | no_batch | torch.mm knows two dimensions only
def linear_projections(embeddings, W_q, W_k, W_v):
    return torch.mm(embeddings, W_q), torch.mm(embeddings, W_k), torch.mm(embeddings, W_v)

# %% transposed_twice | no_batch
def linear_projections(embeddings, W_q, W_k, W_v):
    return [(W.t() @ embeddings.t()).t() for W in (W_q, W_k, W_v)]

# %% loops_over_two_dimensions | no_batch
def linear_projections(embeddings, W_q, W_k, W_v):
    n, d_model = embeddings.shape
    out = []
    for W in (W_q, W_k, W_v):
        result = torch.zeros(n, W.shape[1])
        for i in range(n):
            for d in range(d_model):
                result[i] += embeddings[i, d] * W[d]
        out.append(result)
    return out

# %% name_misspelled | raises
def linear_projections(embeddings, W_q, W_k, W_v):
    queries = embeddings @ W_Q
    keys = embeddings @ W_K
    values = embeddings @ W_V
    return queries, keys, values

# %% operands_exchanged | raises
def linear_projections(embeddings, W_q, W_k, W_v):
    return W_q @ embeddings, W_k @ embeddings, W_v @ embeddings

# %% reference_called | ready_made
def linear_projections(embeddings, W_q, W_k, W_v):
    import reference_attention

    return reference_attention.linear_projections(embeddings, W_q, W_k, W_v)

# %% half_precision | wrong_dtype
def linear_projections(embeddings, W_q, W_k, W_v):
    x = embeddings.half()
    return x @ W_q.half(), x @ W_k.half(), x @ W_v.half()

# %% whole_numbers | wrong_dtype
def linear_projections(embeddings, W_q, W_k, W_v):
    return tuple((embeddings @ W).long() for W in (W_q, W_k, W_v))

# %% square_roots | nan_result
def linear_projections(embeddings, W_q, W_k, W_v):
    return [torch.sqrt(embeddings @ W) for W in (W_q, W_k, W_v)]

# %% swapped_and_scaled | swapped_projections, scaled_projections
def linear_projections(embeddings, W_q, W_k, W_v):
    scale = embeddings.shape[-1] ** 0.5
    return embeddings @ W_k / scale, embeddings @ W_q / scale, embeddings @ W_v / scale

# %% one_for_all_and_scaled | one_projection_for_all, scaled_projections
def linear_projections(embeddings, W_q, W_k, W_v):
    projected = embeddings @ W_q / math.sqrt(W_q.shape[-1])
    return projected, projected, projected

# %% rectifier
def linear_projections(embeddings, W_q, W_k, W_v):
    return F.relu(embeddings @ W_q), F.relu(embeddings @ W_k), F.relu(embeddings @ W_v)

# %% bias_of_one
def linear_projections(embeddings, W_q, W_k, W_v):
    return embeddings @ W_q + 1, embeddings @ W_k + 1, embeddings @ W_v + 1

# %% embeddings_normalised_first
def linear_projections(embeddings, W_q, W_k, W_v):
    x = F.layer_norm(embeddings, embeddings.shape[-1:])
    return x @ W_q, x @ W_k, x @ W_v

# %% batch_added | | right numbers, one dimension too many
def linear_projections(embeddings, W_q, W_k, W_v):
    x = embeddings.unsqueeze(0)
    return x @ W_q, x @ W_k, x @ W_v

# %% last_token_left_out
def linear_projections(embeddings, W_q, W_k, W_v):
    x = embeddings[..., :-1, :]
    return x @ W_q, x @ W_k, x @ W_v

# %% values_made_from_the_keys
def linear_projections(embeddings, W_q, W_k, W_v):
    queries = embeddings @ W_q
    keys = embeddings @ W_k
    values = keys @ W_k.T @ W_v
    return queries, keys, values

# %% rounded
def linear_projections(embeddings, W_q, W_k, W_v):
    return [torch.round(embeddings @ W, decimals=1) for W in (W_q, W_k, W_v)]
""",
)
