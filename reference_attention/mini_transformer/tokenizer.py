"""The mini-transformer's tokenizer: one token for each word of the grammar, pieces for the rest."""

from __future__ import annotations

import string
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

END = "<|endoftext|>"  # ends a story; GPT-2's own name for it
UNKNOWN = "<unk>"  # a character that is not on an English keyboard
VOCABULARY_SIZE = 1024  # room for every word of the grammar; the trainer stops earlier


def end_token(tokenizer: Tokenizer) -> int:
    """The number of the token that ends a story."""
    token = tokenizer.token_to_id(END)
    assert token is not None, f"the tokenizer was trained without {END}"
    return token


def train_tokenizer(texts: Iterable[str]) -> Tokenizer:
    """Byte-pair encoding over words that carry their leading space; marks stand alone.

    The word's space is part of its token, as in GPT-2, but a text's first word is given one
    too: so "cat" is one and the same token at the beginning and within a text.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    # Marks are cut off after the spaces are marked, or each mark would be given a space.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(prepend_scheme="first"), pre_tokenizers.Punctuation()]
    )
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=[END, UNKNOWN],
        initial_alphabet=[*string.ascii_letters, *string.digits, *string.punctuation],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
