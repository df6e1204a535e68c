"""Self-attention with one head and no scaling: the file that you complete.

The notebook beside it, attention_basics.ipynb, explains each step and checks it;
`pytest test_attention.py -v` in this folder runs the same checks.
"""

import torch
from torch import nn


class SimpleAttention(nn.Module):
    """Each token takes home a mean of all values, weighted by how well its query matches the keys.

    Shapes, for an input of [batch, seq_len, n_embd]:

        queries, keys, values   [batch, seq_len, n_embd]
        scores, weights         [batch, seq_len, seq_len]   rows are queries, columns are keys
        output                  [batch, seq_len, n_embd]

    After each call, the weights of that call are in `self.attention_weights`.
    """

    def __init__(self, n_embd: int) -> None:
        super().__init__()
        # Section 4: three linear layers, self.query, self.key and self.value, each from
        # n_embd to n_embd.
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x [batch, seq_len, n_embd] to the same shape."""
        # Section 4: queries, keys and values of x.
        # Section 5: scores, every query with every key. Do not scale them here.
        # Section 6: weights, each row sums to 1; keep them in self.attention_weights.
        # Section 7: the mean of the values, weighted row by row.
        # YOUR CODE HERE
        raise NotImplementedError()
