"""The mini-transformer's language, tokenizer, training and measured claims."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from reference_attention.mini_transformer import train as training
from reference_attention.mini_transformer.evaluate import Bigram, head_scores, perplexity, places
from reference_attention.mini_transformer.grammar import ANTECEDENT, SUBJECT, Story, stories
from reference_attention.mini_transformer.lexicon import BEASTS, CHASE, EAT, NOUNS, REST
from reference_attention.mini_transformer.tokenizer import train_tokenizer
from reference_attention.model_utils import LoadedModel, load_mini_transformer

HELD_OUT = list(stories(60, seed=77, held_out=True))


def test_the_same_seed_tells_the_same_stories() -> None:
    first, again = ([story.text for story in stories(20, seed=3, held_out=False)] for _ in range(2))
    assert first == again
    assert first != [story.text for story in stories(20, seed=4, held_out=False)]


def test_no_story_is_on_both_sides_of_the_split() -> None:
    trained = {story.text for story in stories(4000, seed=1, held_out=False)}
    assert not trained & {story.text for story in HELD_OUT}


def test_the_prompts_sentence_is_trained_on() -> None:
    assert any(
        "The cat sat on the mat" in story.text for story in stories(4000, seed=1, held_out=False)
    )


def test_verbs_agree_with_their_subject_and_not_with_the_noun_between() -> None:
    one = {noun.singular for noun in NOUNS}
    singular = {pair[0] for pair in (*CHASE, *EAT, *REST)}
    plural = {pair[1] for pair in (*CHASE, *EAT, *REST)}
    attracted = 0
    for story in stories(400, seed=9, held_out=False):
        for kind, verb, subject in story.links:
            if kind == SUBJECT and story.words[verb] in singular | plural:
                is_one = story.words[subject] in one
                assert story.words[verb] in (singular if is_one else plural), story.text
                between = story.words[verb - 1]
                attracted += between in {noun.plural for noun in NOUNS} and is_one
    assert attracted > 10


def test_a_pronoun_stands_for_a_noun_before_it_of_its_own_kind() -> None:
    beasts = {noun.singular for noun in BEASTS}
    seen = 0
    for story in stories(300, seed=9, held_out=False):
        for kind, pronoun, noun in story.links:
            if kind == ANTECEDENT:
                assert noun < pronoun
                if story.words[pronoun].lower() == "it":
                    assert story.words[noun] in beasts
                    seen += 1
    assert seen > 50


def test_there_are_tens_of_thousands_of_distinct_sentences() -> None:
    told = stories(20_000, seed=1, held_out=False)
    assert len({part for story in told for part in story.text.split(". ")}) > 20_000


def test_every_word_of_the_language_is_one_token(bundled: LoadedModel) -> None:
    for story in HELD_OUT:
        assert bundled.tokens(story.text) == story.words
        assert bundled.text(bundled.token_ids(story.text)[0]) == story.text


def test_any_other_text_can_be_read_and_written_too(bundled: LoadedModel) -> None:
    text = "Zebras, in 1999, wore (odd) hats!"
    assert bundled.text(bundled.token_ids(text)[0]) == text


def test_a_list_told_twice_gives_places_to_copy_from() -> None:
    story = Story()
    story.say("Ida heard bell fox map .", "Ida said bell fox map .")
    found = set(places(story))
    assert ("earlier copy", 8, 2) in found  # the second bell, the first bell
    assert ("induction", 8, 3) in found  # the second bell, the fox after the first
    assert ("previous token", 3, 2) in found
    assert ("previous token", 9, 8) not in found


def test_a_verb_right_after_its_subject_is_no_case() -> None:
    story = Story()
    story.say("The cat near the dogs sleeps .")
    story.link(SUBJECT, 5, 1)
    story.link(SUBJECT, 2, 1)
    assert [place for place in places(story) if place[0] == "verb to subject"] == [
        ("verb to subject", 5, 1)
    ]


def test_a_bigram_baseline_is_a_probability() -> None:
    bigram = Bigram([[1, 2, 1, 3], [1, 2, 2]], vocabulary_size=5)
    for first in range(5):
        assert sum(bigram.probability(first, second) for second in range(5)) == pytest.approx(1)
    assert bigram.probability(1, 2) > bigram.probability(1, 3) > bigram.probability(1, 4)


def test_the_bundled_model_is_far_better_than_bigrams(bundled: LoadedModel) -> None:
    trained = list(stories(5000, seed=1, held_out=False))
    end = bundled.model.config.eos_token_id
    rows = [
        [[*bundled.token_ids(story.text)[0].tolist(), end] for story in told]
        for told in (trained, HELD_OUT)
    ]
    baseline = Bigram(rows[0], bundled.model.config.vocab_size).perplexity(rows[1])
    assert perplexity(bundled, HELD_OUT) < baseline / 3


def test_the_named_heads_bear_their_names_on_other_stories(
    bundled: LoadedModel, repository_root: Path
) -> None:
    figures = json.loads(
        (repository_root / "cache" / "models" / "bundled" / "figures.json").read_text()
    )
    named = {(f["role"], f["layer"], f["head"]): f["score"] for f in figures["heads"] if f["named"]}
    assert {"induction", "verb to subject", "pronoun to noun"} <= {role for role, *_ in named}
    for score in head_scores(bundled, list(stories(150, seed=78, held_out=True))):
        claimed = named.get((score.role, score.layer, score.head))
        if claimed is not None:
            assert score.score == pytest.approx(claimed, abs=0.15), score


def test_queries_come_without_a_bias(bundled: LoadedModel) -> None:
    for block in bundled.model.transformer.h:
        assert block.attn.c_attn.bias.abs().max() == 0


@pytest.mark.slow
def test_an_interrupted_training_ends_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    sizes = {"steps": 12, "stories_told": 300}
    whole = training.train(tmp_path / "whole", **sizes)
    training.train(tmp_path / "stopped", **sizes, stop_after=5)
    resumed = training.train(tmp_path / "stopped", **sizes)
    for name, parameter in whole.named_parameters():
        assert torch.equal(parameter, resumed.get_parameter(name)), name
    assert not [*tmp_path.rglob("*.pt"), *tmp_path.rglob("*.bin")]


@pytest.mark.slow
def test_a_trained_model_is_published_as_the_course_loads_it(tmp_path: Path) -> None:
    model = training.train(tmp_path / "run", steps=2, stories_told=200)
    training.publish(model, tmp_path / "run", tmp_path / "model")
    loaded = load_mini_transformer(tmp_path / "model")
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, loaded.model.get_parameter(name)), name


def test_a_batch_is_a_function_of_its_step() -> None:
    told = [story.text for story in stories(200, seed=1, held_out=False)]
    rows = training.pack(told, train_tokenizer(told), 64)
    assert rows.shape[1] == 64
    assert torch.equal(training.batch_at(3, rows, 1), training.batch_at(3, rows, 1))
    assert not torch.equal(training.batch_at(3, rows, 1), training.batch_at(4, rows, 1))
