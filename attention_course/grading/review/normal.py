"""An answer in one normal layout, so that equal answers of a class are one question.

Layout and comments do not reach the judge, nor do docstrings that came with the exercise: they
are the instructor's. Names, strings, statements and their order stay as they are.
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from dataclasses import dataclass

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module


@dataclass(frozen=True, slots=True)
class NormalAnswer:
    """The text as the judge reads it; ``lines`` pairs its lines with the student's own."""

    text: str
    lines: tuple[tuple[int, int], ...]

    def own_line(self, line: int) -> int:
        """The student's line for a line of the text."""
        return self._across(line, 0, 1)

    def normal_line(self, line: int) -> int:
        """The line of the text for one of the student's."""
        return self._across(line, 1, 0)

    def _across(self, line: int, here: int, there: int) -> int:
        pairs = sorted((pair[here], pair[there]) for pair in self.lines)
        at = bisect_right(pairs, (line, 1 << 40)) - 1
        return pairs[max(at, 0)][1] if pairs else line


def normal(source: str, reference: str = "") -> NormalAnswer:
    """``source`` in normal layout; as it is where Python cannot read it."""
    try:
        tree = ast.parse(source)
        _drop_docstrings(tree, _docstrings(reference))
        text = ast.unparse(tree)
        again = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return NormalAnswer(source, ())
    pairs = dict[int, int]()
    for old, new in zip(ast.walk(tree), ast.walk(again), strict=False):
        if isinstance(old, ast.stmt) and isinstance(new, ast.stmt):
            pairs.setdefault(new.lineno, old.lineno)
    return NormalAnswer(text, tuple(sorted(pairs.items())))


def _docstrings(source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found = (ast.get_docstring(n) for n in ast.walk(tree) if isinstance(n, Documented))
    return {text for text in found if text}


def _drop_docstrings(tree: ast.Module, known: set[str]) -> None:
    for node in ast.walk(tree):
        if not isinstance(node, Documented) or len(node.body) < 2:
            continue
        if ast.get_docstring(node) in known:
            del node.body[0]
