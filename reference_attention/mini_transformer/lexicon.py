"""The words of the invented English that the mini-transformer is trained on.

A noun has habits of its own (what it eats, where it rests, how it feels and what it does). That
is what makes attention pay: after "it", only the noun that "it" stands for tells what comes next.
"""

# ruff: noqa: E501  (a table of words is easier to read with its rows unbroken)

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun with its plural, its pronoun and what tends to be said of it."""

    singular: str
    plural: str
    pronoun: str
    feelings: tuple[str, ...]
    acts: tuple[str, ...]
    foods: tuple[str, ...]
    places: tuple[str, ...]
    chases: tuple[str, ...]


# Each line: one, many | pronoun | feelings | acts | foods | places | whom it chases
_NOUNS = """
cat, cats | it | tired sleepy proud | purred stretched | fish cream | on the mat, on the sofa | mouse bird
dog, dogs | it | loyal hungry muddy | barked howled | meat bones | on the rug, at the gate | cat fox
bird, birds | it | cold small quick | sang flew | seeds worms | in the nest, on the roof | bee
mouse, mice | it | afraid tiny quick | squeaked trembled | cheese crumbs | under the bed, in the hole | bee
horse, horses | it | strong thirsty fast | galloped neighed | hay oats | in the stable, on the hill | dog
cow, cows | it | calm heavy slow | mooed chewed | grass hay | in the field, by the fence | dog
duck, ducks | it | wet cold happy | quacked swam | bread worms | by the pond, on the lake | frog
frog, frogs | it | green wet tiny | croaked jumped | flies bugs | in the pond, on the leaf | bee
rabbit, rabbits | it | shy soft fast | hopped dug | grass roots | in the hole, in the garden | hen
fox, foxes | it | clever hungry red | sneaked grinned | eggs meat | in the forest, by the river | hen rabbit
goat, goats | it | stubborn hungry old | climbed bleated | leaves oats | on the rock, on the hill | hen
pig, pigs | it | muddy happy round | grunted rolled | corn roots | in the mud, in the barn | hen
bear, bears | it | heavy sleepy strong | growled yawned | honey berries | in the cave, in the forest | fish
hen, hens | it | round busy loud | clucked pecked | corn seeds | in the barn, on the straw | frog
bee, bees | it | busy loud small | buzzed stung | honey pollen | on the flower, in the garden | bear
owl, owls | it | wise quiet old | hooted stared | mice bugs | in the tree, on the branch | mouse
girl, girls | she | curious glad | laughed danced | apples cake | on the swing, in the park |
boy, boys | he | bored glad | ran whistled | cake soup | on the floor, in the park |
woman, women | she | patient kind | worked smiled | bread cake | at the window, in the kitchen |
man, men | he | worried kind | coughed nodded | soup bread | on the bench, at the door |
queen, queens | she | proud angry | commanded waved | grapes pie | on the throne, in the tower |
king, kings | he | rich angry | ruled shouted | grapes meat | on the throne, in the castle |
nurse, nurses | she | patient tired | helped listened | rice pie | by the lamp, in the house |
sailor, sailors | he | brave tired | sailed rowed | rice fish | in the boat, by the sea |
"""


def _nouns() -> Iterator[Noun]:
    for line in _NOUNS.strip().splitlines():
        forms, pronoun, feelings, acts, foods, places, chases = map(str.strip, line.split("|"))
        singular, plural = forms.split(", ")
        yield Noun(
            singular,
            plural,
            pronoun,
            tuple(feelings.split()),
            tuple(acts.split()),
            tuple(foods.split()),
            tuple(places.split(", ")),
            tuple(chases.split()),
        )


NOUNS = tuple(_nouns())
BEASTS = tuple(noun for noun in NOUNS if noun.pronoun == "it")
PEOPLE = tuple(noun for noun in NOUNS if noun.pronoun != "it")

NAMES = {
    "she": ("Mia", "Ana", "Rosa", "Nora", "Lily", "Emma", "Zoe", "Ruth", "Ida", "Eva"),
    "he": ("Tom", "Ben", "Sam", "Max", "Leo", "Jack", "Paul", "Adam", "Carl", "Hugo"),
}

THINGS = (
    "ball", "box", "key", "book", "cup", "hat", "lamp", "coat", "stone", "kite",
    "drum", "bell", "ring", "letter", "coin", "basket", "mirror", "spoon", "candle", "map",
)  # fmt: skip
PLURAL_THINGS = {thing: thing + ("es" if thing.endswith("x") else "s") for thing in THINGS}
COLOURS = ("red", "blue", "green", "white", "black", "yellow", "old", "new", "small", "big")

# Past tense: the same form for one and for many.
RESTED = ("sat", "slept", "waited", "rested", "stayed")
FOUND = ("found", "bought", "made", "took")
LOST = ("lost", "hid", "sold", "kept", "dropped")
HANDED = ("gave", "sent", "showed", "brought")

# Present tense: (one, many); the form must agree with the subject, not with the nearest noun.
CHASE = (("chases", "chase"), ("follows", "follow"), ("watches", "watch"))
EAT = (("eats", "eat"), ("likes", "like"), ("wants", "want"))
REST = (("sleeps", "sleep"), ("sits", "sit"), ("waits", "wait"), ("rests", "rest"))
NEAR = ("near", "behind", "beside")
