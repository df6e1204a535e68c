"""The lesson's attention in a real transformer: load one, compare with it, look at its heads.

Section 9 of the lesson in five lines:

    loaded = load_mini_transformer()
    mine = AttentionSteps(
        linear_projections, scaled_dot_product_scores, softmax_weights, aggregate_values
    )
    print(continue_text(PROMPT_EXAMPLE, attention=mine, model=loaded))
    comparison = compare_attention_implementations(mine, model=loaded)
    visualize_model_comparison(comparison)

Needs ``transformers`` from the first call on; importing this needs torch alone.
"""

from __future__ import annotations

from .models.cache import ModelNotAvailable, models_folder
from .models.comparison import (
    ModelComparison,
    Stage,
    compare_attention_implementations,
)
from .models.embedding import Picture
from .models.generation import Continuation, continue_text
from .models.head_browser import browse_heads
from .models.heads import (
    HeadInputs,
    HeadProjections,
    adapt_dimensions,
    causal_mask,
    causal_rows,
    head_inputs,
)
from .models.hook import Trace, attention_in, observed
from .models.loading import PROMPT_EXAMPLE, LoadedModel, load_mini_transformer
from .models.pictures import visualize_model_comparison
from .models.steps import AttentionFault, AttentionSteps

__all__ = [
    "PROMPT_EXAMPLE",
    "AttentionFault",
    "AttentionSteps",
    "Continuation",
    "HeadInputs",
    "HeadProjections",
    "LoadedModel",
    "ModelComparison",
    "ModelNotAvailable",
    "Picture",
    "Stage",
    "Trace",
    "adapt_dimensions",
    "attention_in",
    "browse_heads",
    "causal_mask",
    "causal_rows",
    "compare_attention_implementations",
    "continue_text",
    "head_inputs",
    "load_mini_transformer",
    "models_folder",
    "observed",
    "visualize_model_comparison",
]
