"""What an exercise asks a student to write, and so does not accept ready-made.

The list is the instructor's, here and nowhere else. ``torch.softmax`` is welcome.
"""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import FrameType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

READY_MADE = (
    "reference_attention",
    "attention_course.panel",
    "attention_course.checks",
    "scaled_dot_product_attention",
    "multi_head_attention_forward",
    "MultiheadAttention",
    "TransformerEncoderLayer",
    "TransformerDecoderLayer",
    "flex_attention",
)


def ready_made_in(source: str) -> tuple[str, ...]:
    """The ready-made parts that a cell names, whatever they are imported as.

    A cell that is not Python has none.
    """
    return tuple(dict.fromkeys(name for read in _read(source) for name in read.listed))


def ready_made_for(answer_name: str, sources: Iterable[str]) -> tuple[str, ...]:
    """The ready-made parts that an answer leads to, through helpers and names of other cells.

    ``sources`` are the texts of the cells in the order in which they were run. What the cells
    name elsewhere, for a comparison say, does not count. For an answer whose calls cannot be
    watched because it runs in another process; a name that is put together at run time is not
    found.
    """
    bound: dict[str, list[Statement]] = {}
    for source in sources:
        for read in _read(source):
            for name in read.binds:
                # The last definition is the one that counts.
                bound[name] = [read]
            for name in read.extends:
                bound.setdefault(name, []).append(read)
    found: dict[str, None] = {}
    waiting, seen = [answer_name], {answer_name}
    while waiting:
        for read in bound.get(waiting.pop(), ()):
            found |= dict.fromkeys(read.listed)
            used = read.uses - seen
            seen |= used
            waiting += used
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Statement:
    """What one statement of a cell binds, writes into and uses, and what it names of the list."""

    binds: tuple[str, ...]
    extends: tuple[str, ...]
    uses: frozenset[str]
    listed: tuple[str, ...]


# Each exercise reads all cells that ran before it, and most of them are the instructor's, the
# same for the whole class: reading them anew was more than half of the time of a verdict.
@lru_cache(maxsize=128)
def _read(source: str) -> tuple[Statement, ...]:
    return tuple(
        Statement(
            tuple(_binds(node)),
            tuple(_extends(node)),
            frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name)),
            tuple(_listed(node)),
        )
        for node in _statements(source)
    )


def _statements(source: str) -> list[ast.stmt]:
    """A cell's statements, those inside ``if``, ``try`` and ``with`` too; magics left out."""
    lines = ["" if line.lstrip()[:1] in ("%", "!") else line for line in source.splitlines()]
    try:
        waiting: list[ast.stmt] = ast.parse("\n".join(lines)).body
    except (SyntaxError, ValueError, RecursionError):
        return []
    found = []
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While):
            inner = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.stmt)]
            inner += [n for h in getattr(node, "handlers", ()) for n in h.body]
            waiting = inner + waiting
        else:
            found.append(node)
    return found


def _binds(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
    nodes = [n for target in _targets(node) for n in ast.walk(target)]
    return [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]


def _extends(node: ast.stmt) -> list[str]:
    """The names that a statement writes into: ``AttentionHead.forward = ...``."""
    attributes = [t for t in _targets(node) if isinstance(t, ast.Attribute)]
    return [t.value.id for t in attributes if isinstance(t.value, ast.Name)]


def _targets(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []


def _listed(statement: ast.stmt) -> list[str]:
    found = []
    for node in ast.walk(statement):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{a.name}" for a in node.names)]
        elif isinstance(node, ast.Attribute):
            names = [node.attr]
        elif isinstance(node, ast.Name):
            names = [node.id]
        for name in names:
            for listed in READY_MADE:
                if name == listed or name.startswith(listed + ".") or name.endswith("." + listed):
                    found.append(listed)
    return found


class _WatchTorch(TorchFunctionMode):
    """Notes calls of the listed torch functions, under whatever name they are called."""

    def __init__(self, seen: dict[str, None]) -> None:
        super().__init__()
        self.seen = seen

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "").lstrip("_")
        if name in READY_MADE:
            self.seen[name] = None
        return func(*args, **(kwargs or {}))


_MODULES = tuple(
    name for name in READY_MADE if name.startswith(("reference_", "attention_course."))
)
# Our own functions run inside as well, to make the call; of them only the oracle is an answer.
_CHECKS = "attention_course.checks"
_INSIDE = tuple(name + "." for name in _MODULES)
_CLASSES = tuple(name for name in READY_MADE if name[0].isupper())


@contextlib.contextmanager
def watch() -> Iterator[dict[str, None]]:
    """Collects the ready-made parts that are called inside, by name."""
    seen: dict[str, None] = {}
    patched = [(getattr(torch.nn, name), name) for name in _CLASSES if hasattr(torch.nn, name)]

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        if event != "call":
            return
        # Every call comes by here, and nearly none is asked about: the quick questions first.
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_INSIDE) or module in _MODULES:
            for listed in _MODULES:
                ours = listed == _CHECKS and frame.f_code.co_name != "reference"
                if not ours and (module == listed or module.startswith(listed + ".")):
                    seen[listed] = None
        if frame.f_code.co_name == "forward":
            owner = frame.f_locals.get("self")
            for kind, name in patched:
                if type(owner) is kind:
                    seen[name] = None

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        with _WatchTorch(seen):
            yield seen
    finally:
        sys.setprofile(before)
