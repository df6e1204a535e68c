"""What an attack is, and the list of them all: the panel's data, and its table's.

Each attack is one short entry in a file of its family. Most are source that a student hands in;
``@NAME@`` in it stands for a place or number of the test's own world.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Attack:
    """One hostile deed.

    ``goal`` says what it would gain, ``stopped_by`` what stops it, both for people to read.
    ``seen`` is a regular expression that the graded notebook's text must match: the trace of
    what stopped it. ``own`` says that its author may lose the mark of another exercise too.
    """

    name: str
    goal: str
    stopped_by: str
    code: str
    seen: str = ""
    own: bool = False
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """Attacks of one kind, with the sentence that introduces them in the table."""

    title: str
    about: str
    attacks: tuple[Attack, ...]

    def __iter__(self) -> Iterator[Attack]:
        return iter(self.attacks)

    def names(self) -> list[str]:
        return [attack.name for attack in self.attacks]

    def __getitem__(self, name: str) -> Attack:
        return next(attack for attack in self.attacks if attack.name == name)


def fill(code: str, places: dict[str, Any]) -> str:
    """``code`` with the world's places put in."""
    return re.sub(r"@([A-Z]+)@", lambda found: str(places[found[1]]), code)


def family(title: str, about: str, attacks: Iterable[Attack]) -> Family:
    made = Family(title, about, tuple(attacks))
    names = made.names()
    assert len(names) == len(set(names)), "two attacks of one name"
    return made
