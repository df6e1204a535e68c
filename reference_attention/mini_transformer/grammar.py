"""A grammar of simple English that writes short stories and says what refers to what.

Every story is made here from words of :mod:`lexicon`; no text of anybody else is used.
Because the grammar knows which word is whose subject and which noun a pronoun stands for,
the claims about the model's heads can be measured instead of being eyeballed.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from . import lexicon as words_of
from .lexicon import BEASTS, COLOURS, NAMES, PEOPLE, THINGS, Noun

SUBJECT = "subject"  # from a verb to the noun that it agrees with
ANTECEDENT = "antecedent"  # from a pronoun to the noun or name that it stands for
HELD_OUT_SHARE = 50  # one story in so many is never trained on


@dataclass(slots=True)
class Story:
    """Words in order (punctuation marks are words too) and the links between them."""

    words: list[str] = field(default_factory=list)
    links: list[tuple[str, int, int]] = field(default_factory=list)  # kind, from word, to word

    def say(self, *words: str) -> int:
        """Append the words of one or more strings; the position of the first is returned."""
        start = len(self.words)
        for text in words:
            self.words.extend(text.split())
        return start

    def link(self, kind: str, source: int, target: int) -> None:
        self.links.append((kind, source, target))

    def begin(self) -> int:
        return len(self.words)

    def capitalise(self, position: int) -> None:
        word = self.words[position]
        self.words[position] = word[0].upper() + word[1:]

    @property
    def text(self) -> str:
        text = ""
        for word in self.words:
            text += word if word in ".," else f" {word}"
        return text.strip()

    @property
    def is_held_out(self) -> bool:
        """Decided by the text itself, so that no story is ever on both sides."""
        return zlib.crc32(self.text.encode()) % HELD_OUT_SHARE == 0


@dataclass(frozen=True, slots=True)
class Someone:
    """Whom the story is about: where it was last named, and how to go on about it."""

    noun: Noun
    position: int
    plural: bool = False

    @property
    def pronoun(self) -> str:
        return "they" if self.plural else self.noun.pronoun

    @property
    def was(self) -> str:
        return "were" if self.plural else "was"


def _name(rng: random.Random, *, but: tuple[str, ...] = ()) -> tuple[str, str]:
    """A name that is not among ``but``, with its pronoun."""
    pronoun = rng.choice(("she", "he"))
    return rng.choice([name for name in NAMES[pronoun] if name not in but]), pronoun


def _introduce(story: Story, rng: random.Random) -> Someone:
    noun = rng.choice(BEASTS) if rng.random() < 0.75 else rng.choice(PEOPLE)
    plural = rng.random() < 0.3
    start = story.say("The", noun.plural if plural else noun.singular)
    return Someone(noun, start + 1, plural)


def _pronoun(story: Story, someone: Someone, *, capital: bool = True) -> int:
    position = story.say(someone.pronoun)
    story.link(ANTECEDENT, position, someone.position)
    if capital:
        story.capitalise(position)
    return position


def _what_of_it(story: Story, rng: random.Random, someone: Someone, subject: int) -> None:
    """How it felt, or what it did: either way the noun behind the pronoun decides."""
    if rng.random() < 0.5:
        verb = story.say(rng.choice(someone.noun.acts))
    else:
        verb = story.say(someone.was)
        story.say(rng.choice(someone.noun.feelings))
    story.link(SUBJECT, verb, subject)


def rest(story: Story, rng: random.Random) -> None:
    """The cat sat on the mat because it was tired. Then it purred."""
    someone = _introduce(story, rng)
    verb = story.say(rng.choice(words_of.RESTED))
    story.link(SUBJECT, verb, someone.position)
    story.say(rng.choice(someone.noun.places))
    if rng.random() < 0.6:
        story.say("because")
        subject = _pronoun(story, someone, capital=False)
        verb = story.say(someone.was)
        story.link(SUBJECT, verb, subject)
        story.say(rng.choice(someone.noun.feelings))
    story.say(".")
    if rng.random() < 0.6:
        story.say(rng.choice(("Then", "Later")))
        subject = _pronoun(story, someone, capital=False)
        if rng.random() < 0.5:
            verb = story.say("ate")
            story.link(SUBJECT, verb, subject)
            story.say("the", rng.choice(someone.noun.foods), ".")
        else:
            _what_of_it(story, rng, someone, subject)
            story.say(".")


def agree(story: Story, rng: random.Random) -> None:
    """The cats near the dog chase the mouse. They stretched."""
    someone = _introduce(story, rng)
    if rng.random() < 0.7:
        other = rng.choice(BEASTS + PEOPLE)
        shown = rng.choice((other.singular, other.plural))
        story.say(rng.choice(words_of.NEAR), "the", shown)
    form = int(someone.plural)
    kinds = ("rest", "eat", "chase") if someone.noun.chases else ("rest", "eat")
    kind = rng.choice(kinds)
    if kind == "chase":
        verb = story.say(rng.choice(words_of.CHASE)[form])
        story.say("the", rng.choice(someone.noun.chases))
    elif kind == "eat":
        verb = story.say(rng.choice(words_of.EAT)[form])
        story.say("the", rng.choice(someone.noun.foods))
    else:
        verb = story.say(rng.choice(words_of.REST)[form])
        story.say(rng.choice(someone.noun.places))
    story.link(SUBJECT, verb, someone.position)
    story.say(".")
    if rng.random() < 0.5:
        subject = _pronoun(story, someone)
        _what_of_it(story, rng, someone, subject)
        story.say(".")


def met(story: Story, rng: random.Random) -> None:
    """Rosa met the dog in the park. It was muddy. She was kind: two pronouns, two nouns."""
    name, pronoun = _name(rng)
    person = rng.choice([noun for noun in PEOPLE if noun.pronoun == pronoun])
    beast = rng.choice(BEASTS)
    start = story.say(name, rng.choice(("met", "saw", "fed", "called")), "the", beast.singular)
    story.link(SUBJECT, start + 1, start)
    story.say(rng.choice(beast.places), ".")
    whom = [Someone(beast, start + 3), Someone(person, start)]
    rng.shuffle(whom)
    for someone in whom[: rng.choice((1, 2, 2))]:
        subject = _pronoun(story, someone)
        if someone.noun is beast:
            _what_of_it(story, rng, someone, subject)
        else:
            verb = story.say(rng.choice(("stroked", "thanked", "followed")))
            story.link(SUBJECT, verb, subject)
            story.say("the", beast.singular)
        story.say(".")


def belongings(story: Story, rng: random.Random) -> None:
    """Tom found a red key and Ana found a ball. Ana lost the ball and Tom hid the red key."""
    owners: list[str] = []
    things: list[str] = []
    for number in range(rng.choice((2, 2, 3))):
        name, _ = _name(rng, but=tuple(owners))
        thing = rng.choice([thing for thing in THINGS if thing not in " ".join(things)])
        if rng.random() < 0.5:
            thing = f"{rng.choice(COLOURS)} {thing}"
        owners.append(name)
        things.append(thing)
        if number:
            story.say("and")
        subject = story.say(name)
        verb = story.say(rng.choice(words_of.FOUND))
        story.link(SUBJECT, verb, subject)
        story.say(_with_article(thing))
    story.say(".")
    order = list(range(len(owners)))
    rng.shuffle(order)
    for number, which in enumerate(order):
        if number:
            story.say("and")
        subject = story.say(owners[which])
        verb = story.say(rng.choice(words_of.LOST))
        story.link(SUBJECT, verb, subject)
        story.say("the", things[which])
    story.say(".")


def gift(story: Story, rng: random.Random) -> None:
    """Rosa gave Leo a cup. Leo thanked Rosa. He kept the cup."""
    giver, _ = _name(rng)
    taker, pronoun = _name(rng, but=(giver,))
    thing = rng.choice(THINGS)
    start = story.say(giver, rng.choice(words_of.HANDED), taker, _with_article(thing), ".")
    story.link(SUBJECT, start + 1, start)
    subject = story.say(taker)
    verb = story.say("thanked")
    story.link(SUBJECT, verb, subject)
    story.say(giver, ".")
    person = next(noun for noun in PEOPLE if noun.pronoun == pronoun)
    subject = _pronoun(story, Someone(person, start + 2))
    verb = story.say(rng.choice(words_of.LOST))
    story.link(SUBJECT, verb, subject)
    story.say("the", thing, ".")


def chant(story: Story, rng: random.Random) -> None:
    """Ida heard bell Tom fox. Ida said bell Tom fox: what is said copies what was heard."""
    name, _ = _name(rng)
    pool = [*THINGS, *(beast.singular for beast in BEASTS), *NAMES["she"], *NAMES["he"], *COLOURS]
    listed = rng.sample(pool, rng.randint(4, 12))
    for verb in ("heard", "said"):
        start = story.say(name, verb, *listed, ".")
        story.link(SUBJECT, start + 1, start)


def _with_article(thing: str) -> str:
    return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


SCENES: tuple[tuple[Callable[[Story, random.Random], None], int], ...] = (
    (rest, 4),
    (agree, 4),
    (met, 2),
    (belongings, 3),
    (gift, 2),
    (chant, 4),
)


def tell(rng: random.Random) -> Story:
    """One story of one to three scenes."""
    story = Story()
    scenes, shares = zip(*SCENES, strict=True)
    for scene in rng.choices(scenes, shares, k=rng.choice((1, 2, 2, 3))):
        scene(story, rng)
    return story


def stories(count: int, *, seed: int, held_out: bool) -> Iterator[Story]:
    """``count`` stories of one side of the split; the same seed gives the same stories."""
    rng = random.Random(seed)
    told = 0
    while told < count:
        story = tell(rng)
        if story.is_held_out is held_out:
            told += 1
            yield story
