"""Measure the mini-transformer: ``python -m reference_attention.mini_transformer.evaluate``.

Held-out perplexity against a bigram baseline, and what each head attends to. With ``--write``
the figures go into the model's folder (figures.json and the table of its model card).
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from .grammar import ANTECEDENT, SUBJECT, Story, stories
from .lexicon import BEASTS, COLOURS, NAMES, THINGS
from .train import STORIES, TRAINING_SEED

if TYPE_CHECKING:
    from ..models.loading import LoadedModel

HELD_OUT_SEED = 2
HELD_OUT_STORIES = 1000
# A head bears a name when on average at least this much of its attention goes where the name
# says, and when that is at least so many times what evenly spread attention would give.
NAMED_FROM = 0.4
TIMES_EVEN = 3.0

COPIED = {*THINGS, *COLOURS, *NAMES["she"], *NAMES["he"], *(beast.singular for beast in BEASTS)}
ROLES = {
    "previous token": "from each word of a list to the word before it, when the list is first told",
    "previous token anywhere": "from each token to the one before it",
    "earlier copy": "from a repeated name, noun or colour to where it stood before",
    "induction": "from a repeated name, noun or colour to what followed it before",
    "verb to subject": "from a verb to its subject, other words between them",
    "pronoun to noun": "from a pronoun to the noun or name that it stands for",
}


@dataclass(frozen=True)
class HeadScore:
    """How much of one head's attention goes to one place, on average over ``cases``.

    ``even`` is what attention spread evenly over the visible tokens would give there, and
    ``first`` the share of cases in which no other token gets more.
    """

    role: str
    layer: int
    head: int
    score: float
    first: float
    even: float
    cases: int

    @property
    def named(self) -> bool:
        return self.score >= NAMED_FROM and self.score >= TIMES_EVEN * self.even


def places(story: Story) -> Iterator[tuple[str, int, int]]:
    """(role, query position, key position) for all that the grammar knows about a story."""
    last_seen: dict[str, int] = {}
    in_list = False
    for position, word in enumerate(story.words):
        if position >= 2:  # at position 1 there is nowhere else to look but the first token
            yield "previous token anywhere", position, position - 1
            if in_list and word != ".":
                yield "previous token", position, position - 1
        in_list = word == "heard" or (in_list and word != ".")
        earlier = last_seen.get(word)
        if earlier is not None and word in COPIED and earlier + 1 < position - 1:
            yield "earlier copy", position, earlier
            yield "induction", position, earlier + 1
        last_seen[word] = position
    for kind, source, target in story.links:
        if source - target < 2:
            continue  # the word just before: a previous-token head would score here by accident
        if kind == SUBJECT:
            yield "verb to subject", source, target
        elif kind == ANTECEDENT:
            yield "pronoun to noun", source, target


@torch.no_grad()
def head_scores(loaded: LoadedModel, told: list[Story]) -> list[HeadScore]:
    """The score of every head for every role, over the given stories."""
    layers, heads = loaded.model.config.num_hidden_layers, loaded.model.config.num_attention_heads
    sums = {role: torch.zeros(layers, heads) for role in ROLES}
    firsts = {role: torch.zeros(layers, heads) for role in ROLES}
    even = dict.fromkeys(ROLES, 0.0)
    cases: Counter[str] = Counter()
    before = loaded.model.config._attn_implementation
    loaded.model.set_attn_implementation("eager")
    try:
        for story in told:
            ids = loaded.token_ids(story.text)
            if ids.shape[1] != len(story.words):
                raise ValueError(f"not one token a word: {story.text!r}")
            attentions = loaded.model(ids, output_attentions=True, use_cache=False).attentions
            weights = torch.cat(attentions)  # [layers, heads, n, n]
            best = weights.argmax(-1)
            for role, query, key in places(story):
                sums[role] += weights[:, :, query, key]
                firsts[role] += best[:, :, query] == key
                even[role] += 1 / (query + 1)
                cases[role] += 1
    finally:
        loaded.model.set_attn_implementation(before)
    return [
        HeadScore(
            role,
            layer,
            head,
            float(sums[role][layer, head]) / cases[role],
            float(firsts[role][layer, head]) / cases[role],
            even[role] / cases[role],
            cases[role],
        )
        for role in ROLES
        for layer in range(layers)
        for head in range(heads)
    ]


@torch.no_grad()
def perplexity(loaded: LoadedModel, told: list[Story]) -> float:
    """exp of the mean surprise at every token after a story's first, its end included."""
    surprise, count = 0.0, 0
    end = loaded.model.config.eos_token_id
    for story in told:
        ids = torch.cat([loaded.token_ids(story.text), torch.tensor([[end]])], dim=1)
        logits = loaded.model(ids[:, :-1], use_cache=False).logits[0].log_softmax(-1)
        surprise -= float(logits.gather(1, ids[0, 1:, None]).sum())
        count += ids.shape[1] - 1
    return math.exp(surprise / count)


class Bigram:
    """The baseline: each token guessed from the one before it, mixed with plain frequency."""

    def __init__(self, rows: list[list[int]], vocabulary_size: int) -> None:
        self.size = vocabulary_size
        self.pairs: Counter[tuple[int, int]] = Counter()
        self.before: Counter[int] = Counter()
        self.followers: Counter[int] = Counter()
        self.single: Counter[int] = Counter()
        for row in rows:
            self.single.update(row)
            self.before.update(row[:-1])
            self.pairs.update(itertools.pairwise(row))
        self.followers.update(first for first, _ in self.pairs)
        self.total = sum(self.single.values())

    def probability(self, first: int, second: int) -> float:
        """Witten-Bell smoothing: the more followers a token has, the more a new one is likely."""
        plain = (self.single[second] + 1) / (self.total + self.size)
        seen, kinds = self.before[first], self.followers[first]
        if seen == 0:
            return plain
        return (self.pairs[first, second] + kinds * plain) / (seen + kinds)

    def perplexity(self, rows: list[list[int]]) -> float:
        surprise, count = 0.0, 0
        for row in rows:
            for first, second in itertools.pairwise(row):
                surprise -= math.log(self.probability(first, second))
                count += 1
        return math.exp(surprise / count)


def sentences(told: list[Story]) -> set[str]:
    return {text.strip() for story in told for text in story.text.split(".") if text.strip()}


def measure(loaded: LoadedModel, *, held_out: int, trained_on: int) -> dict[str, Any]:
    """Everything that the model card claims, as plain data."""
    test = list(stories(held_out, seed=HELD_OUT_SEED, held_out=True))
    training = list(stories(trained_on, seed=TRAINING_SEED, held_out=False))
    end = loaded.model.config.eos_token_id

    def rows(told: list[Story]) -> list[list[int]]:
        return [[*loaded.token_ids(story.text)[0].tolist(), end] for story in told]

    seen, unseen = sentences(training), sentences(test)
    bigram = Bigram(rows(training), loaded.model.config.vocab_size)
    scores = head_scores(loaded, test)
    return {
        "named_from": NAMED_FROM,
        "times_even": TIMES_EVEN,
        "parameters": sum(parameter.numel() for parameter in loaded.model.parameters()),
        "vocabulary": loaded.model.config.vocab_size,
        "training_stories": trained_on,
        "distinct_training_sentences": len(seen),
        "held_out_stories": held_out,
        "held_out_sentences_never_trained_on": len(unseen - seen) / len(unseen),
        "perplexity": perplexity(loaded, test),
        "bigram_perplexity": bigram.perplexity(rows(test)),
        "heads": [{**asdict(score), "named": score.named} for score in scores],
    }


def tables(figures: dict[str, Any]) -> str:
    """The figures as Markdown: perplexities, then the best head for each role."""
    lines = [
        "| on held-out stories | perplexity |",
        "| --- | --- |",
        f"| this model | {figures['perplexity']:.2f} |",
        f"| bigram baseline | {figures['bigram_perplexity']:.2f} |",
        "",
        "| role | layer | head | attention there | comes first | spread evenly | cases | named |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for role, meaning in ROLES.items():
        of_role = [score for score in figures["heads"] if score["role"] == role]
        best = max(of_role, key=lambda score: score["score"])
        shown = [score for score in of_role if score["named"] and score is not best]
        for score in [best, *sorted(shown, key=lambda score: -score["score"])]:
            lines.append(
                f"| {role}: {meaning} | {score['layer']} | {score['head']} | {score['score']:.2f} "
                f"| {score['first']:.0%} | {score['even']:.2f} | {score['cases']} "
                f"| {'yes' if score['named'] else 'no'} |"
            )
    return "\n".join(lines)


def main() -> None:
    from ..models.loading import load_mini_transformer

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="folder of a model (default: the bundled one)")
    parser.add_argument("--held-out", type=int, default=HELD_OUT_STORIES, help="stories to test on")
    parser.add_argument(
        "--trained-on", type=int, default=STORIES, help="training stories, for the baseline"
    )
    parser.add_argument("--write", action="store_true", help="write the figures beside the model")
    options = parser.parse_args()
    loaded = load_mini_transformer(options.model)
    figures = measure(loaded, held_out=options.held_out, trained_on=options.trained_on)
    print(tables(figures))
    unseen = figures["held_out_sentences_never_trained_on"]
    print(
        f"\n{figures['parameters']:,} parameters; {figures['distinct_training_sentences']:,} "
        f"distinct training sentences; {unseen:.0%} of the held-out ones are not among them."
    )
    if options.write:
        from .card import write_card

        written = loaded.folder / "training.json"
        if written.exists():
            figures |= json.loads(written.read_text())
        (loaded.folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
        write_card(loaded.folder, figures, tables(figures))


if __name__ == "__main__":
    main()
