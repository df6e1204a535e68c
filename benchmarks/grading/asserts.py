"""The lesson's test cells as an instructor with stock nbgrader writes them: plain asserts.

Each cell draws random inputs of three sizes, computes the answer itself and compares. They
judge the same functions as our checks and do less: no name for a fault, no second look at it,
no search for state kept between calls, no bound on what comes back.
"""

from __future__ import annotations

# nbgrader takes anything on stderr for a failure, and a right answer may warn.
START = 'import warnings\n\nwarnings.simplefilter("ignore")\n\n'

PROJECTIONS = """\
for batch, n in ((1, 4), (2, 5), (3, 6)):
    inputs = torch.randn(batch, n, 6), torch.randn(6, 3), torch.randn(6, 3), torch.randn(6, 4)
    given = linear_projections(*(tensor.clone() for tensor in inputs))
    assert len(given) == 3, f"three tensors were expected, not {len(given)}"
    for name, answer, matrix in zip(("queries", "keys", "values"), given, inputs[1:]):
        expected = inputs[0] @ matrix
        assert answer.shape == expected.shape, f"{name} have the shape {list(answer.shape)}"
        assert torch.allclose(answer, expected, atol=1e-5), f"{name} are wrong"
"""

SCORES = """\
for batch, n in ((1, 4), (2, 5), (3, 6)):
    inputs = torch.randn(batch, n, 3), torch.randn(batch, 7, 3)
    answer = scaled_dot_product_scores(*(tensor.clone() for tensor in inputs))
    expected = inputs[0] @ inputs[1].transpose(-2, -1) / math.sqrt(3)
    assert answer.shape == expected.shape, f"the scores have the shape {list(answer.shape)}"
    assert torch.allclose(answer, expected, atol=1e-5), "the scores are wrong"
"""

WEIGHTS = """\
for batch, n in ((1, 4), (2, 5), (3, 6)):
    scores = 1.5 * torch.randn(batch, n, 7)
    answer = softmax_weights(scores.clone())
    expected = torch.softmax(scores, dim=-1)
    assert answer.shape == expected.shape, f"the weights have the shape {list(answer.shape)}"
    assert torch.allclose(answer, expected, atol=1e-5), "the weights are wrong"
large = torch.tensor([[[1e4, 0.0, 9998.0], [1e4, -1e4, 0.0]]])
answer = softmax_weights(large.clone())
assert torch.allclose(answer, torch.softmax(large, dim=-1), atol=1e-2), "large scores are lost"
"""

AGGREGATION = """\
for batch, n in ((1, 4), (2, 5), (3, 6)):
    weights, values = torch.softmax(torch.randn(batch, n, 7), dim=-1), torch.randn(batch, 7, 4)
    answer = aggregate_values(weights.clone(), values.clone())
    expected = weights @ values
    assert answer.shape == expected.shape, f"the output has the shape {list(answer.shape)}"
    assert torch.allclose(answer, expected, atol=1e-5), "the output is wrong"
"""

HEAD = """\
head = AttentionHead(6, 3, 4)
for layer, width in ((head.query, 3), (head.key, 3), (head.value, 4)):
    assert layer.weight.shape == (width, 6), "a layer has the wrong size"
    torch.nn.init.normal_(layer.weight, std=0.7)
    torch.nn.init.normal_(layer.bias)
for batch, n in ((1, 4), (2, 5), (3, 6)):
    x = torch.randn(batch, n, 6)
    answer, weights = head(x.clone())
    scores = head.query(x) @ head.key(x).transpose(-2, -1) / math.sqrt(3)
    expected_weights = torch.softmax(scores, dim=-1)
    expected = expected_weights @ head.value(x)
    assert weights.shape == expected_weights.shape, f"weights: shape {list(weights.shape)}"
    assert torch.allclose(weights, expected_weights, atol=1e-5), "the weights are wrong"
    assert answer.shape == expected.shape, f"the output has the shape {list(answer.shape)}"
    assert torch.allclose(answer, expected, atol=1e-5), "the output is wrong"
    assert answer.requires_grad, "the layers cannot learn from this output"
"""

ASSERTS: dict[str, str] = {
    "linear_projections": START + PROJECTIONS,
    "attention_scores": START + SCORES,
    "attention_weights": START + WEIGHTS,
    "value_aggregation": START + AGGREGATION,
    "attention_head": START + HEAD,
}
"""The source of each test cell, by the exercise that it judges."""
