"""What the tests of the views share: the prompt's numbers, and HTML read back as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest
import torch

TOKENS = ["The", "cat", "sat", "on", "the", "mat"]


@dataclass
class ReadBack(HTMLParser):
    """The tags of a piece of HTML with their attributes, its text, and its tables."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        inside = self._inside[-1:]
        if inside == ["script"]:
            self.scripts[-1] += data
        elif inside != ["style"]:
            self.texts.append(data)
        if inside and inside[0] in ("td", "th"):
            self.tables[-1][-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(self.texts)


@pytest.fixture(scope="session")
def tokens() -> list[str]:
    return list(TOKENS)


@pytest.fixture
def projections() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(3)
    queries, keys, values = torch.randn(3, 6, 64, generator=draw)
    return queries, keys, values


@pytest.fixture
def weights(projections: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """[1, 6, 6], as section 6 of the lesson makes them."""
    queries, keys, _ = projections
    return torch.softmax(queries @ keys.T / 8, dim=-1).unsqueeze(0)


@pytest.fixture(scope="session")
def read_back() -> Callable[[str], ReadBack]:
    def read(html: str) -> ReadBack:
        reader = ReadBack()
        reader.feed(html)
        reader.close()
        return reader

    return read
