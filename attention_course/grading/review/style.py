"""The rules of the computed part of the review: what is looked for, and what it costs.

One place for whoever wants other weights. An answer begins with 1 and loses ``cost`` for each
finding of a rule, at most ``most`` for all findings of that rule. A right approach that is
merely another one costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """``ruff`` are the codes of ruff that count as this rule; without any, we look ourselves."""

    name: str
    cost: float
    most: float
    message: str
    ruff: tuple[str, ...] = ()


RULES = (
    Rule("unfinished", 1.0, 1.0, "nothing was written here yet"),
    Rule("unreadable", 1.0, 1.0, "Python cannot read this: {what}"),
    Rule(
        "magic number",
        0.25,
        0.5,
        "the number {what} is right for one size only; take sizes off the inputs' shapes",
    ),
    Rule(
        "left unused",
        0.15,
        0.3,
        "{what} is never used; leave it out",
        ("F401", "F811", "F841", "B007", "B018", "PIE790"),
    ),
    Rule(
        "code in comments",
        0.15,
        0.15,
        "a line of code was left here as a comment; leave it out",
        ("ERA001",),
    ),
    Rule("left-over print", 0.1, 0.2, "a print was left in the answer", ("T201", "T203")),
    Rule(
        "unclear name",
        0.1,
        0.3,
        "the name {what} does not say what it holds",
        ("E741",),
    ),
    Rule(
        "several statements on a line",
        0.1,
        0.2,
        "one statement on a line is easier to follow",
        ("E701", "E702", "E703"),
    ),
    Rule(
        "catches everything",
        0.15,
        0.15,
        "this hides every error, your own slips included",
        ("E722", "BLE001", "S110"),
    ),
    Rule(
        "roundabout comparison",
        0.05,
        0.1,
        "this comparison can be said more directly",
        ("E711", "E712", "E721", "F632"),
    ),
    Rule("shared default", 0.1, 0.1, "this default value is shared by all calls", ("B006",)),
    Rule("tangled", 0.15, 0.15, "many branches in one function; give the parts names", ("C901",)),
    Rule(
        "entry by entry",
        0.1,
        0.1,
        "this goes through single entries; one tensor operation says the same in a line",
    ),
    Rule(
        "no shapes",
        0.1,
        0.1,
        "no docstring or comment says the shapes that go in and come out",
    ),
    Rule("very long", 0.1, 0.1, "{what} statements for this exercise; look for a shorter way"),
    Rule(
        "copied",
        0.15,
        0.15,
        "the same lines stand in {what}; call one function from both places",
    ),
)
BY_NAME = {rule.name: rule for rule in RULES}
BY_CODE = {code: rule for rule in RULES for code in rule.ruff}

# Names that everybody uses in formulas, beside those of the exercise itself.
USUAL = frozenset(
    [
        "b",
        "d",
        "e",
        "h",
        "i",
        "j",
        "k",
        "m",
        "n",
        "q",
        "s",
        "t",
        "v",
        "w",
        "x",
        "y",
        "z",
        "_",
        "B",
        "D",
        "F",
        "H",
        "K",
        "N",
        "Q",
        "T",
        "V",
        "W",
    ]
)
EMPTY_WORDS = frozenset(
    [
        "tmp",
        "temp",
        "foo",
        "bar",
        "baz",
        "asdf",
        "thing",
        "stuff",
        "blah",
        "var",
        "val",
        "res",
        "ret",
        "obj",
        "data",
        "lol",
        "xxx",
        "yyy",
        "zzz",
    ]
)
USUAL_NUMBERS = frozenset({-3, -2, -1, 0, 1, 2, 3, 0.5, -0.5, 0.25, -0.25})
MOST_COMPLEX = 10  # ruff's C901
MOST_STATEMENTS = 40
COPIED_STATEMENTS = 4
