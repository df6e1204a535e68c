"""What the model judges, question by question: criteria from 0 to 5, each level in words.

Order, labels and examples are frozen: language models score otherwise under another order. Only
what a machine cannot tell is asked for; comments are not, for the model does not get to see them.
"""

from __future__ import annotations

from dataclasses import dataclass

CLASS_FILE = "problem.py"  # where SimpleAttention is written
CRITERIA = ("a_names", "b_shapes", "c_structure")
HIGHEST = 5

NAMES = (
    "nothing was written",
    "names mislead: they say something else than what they hold",
    "names are empty (tmp, x1, foo) throughout",
    "some names say what they hold, others are empty",
    "names say what they hold, one could be clearer",
    "every name says what it holds, in the words of the field or of the lesson: {names}",
)


@dataclass(frozen=True, slots=True)
class Example:
    """A fixed answer with the scores that it deserves."""

    source: str
    scores: tuple[int, int, int]
    reason: str


@dataclass(frozen=True, slots=True)
class Rubric:
    """The rubric of one exercise. ``shapes`` and ``structure`` are the words for levels 0 to 5."""

    exercise: str
    task: str
    names: str
    shapes: tuple[str, str, str, str, str, str]
    structure: tuple[str, str, str, str, str, str]
    examples: tuple[Example, ...]

    def anchors(self) -> dict[str, tuple[str, ...]]:
        names = tuple(text.format(names=self.names) for text in NAMES)
        return {"a_names": names, "b_shapes": self.shapes, "c_structure": self.structure}


def _shapes(what: str, literal: str) -> tuple[str, str, str, str, str, str]:
    return (
        "nothing was written",
        f"every size is a fixed number ({literal}), so only the lesson's own sizes work",
        f"the size that matters here ({what}) is a fixed number",
        f"{what} comes from the input, another size is fixed or looked up in a global",
        "all sizes come from the inputs, in a roundabout way or for one number of dimensions only",
        f"{what} and all other sizes come from the inputs themselves, or none is needed",
    )


def _structure(direct: str, detour: str) -> tuple[str, str, str, str, str, str]:
    return (
        "nothing was written",
        "cannot be followed: steps that undo each other, dead code between them",
        f"the idea can be guessed; {detour}",
        "the steps can be followed, with needless ones between them",
        "clear steps, one of them needless or written longer than it has to be",
        f"each step is one statement that can be read aloud: {direct}; or another way as clear",
    )


RUBRICS = {
    rubric.exercise: rubric
    for rubric in (
        Rubric(
            "linear_projections",
            "Make queries, keys and values from embeddings with three matrices.",
            "queries, keys, values",
            _shapes("the width of queries, keys and values", "64"),
            _structure("three matrix products", "projections are made entry by entry or all mixed"),
            (
                Example(
                    "def linear_projections(embeddings, W_q, W_k, W_v):\n"
                    "    return embeddings @ W_q, embeddings @ W_k, embeddings @ W_v",
                    (5, 5, 5),
                    "Three products, nothing else; parameters already have good names.",
                ),
                Example(
                    "def linear_projections(embeddings, W_q, W_k, W_v):\n"
                    "    x1 = torch.zeros(6, 64)\n    x2 = torch.zeros(6, 64)\n"
                    "    x3 = torch.zeros(6, 64)\n    x1 = embeddings @ W_q\n"
                    "    x2 = embeddings @ W_k\n    x3 = embeddings @ W_v\n    return x1, x2, x3",
                    (2, 2, 3),
                    "Empty names; zeros of a fixed shape that are thrown away.",
                ),
            ),
        ),
        Rubric(
            "attention_scores",
            "Score each query against each key and divide by the square root of d_k.",
            "queries, keys, d_k, scores",
            _shapes("d_k", "8 or 64"),
            _structure(
                "transpose the last two dimensions, multiply, divide",
                "loops or reshapes hide the matrix product",
            ),
            (
                Example(
                    "def scaled_dot_product_scores(queries, keys):\n"
                    "    d_k = queries.shape[-1]\n"
                    "    return queries @ keys.transpose(-2, -1) / math.sqrt(d_k)",
                    (5, 5, 5),
                    "The formula as it stands on the page; d_k is read off the queries.",
                ),
                Example(
                    "def scaled_dot_product_scores(queries, keys):\n    t = keys\n"
                    "    t = t.permute(0, 2, 1)\n    tmp = torch.bmm(queries, t)\n"
                    "    tmp2 = tmp / 8\n    res = tmp2\n    return res",
                    (2, 2, 3),
                    "tmp and res say nothing, 8 is fixed, one assignment does nothing.",
                ),
            ),
        ),
        Rubric(
            "attention_weights",
            "Turn each query's scores into shares that sum to 1, without overflow.",
            "scores, weights, shifted, exponentials",
            _shapes("the number of keys", "6"),
            _structure(
                "softmax over the last dimension, or take the maximum off, exponentiate, divide",
                "rows and columns are handled one by one",
            ),
            (
                Example(
                    "def softmax_weights(attention_scores):\n"
                    "    shifted = attention_scores - attention_scores.amax(-1, keepdim=True)\n"
                    "    exponentials = shifted.exp()\n"
                    "    return exponentials / exponentials.sum(-1, keepdim=True)",
                    (5, 5, 5),
                    "Three named steps; as good as one call of torch.softmax.",
                ),
                Example(
                    "def softmax_weights(attention_scores):\n"
                    "    out = torch.zeros(1, 6, 6)\n    for i in range(6):\n"
                    "        a = torch.exp(attention_scores[0, i])\n"
                    "        b = a / a.sum()\n        out[0, i] = b\n    return out",
                    (3, 1, 2),
                    "Six and one are fixed, rows one by one, a and b say little.",
                ),
            ),
        ),
        Rubric(
            "value_aggregation",
            "Give each query the mean of the values, weighted by its attention.",
            "weights, values, attended_values",
            _shapes("the numbers of queries, keys and features", "6 or 64"),
            _structure(
                "one matrix product",
                "the product is spelled out or its operands are turned there and back",
            ),
            (
                Example(
                    "def aggregate_values(attention_weights, values):\n"
                    "    return attention_weights @ values",
                    (5, 5, 5),
                    "The whole idea in one product.",
                ),
                Example(
                    "def aggregate_values(attention_weights, values):\n    r = []\n"
                    "    for n in range(6):\n        z = 0\n        for m in range(6):\n"
                    "            z = z + attention_weights[:, n, m] * values[:, m].T\n"
                    "        r.append(z.T)\n    return torch.stack(r, 1)",
                    (2, 2, 2),
                    "Six is fixed, the product is spelled out and turned twice.",
                ),
            ),
        ),
        Rubric(
            "attention_head",
            "A module with layers query, key and value whose forward returns values and weights.",
            "queries, keys, values, scores, weights",
            _shapes("d_k and the layers' widths", "64"),
            _structure(
                "project, score, softmax, aggregate, each once",
                "steps are repeated, mixed between __init__ and forward, or passed through self",
            ),
            (
                Example(
                    "class AttentionHead(nn.Module):\n"
                    "    def __init__(self, d_model, d_k, d_v):\n        super().__init__()\n"
                    "        self.query = nn.Linear(d_model, d_k)\n"
                    "        self.key = nn.Linear(d_model, d_k)\n"
                    "        self.value = nn.Linear(d_model, d_v)\n\n"
                    "    def forward(self, embeddings):\n"
                    "        queries, keys = self.query(embeddings), self.key(embeddings)\n"
                    "        scores = scaled_dot_product_scores(queries, keys)\n"
                    "        weights = softmax_weights(scores)\n"
                    "        return aggregate_values(weights, self.value(embeddings)), weights",
                    (5, 5, 5),
                    "The earlier answers are used again; every step is visible.",
                ),
                Example(
                    "class AttentionHead(nn.Module):\n"
                    "    def __init__(self, d_model, d_k, d_v):\n        super().__init__()\n"
                    "        self.query = nn.Linear(64, 64)\n        self.key = nn.Linear(64, 64)\n"
                    "        self.value = nn.Linear(64, 64)\n        self.a = None\n\n"
                    "    def forward(self, x):\n        self.a = self.query(x)\n"
                    "        self.b = self.key(x)\n"
                    "        self.c = self.a @ self.b.transpose(-2, -1)\n"
                    "        self.c = self.c / 8\n        self.c = torch.softmax(self.c, -1)\n"
                    "        return self.c @ self.value(x), self.c",
                    (1, 1, 3),
                    "c holds scores, then weights; sizes are fixed; results are kept in self.",
                ),
            ),
        ),
        Rubric(
            "projections",
            "Make a SimpleAttention with three layers and look at the shapes of what they make.",
            "queries, keys, values, n_embd",
            _shapes("n_embd", "64"),
            _structure(
                "three layers in __init__, used once each",
                "layers are made anew in forward or by copying",
            ),
            (
                Example(
                    "attention = SimpleAttention(x.shape[-1])\n"
                    "for name in ('query', 'key', 'value'):\n"
                    "    print(name, list(getattr(attention, name)(x).shape))",
                    (5, 5, 5),
                    "One loop over the layers; the width is the input's.",
                ),
                Example(
                    "a1 = SimpleAttention(64)\ntmp = a1.query(x)\nprint(tmp.shape)\n"
                    "tmp = a1.key(x)\nprint(tmp.shape)\ntmp = a1.value(x)\nprint(tmp.shape)",
                    (2, 2, 3),
                    "The same two lines three times, under names that say nothing.",
                ),
            ),
        ),
        Rubric(
            "scores",
            "Compute the scores for x and compare one of them with a single dot product.",
            "queries, keys, scores",
            _shapes("the places that are compared", "64"),
            _structure(
                "queries, keys, one product, one comparison",
                "scores are computed again for each print",
            ),
            (
                Example(
                    "queries, keys = attention.query(x), attention.key(x)\n"
                    "scores = queries @ keys.transpose(-2, -1)\n"
                    "print(list(scores.shape))\n"
                    "print(scores[0, 2, 1], queries[0, 2] @ keys[0, 1])",
                    (5, 5, 5),
                    "The product once, then one entry of it beside its dot product.",
                ),
                Example(
                    "s = SimpleAttention(64)\nfoo = s.query(x)\nbar = s.key(x)\n"
                    "print((foo @ bar.permute(0, 2, 1)).shape)\n"
                    "print((foo @ bar.permute(0, 2, 1))[0, 2, 1])",
                    (2, 3, 3),
                    "foo and bar; the product is computed twice.",
                ),
            ),
        ),
        Rubric(
            "weights",
            "Run the module and look at what each row of its weights sums to.",
            "weights, row_sums",
            _shapes("the number of rows", "6"),
            _structure("one call, one sum along the last dimension", "rows are summed one by one"),
            (
                Example(
                    "attention(x)\nrow_sums = attention.attention_weights.sum(dim=-1)\n"
                    "print(row_sums)",
                    (5, 5, 5),
                    "One sum along the dimension of the keys.",
                ),
                Example(
                    "attention(x)\nw = attention.attention_weights\nfor i in range(6):\n"
                    "    t = 0\n    for j in range(6):\n        t += w[0, i, j]\n    print(t)",
                    (3, 1, 2),
                    "Six is fixed, and sum() exists.",
                ),
            ),
        ),
        Rubric(
            "output",
            "Look at the output's shape for several batches and lengths.",
            "batch, seq_len, shapes",
            _shapes("batch and length", "64"),
            _structure(
                "one loop over the sizes that are tried",
                "the same lines are repeated for each size",
            ),
            (
                Example(
                    "for batch, seq_len in ((1, 6), (3, 6), (2, 20)):\n"
                    "    x = torch.randn(batch, seq_len, n_embd)\n"
                    "    print(list(x.shape), list(attention(x).shape))",
                    (5, 5, 5),
                    "Sizes in one place, one line that does the work.",
                ),
                Example(
                    "x1 = torch.randn(1, 6, 64)\nprint(attention(x1).shape)\n"
                    "x2 = torch.randn(3, 6, 64)\nprint(attention(x2).shape)\n"
                    "x3 = torch.randn(2, 20, 64)\nprint(attention(x3).shape)",
                    (2, 3, 2),
                    "The same two lines three times.",
                ),
            ),
        ),
        Rubric(
            CLASS_FILE,
            "The module SimpleAttention: three layers, scores without a scale, weights, output.",
            "queries, keys, values, scores, weights",
            _shapes("n_embd", "64"),
            _structure(
                "project, score, softmax, aggregate, each once",
                "steps are repeated, mixed between __init__ and forward, or passed through self",
            ),
            (
                Example(
                    "class SimpleAttention(nn.Module):\n"
                    "    def __init__(self, n_embd):\n        super().__init__()\n"
                    "        self.query = nn.Linear(n_embd, n_embd)\n"
                    "        self.key = nn.Linear(n_embd, n_embd)\n"
                    "        self.value = nn.Linear(n_embd, n_embd)\n\n"
                    "    def forward(self, x):\n"
                    "        queries, keys, values = self.query(x), self.key(x), self.value(x)\n"
                    "        scores = queries @ keys.transpose(-2, -1)\n"
                    "        self.attention_weights = torch.softmax(scores, dim=-1)\n"
                    "        return self.attention_weights @ values",
                    (5, 5, 5),
                    "Four steps that can be read aloud; only what must be kept is kept in self.",
                ),
                Example(
                    "class SimpleAttention(nn.Module):\n"
                    "    def __init__(self, n_embd):\n        super().__init__()\n"
                    "        self.query = nn.Linear(64, 64)\n        self.key = nn.Linear(64, 64)\n"
                    "        self.value = nn.Linear(64, 64)\n\n"
                    "    def forward(self, x):\n        self.tmp = self.query(x)\n"
                    "        self.tmp2 = self.key(x)\n"
                    "        r = self.tmp @ self.tmp2.transpose(-2, -1)\n        r = r * 1\n"
                    "        self.attention_weights = torch.softmax(r, -1)\n"
                    "        r = self.attention_weights @ self.value(x)\n        return r",
                    (2, 1, 3),
                    "tmp and r say nothing, 64 is fixed, one step does nothing.",
                ),
            ),
        ),
    )
}
EXPLORATIONS = ("projections", "scores", "weights", "output")


def rubric_of(exercise: str, source: str) -> Rubric:
    """The rubric for an answer; raises KeyError for an exercise that has none.

    In the notebook of attention_basics students explore; the class that is explored is in a file
    of its own, and has a rubric of its own wherever it stands.
    """
    if exercise in EXPLORATIONS and "class SimpleAttention" in source:
        return RUBRICS[CLASS_FILE]
    return RUBRICS[exercise]
