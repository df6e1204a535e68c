"""The computed part of the review: what a machine can tell about how an answer is written.

Deterministic, and explained line by line. ruff reads the answers, and what it does not know we
read off the syntax tree ourselves. Nothing of a student's is run.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from attention_course.grading.review import linter
from attention_course.grading.review.style import (
    BY_CODE,
    BY_NAME,
    COPIED_STATEMENTS,
    EMPTY_WORDS,
    MOST_STATEMENTS,
    USUAL,
    USUAL_NUMBERS,
)

LARGEST = 60_000  # characters of an answer that are read
NUMBERED = re.compile(r"[A-Za-z_]+?_?\d+$")
# A shape, as in [batch, n_queries, d_k]. Two patterns with nothing to go back over: students
# choose the text that these read.
BRACKETS = re.compile(r"\[([^\[\]\n]*)\]")
DIMENSIONS = re.compile(r"\.\.\.|\bn|\bd_\w|\w,", re.I)
SHAPES = re.compile(r"\bshapes?\b", re.I)
DEEPEST = 200  # levels of a syntax tree; what is deeper can stop those who read it
TOO_DEEP = f"this is nested more than {DEEPEST} levels deep; say it in steps"
INCOMPLETE = "incomplete"  # our fault, not the student's: a rule that could not be applied
QUOTED = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found: in which answer, on which of its lines, and what it costs."""

    exercise: str
    line: int
    rule: str
    message: str
    cost: float


@dataclass(frozen=True, slots=True)
class MechanicalReport:
    """``score`` between 0 and 1, the mean over all exercises; ``findings`` in reading order."""

    score: float
    findings: tuple[Finding, ...]

    def of(self, exercise: str) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.exercise == exercise)


Ahead = Callable[[], Iterable[str]]
"""Gives answers that will be read soon, each once: one run of ruff then reads them all."""


def nothing_ahead() -> Iterable[str]:
    return ()


def mechanical_findings(
    answers: Mapping[str, str], reference: Mapping[str, str], ahead: Ahead = nothing_ahead
) -> MechanicalReport:
    """Read the ``answers`` (exercise to source as handed in) against the rules of style.py.

    An exercise of ``reference`` that is missing in ``answers`` counts as unfinished; names and
    numbers that the reference uses are nobody's fault. ``ahead`` changes no finding.
    """
    trees: dict[str, Nodes] = {}
    texts: dict[str, str] = {}
    found: list[Finding] = []
    for exercise in _in_order(answers, reference):
        text = plain_text(answers.get(exercise, ""))
        try:
            nodes = _nodes(text)
        except _TooDeep:
            found.append(replace(_finding("unreadable", exercise, 1), message=TOO_DEEP))
            continue
        except UNREADABLE as error:
            line = getattr(error, "lineno", None) or 1
            what = getattr(error, "msg", None) or type(error).__name__
            found.append(_finding("unreadable", exercise, line, what=str(what)))
            continue
        if _is_unfinished(nodes):
            found.append(_finding("unfinished", exercise, 1))
            continue
        trees[exercise], texts[exercise] = nodes, text
        found += _read(exercise, text, nodes, _known(reference.get(exercise, "")))
    found += _ruff(texts, reference, ahead)
    found += _copied(trees, reference)
    lacking = [finding for finding in found if finding.rule == INCOMPLETE]
    found = [finding for finding in found if finding.rule != INCOMPLETE]
    findings = lacking + _limited(
        sorted(set(found), key=lambda f: (f.exercise, f.line, f.rule, f.message))
    )
    names = _in_order(answers, reference)
    lost = {name: sum(f.cost for f in findings if f.exercise == name) for name in names}
    scores = [max(0.0, 1.0 - lost[name]) for name in names]
    score = round(sum(scores) / len(scores), 4) if scores else 0.0
    order = {name: place for place, name in enumerate(names)}
    findings.sort(key=lambda f: (order[f.exercise], f.line, f.rule, f.message))
    return MechanicalReport(score, tuple(findings))


def plain_text(source: str) -> str:
    """The answer as Python reads it: magics and commands leave empty lines behind."""
    lines = source[:LARGEST].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join("" if line.lstrip()[:1] in ("%", "!") else line for line in lines)


def _in_order(answers: Mapping[str, str], reference: Mapping[str, str]) -> list[str]:
    return [*reference, *(name for name in answers if name not in reference)]


def _finding(rule: str, exercise: str, line: int, what: str = "") -> Finding:
    known = BY_NAME[rule]
    return Finding(exercise, line, rule, known.message.format(what=what), known.cost)


def _limited(findings: Iterable[Finding]) -> list[Finding]:
    """Findings beyond a rule's most cost nothing, but are still said."""
    spent: dict[tuple[str, str], float] = {}
    kept = []
    for finding in findings:
        key = finding.exercise, finding.rule
        left = round(BY_NAME[finding.rule].most - spent.get(key, 0.0), 4)
        cost = max(0.0, min(finding.cost, left))
        spent[key] = spent.get(key, 0.0) + cost
        kept.append(Finding(finding.exercise, finding.line, finding.rule, finding.message, cost))
    return kept


# -- what the syntax tree says --------------------------------------------------------------


Nodes = Sequence[ast.AST]
"""A syntax tree as ast.walk goes through it, the module first: walked once, read often."""
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


class _TooDeep(Exception):
    """The syntax tree has more than DEEPEST levels."""


def _nodes(text: str) -> Nodes:
    """Raises _TooDeep and UNREADABLE."""
    found: list[ast.AST] = []
    level: list[ast.AST] = [ast.parse(text)]
    for _ in range(DEEPEST):
        found += level
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return found
    raise _TooDeep


def _is_unfinished(nodes: Nodes) -> bool:
    """Whether the answer is empty, or a part of it always raises NotImplementedError.

    Under a condition such a raise may be part of an answer.
    """
    for node in nodes:
        always = isinstance(node, ast.FunctionDef | ast.Module | ast.With)
        if always and any(_is_the_stub(statement) for statement in node.body):  # type: ignore[attr-defined]
            return True
    bodies = [n.body for n in nodes if isinstance(n, ast.FunctionDef)]
    bodies = bodies or [nodes[0].body]  # type: ignore[attr-defined]
    return all(all(_says_nothing(statement) for statement in body) for body in bodies)


def _is_the_stub(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Raise) and "NotImplementedError" in ast.dump(statement)


def _says_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What the reference's answer to an exercise has, which is nobody's fault."""

    names: frozenset[str]
    numbers: frozenset[complex]
    statements: int
    runs: frozenset[tuple[str, ...]]


@lru_cache(maxsize=64)
def _known(reference: str) -> _Known:
    try:
        nodes = _nodes(plain_text(reference))
    except (_TooDeep, *UNREADABLE):
        nodes = [ast.Module([], [])]
    return _Known(
        frozenset(name for node in nodes for name, _ in _bound(node)),
        frozenset(n.value for n in nodes if _is_number(n)),  # type: ignore[attr-defined]
        _statements(nodes),
        frozenset(run for run, _ in _runs(nodes)),
    )


def _statements(nodes: Nodes) -> int:
    return sum(isinstance(n, ast.stmt) for n in nodes)


def _read(exercise: str, text: str, nodes: Nodes, known: _Known) -> Iterator[Finding]:
    yield from _numbers(exercise, nodes, known)
    yield from _names(exercise, nodes, known)
    for node in nodes:
        if _goes_through_entries(node):
            yield _finding("entry by entry", exercise, node.lineno)  # type: ignore[attr-defined]
            break
    statements = _statements(nodes)
    if statements > MOST_STATEMENTS + known.statements:
        yield _finding("very long", exercise, 1, what=str(statements))
    defined = [n for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    if defined and not any(_has_a_shape(said) for said in _said(text, nodes)):
        yield _finding("no shapes", exercise, defined[0].lineno)


def _numbers(exercise: str, nodes: Nodes, known: _Known) -> Iterator[Finding]:
    seen = set()
    for node in nodes:
        if not _is_number(node):
            continue
        value = node.value  # type: ignore[attr-defined]
        tiny = isinstance(value, float) and 0 < abs(value) < 1e-3
        fine = value in known.numbers or value in USUAL_NUMBERS or tiny or abs(value) >= 1e4
        if fine or (value, node.lineno) in seen:  # type: ignore[attr-defined]
            continue
        seen.add((value, node.lineno))  # type: ignore[attr-defined]
        yield _finding("magic number", exercise, node.lineno, what=f"{value:g}")  # type: ignore[attr-defined]


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _names(exercise: str, nodes: Nodes, known: _Known) -> Iterator[Finding]:
    seen: set[str] = set()
    for node in nodes:
        for name, line in _bound(node):
            if name in known.names or name in USUAL or name in seen:
                continue
            seen.add(name)
            word = name.strip("_").lower()
            empty = word in EMPTY_WORDS or (len(word) == 1 and name not in USUAL)
            if empty or (NUMBERED.fullmatch(name) and len(word) <= 6):
                yield _finding("unclear name", exercise, line, what=f"`{name[:40]}`")


def _bound(node: ast.AST) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id, node.lineno
    elif isinstance(node, ast.arg):
        yield node.arg, node.lineno
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name, node.lineno
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield node.attr, node.lineno


def _goes_through_entries(node: ast.AST) -> bool:
    """A loop in a loop, both over numbers, with something indexed by them inside."""
    if not isinstance(node, ast.For | ast.ListComp):
        return False
    loops = [n for n in ast.walk(node) if isinstance(n, ast.For | ast.comprehension)]
    counted = [n for n in loops if _counts(n.iter)]
    return len(counted) >= 2 and any(isinstance(n, ast.Subscript) for n in ast.walk(node))


def _counts(iterated: ast.expr) -> bool:
    call = iterated.func if isinstance(iterated, ast.Call) else None
    return isinstance(call, ast.Name) and call.id in ("range", "enumerate")


def _has_a_shape(said: str) -> bool:
    inside = (found.group(1) for found in BRACKETS.finditer(said))
    return bool(SHAPES.search(said)) or any(DIMENSIONS.search(text) for text in inside)


def _said(text: str, nodes: Nodes) -> Iterator[str]:
    """What docstrings and comments say."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            yield ast.get_docstring(node, clean=False) or ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.string
    except (tokenize.TokenError, SyntaxError):
        return


# -- what stands in two answers -------------------------------------------------------------


def _copied(trees: Mapping[str, Nodes], reference: Mapping[str, str]) -> Iterator[Finding]:
    fine = frozenset[tuple[str, ...]]().union(*(_known(r).runs for r in reference.values()))
    first: dict[tuple[str, ...], str] = {}
    for exercise, nodes in trees.items():
        for run, line in _runs(nodes):
            other = first.setdefault(run, exercise)
            if other != exercise and run not in fine:
                yield _finding("copied", exercise, line, what=f"`{other}`")
                break


def _runs(nodes: Nodes) -> Iterator[tuple[tuple[str, ...], int]]:
    for node in nodes:
        for field in ("body", "orelse"):
            body = getattr(node, field, None)
            if not isinstance(body, list):
                continue
            said = [s for s in body if isinstance(s, ast.stmt) and not _says_nothing(s)]
            if len(said) < COPIED_STATEMENTS:
                continue
            dumped = [ast.dump(s) for s in said]
            for at in range(len(said) - COPIED_STATEMENTS + 1):
                yield tuple(dumped[at : at + COPIED_STATEMENTS]), said[at].lineno


# -- what ruff says -------------------------------------------------------------------------


def _ruff(texts: Mapping[str, str], reference: Mapping[str, str], ahead: Ahead) -> list[Finding]:
    """ruff's findings; one run for all answers that it has not read before."""
    new = {text for text in texts.values() if text not in linter.said}
    if new:
        more = {text for text in map(plain_text, ahead()) if text not in linter.said}
        more = {text for text in more - new if _can_be_read(text)}
        # What comes later is nothing to this answer: where it stops ruff, this is read alone.
        if not more or linter.run(sorted(new | more)) is not None:
            why = linter.run(sorted(new))
            if why is not None:
                return [_not_run(texts, why)]
    found = []
    for exercise, text in texts.items():
        items = (_from_ruff(item, exercise, reference) for item in linter.said[text])
        found += [finding for finding in items if finding is not None]
    linter.forget()
    return found


def _can_be_read(text: str) -> bool:
    try:
        return bool(_nodes(text))
    except (_TooDeep, *UNREADABLE):
        return False


def _not_run(texts: Mapping[str, str], why: str) -> Finding:
    message = f"the program ruff {why}; the computed points may be too many"
    return Finding(next(iter(texts)), 1, INCOMPLETE, message, 0.0)


def _from_ruff(
    item: Mapping[str, object], exercise: str, reference: Mapping[str, str]
) -> Finding | None:
    rule = BY_CODE.get(str(item.get("code")))
    location = item.get("location")
    if rule is None or not isinstance(location, dict):
        return None
    quoted = QUOTED.search(str(item.get("message")))
    what = f"`{quoted.group(1)[:40]}`" if quoted else "this"
    if rule.name == "left-over print" and "print(" in reference.get(exercise, ""):
        return None  # here printing is the exercise
    return _finding(rule.name, exercise, int(location.get("row", 1)), what=what)
