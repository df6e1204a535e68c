"""The document of attacks tells of the panel as it is."""

from __future__ import annotations

from pathlib import Path

from .table import FAMILIES, PAGE, page


def test_the_document_of_attacks_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "docs/attacks.md is out of date. Write it again: python -m tests.attacks.table"
    )


def test_there_are_more_attacks_than_were_asked_for_and_no_two_of_one_name() -> None:
    names = [(family.title, attack.name) for family in FAMILIES.values() for attack in family]
    assert len(names) == len(set(names)) >= 100


def test_every_family_is_run_by_the_file_that_the_document_names() -> None:
    for where in FAMILIES:
        assert (Path(__file__).parent / where.split()[0]).is_file()
