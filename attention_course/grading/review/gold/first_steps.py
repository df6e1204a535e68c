"""Graded answers to linear_projections, attention_scores and attention_weights."""

from attention_course.grading.review.gold.entry import GoldAnswer

FIRST_STEPS = (
    GoldAnswer(
        "three_products_named",
        "linear_projections",
        True,
        (5, 5, 5),
        """def linear_projections(embeddings, W_q, W_k, W_v):
    queries = embeddings @ W_q
    keys = embeddings @ W_k
    values = embeddings @ W_v
    return queries, keys, values
""",
    ),
    GoldAnswer(
        "einsum_for_each",
        "linear_projections",
        True,
        (5, 5, 4),
        """def linear_projections(embeddings, W_q, W_k, W_v):
    def project(weights):
        return torch.einsum("...nd,dk->...nk", embeddings, weights)

    return project(W_q), project(W_k), project(W_v)
""",
    ),
    GoldAnswer(
        "letters",
        "linear_projections",
        True,
        (2, 5, 4),
        """def linear_projections(embeddings, W_q, W_k, W_v):
    a = embeddings
    x1 = a.matmul(W_q)
    x2 = a.matmul(W_k)
    x3 = a.matmul(W_v)
    return x1, x2, x3
""",
    ),
    GoldAnswer(
        "fixed_sizes_and_loop",
        "linear_projections",
        False,
        (3, 1, 2),
        """def linear_projections(embeddings, W_q, W_k, W_v):
    queries = torch.zeros(6, 64)
    keys = torch.zeros(6, 64)
    values = torch.zeros(6, 64)
    for i in range(6):
        for j in range(64):
            queries[i, j] = (embeddings[i] * W_q[:, j]).sum()
            keys[i, j] = (embeddings[i] * W_k[:, j]).sum()
            values[i, j] = (embeddings[i] * W_v[:, j]).sum()
    return queries, keys, values
""",
    ),
    GoldAnswer(
        "misleading_names",
        "linear_projections",
        False,
        (1, 5, 4),
        """def linear_projections(embeddings, W_q, W_k, W_v):
    keys = embeddings @ W_q
    values = embeddings @ W_k
    queries = embeddings @ W_v
    return keys, values, queries
""",
    ),
    GoldAnswer(
        "there_and_back",
        "linear_projections",
        True,
        (3, 4, 2),
        """def linear_projections(embeddings, W_q, W_k, W_v):
    flat = embeddings.reshape(-1, embeddings.shape[-1])
    both = torch.cat([W_q, W_k, W_v], dim=1)
    result = flat @ both
    result = result.T
    result = result.T
    result = result.reshape(*embeddings.shape[:-1], -1)
    n = W_q.shape[1]
    m = n + W_k.shape[1]
    out = (result[..., :n], result[..., n:m], result[..., m:])
    return out
""",
    ),
    GoldAnswer(
        "not_written",
        "linear_projections",
        False,
        (0, 0, 0),
        """def linear_projections(embeddings, W_q, W_k, W_v):
    pass
""",
    ),
    GoldAnswer(
        "formula",
        "attention_scores",
        True,
        (5, 5, 5),
        """def scaled_dot_product_scores(queries, keys):
    d_k = keys.shape[-1]
    dot_products = queries @ keys.transpose(-2, -1)
    return dot_products / d_k**0.5
""",
    ),
    GoldAnswer(
        "hard_coded_eight",
        "attention_scores",
        False,
        (5, 2, 5),
        """def scaled_dot_product_scores(queries, keys):
    dot_products = queries @ keys.transpose(-2, -1)
    return dot_products / 8
""",
    ),
    GoldAnswer(
        "clear_but_not_scaled",
        "attention_scores",
        False,
        (5, 5, 5),
        """def scaled_dot_product_scores(queries, keys):
    return torch.matmul(queries, keys.transpose(-2, -1))
""",
    ),
    GoldAnswer(
        "temporaries",
        "attention_scores",
        True,
        (2, 5, 3),
        """def scaled_dot_product_scores(queries, keys):
    tmp = keys.transpose(-2, -1)
    tmp2 = queries @ tmp
    tmp3 = queries.shape
    tmp4 = tmp3[-1]
    tmp5 = math.sqrt(tmp4)
    tmp6 = tmp2 / tmp5
    return tmp6
""",
    ),
    GoldAnswer(
        "entry_by_entry",
        "attention_scores",
        True,
        (4, 4, 2),
        """def scaled_dot_product_scores(queries, keys):
    n_q, n_k, d_k = queries.shape[-2], keys.shape[-2], keys.shape[-1]
    scores = torch.zeros(*queries.shape[:-1], n_k)
    for i in range(n_q):
        for j in range(n_k):
            total = (queries[..., i, :] * keys[..., j, :]).sum(-1)
            scores[..., i, j] = total / math.sqrt(d_k)
    return scores
""",
    ),
    GoldAnswer(
        "dead_code",
        "attention_scores",
        True,
        (2, 3, 1),
        """def scaled_dot_product_scores(queries, keys):
    d = 64
    x = queries * 1
    y = keys + 0
    z = None
    if z is not None:
        return z
    a = x @ y.transpose(-2, -1)
    b = a * d
    b = b / d
    c = b / math.sqrt(queries.shape[-1])
    foo = c.sum()
    return c
""",
    ),
    GoldAnswer(
        "scale_first",
        "attention_scores",
        True,
        (5, 5, 5),
        """def scaled_dot_product_scores(queries, keys):
    scaled_queries = queries / math.sqrt(queries.shape[-1])
    return torch.einsum("...qd,...kd->...qk", scaled_queries, keys)
""",
    ),
    GoldAnswer(
        "one_call",
        "attention_weights",
        True,
        (5, 5, 5),
        """def softmax_weights(attention_scores):
    return torch.softmax(attention_scores, dim=-1)
""",
    ),
    GoldAnswer(
        "by_hand",
        "attention_weights",
        True,
        (5, 5, 5),
        """def softmax_weights(attention_scores):
    row_maxima = attention_scores.max(dim=-1, keepdim=True).values
    exponentials = torch.exp(attention_scores - row_maxima)
    row_sums = exponentials.sum(dim=-1, keepdim=True)
    return exponentials / row_sums
""",
    ),
    GoldAnswer(
        "wrong_axis_but_clear",
        "attention_weights",
        False,
        (5, 5, 5),
        """def softmax_weights(attention_scores):
    exponentials = attention_scores.exp()
    return exponentials / exponentials.sum(dim=-2, keepdim=True)
""",
    ),
    GoldAnswer(
        "six_rows",
        "attention_weights",
        False,
        (3, 1, 2),
        """def softmax_weights(attention_scores):
    weights = torch.zeros(1, 6, 6)
    for i in range(6):
        s = 0
        for j in range(6):
            s += math.exp(attention_scores[0, i, j])
        for j in range(6):
            weights[0, i, j] = math.exp(attention_scores[0, i, j]) / s
    return weights
""",
    ),
    GoldAnswer(
        "everything_twice",
        "attention_weights",
        True,
        (3, 5, 2),
        """def softmax_weights(attention_scores):
    thing = attention_scores.clone()
    m = thing.max(-1, keepdim=True).values
    thing = thing - m
    m2 = thing.max(-1, keepdim=True).values
    thing = thing - m2
    e = thing.exp()
    e2 = thing.exp()
    return e / e2.sum(-1, keepdim=True)
""",
    ),
    GoldAnswer(
        "one_line_of_everything",
        "attention_weights",
        True,
        (2, 5, 2),
        "softmax_weights = lambda a: (lambda b: (lambda c: c / c.sum(-1, keepdim=True))"
        "(b.exp()))(a - a.amax(-1, keepdim=True))\n",
    ),
    GoldAnswer(
        "named_softmax_module",
        "attention_weights",
        True,
        (4, 5, 4),
        """def softmax_weights(attention_scores):
    over_keys = nn.Softmax(dim=-1)
    result = over_keys(attention_scores)
    return result
""",
    ),
)
