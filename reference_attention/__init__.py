"""Single-head attention, complete: what the lesson's student builds, to compare with.

Needs only torch. The functions take any leading batch dimensions, and any numbers of queries
and keys. Source throughout: Vaswani et al. 2017, "Attention Is All You Need", section 3.2.
"""

from reference_attention.aggregation import aggregate_values
from reference_attention.attention_head import AttentionHead
from reference_attention.projections import linear_projections
from reference_attention.scores import scaled_dot_product_scores
from reference_attention.simple_attention import SimpleAttention
from reference_attention.weights import softmax_weights

__all__ = [
    "AttentionHead",
    "SimpleAttention",
    "aggregate_values",
    "linear_projections",
    "scaled_dot_product_scores",
    "softmax_weights",
]
