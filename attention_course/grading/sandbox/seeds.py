"""Seeds for a process that was forked, and would else draw the numbers that its siblings draw."""

from __future__ import annotations


def new_seeds() -> None:
    """Seed Python's, NumPy's and torch's own generators from the system's randomness."""
    import random

    import numpy
    import torch

    random.seed()
    numpy.random.seed()
    # torch.seed() besides keeps a text of the call stack for a GPU that may be looked for later.
    torch.default_generator.seed()
