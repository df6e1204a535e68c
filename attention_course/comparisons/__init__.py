"""Section 10 of the lesson: what scaling, temperature and several heads change, in numbers.

    comparisons.scaling(queries, keys, tokens, scores=..., softmax=...)
    comparisons.temperatures(attention_scores, tokens, softmax=...)
    comparisons.multi_head(head, embeddings, tokens)
    comparisons.against_reference(embeddings, (W_q, W_k, W_v), tokens, linear_projections, ...)

Each takes the student's own functions and gives a :class:`Comparison`: the numbers, a picture and
one sentence that follows from the numbers. An answer that fails gives a sentence, no exception;
wrong arguments of the cell itself raise ValueError.
"""

from attention_course.comparisons.heads import multi_head
from attention_course.comparisons.reference import against_reference
from attention_course.comparisons.result import Comparison
from attention_course.comparisons.scaling import scaling
from attention_course.comparisons.temperature import temperatures

__all__ = ["Comparison", "against_reference", "multi_head", "scaling", "temperatures"]
