"""Write the model card from the figures that were measured, so that it claims nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..models.cache import write_manifest
from . import configuration, grammar, train

CARD = """---
license: mit
language: en
library_name: transformers
pipeline_tag: text-generation
---

# The course's mini-transformer

A GPT-2 of {parameters:,} parameters that writes stories in a small invented English. It is made
to be looked into: its embeddings and its heads have 64 dimensions, as in the lesson, so the
attention head that a student builds there *is* a head of this model.

| | |
| --- | --- |
| architecture | GPT-2: {layers} layers, {heads} head of {size} in each, feed-forward {inner}, \
{positions} positions |
| tokenizer | byte-pair encoding, {vocabulary} tokens; every word of the corpus is one token |
| weights | float32, safetensors |
| query, key and value biases | zero throughout, so that queries are `embeddings @ W_q` |

## Data

All text was made by this project's own grammar, `reference_attention/mini_transformer/grammar.py`;
nothing was taken from anywhere. Agreement, pronouns that only their noun explains, repeated names
and recited lists make attention worth having.

- trained on: {training_stories:,} stories with {distinct_training_sentences:,} distinct sentences
- held out: one story in {held_out_share}, chosen by its text, so that none is on both sides;
  {held_out_sentences_never_trained_on:.0%} of the distinct sentences in those tested were never
  trained on

## Training

    python -m reference_attention.mini_transformer.train --folder FOLDER --publish {folder}
    python -m reference_attention.mini_transformer.evaluate --write

{steps:,} steps of {tokens_a_step:,} tokens with AdamW and fixed seeds{minutes}. An interrupted
run goes on from its checkpoint.

## Figures

Measured on {held_out_stories:,} held-out stories by the second command above (perplexity over
every token but a story's first; the baseline is a Witten-Bell smoothed bigram model of the
training stories).

{tables}

A head is named when on average at least {named_from:.0%} of its attention goes where the name
says, and that is at least {times_even:.0f} times what evenly spread attention would give. For each
role the best head is listed, named or not. Links to the word just before are left out for
verbs and pronouns, or a head that always looks one back would pass for one that finds subjects.

## Limits

It knows the {vocabulary} tokens of its corpus and writes nothing sensible about anything else:
other words are spelled out in pieces that it was hardly trained on. It is no model of real
language.
"""


def write_card(folder: Path, figures: dict[str, Any], tables: str) -> None:
    """README.md and the manifest of the model's ``folder``."""
    seconds = figures.get("training_seconds")
    minutes = f"; {seconds / 60:.0f} minutes on one CPU core" if seconds else ""
    text = CARD.format(
        **{key: value for key, value in figures.items() if key != "heads"},
        layers=configuration.LAYERS,
        heads=configuration.HEADS_PER_LAYER,
        size=configuration.EMBEDDING_SIZE,
        inner=configuration.FEED_FORWARD_SIZE,
        positions=configuration.POSITIONS,
        held_out_share=grammar.HELD_OUT_SHARE,
        steps=figures.get("training_steps", train.STEPS),
        tokens_a_step=train.TOKENS_A_STEP,
        minutes=minutes,
        folder=f"cache/models/{folder.name}",
        tables=tables,
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
    write_manifest(folder, digests=True)
