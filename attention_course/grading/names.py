"""Which names a cell binds and reads, and which of its imports are the student's modules."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

STUDENT_IMPORT = "__student_import__"
LARGEST_CELL = 100_000  # characters; nobody writes more by hand, and parsers take their time


@dataclass(frozen=True)
class CellNames:
    """``binds`` and ``reads`` at the level of the notebook; ``imports`` of the bound ones.

    ``certain`` is False where the cell could not be analysed (a syntax error, ``import *``).
    """

    binds: frozenset[str]
    reads: frozenset[str]
    imports: frozenset[str] = frozenset()
    certain: bool = True


def plain_python(source: str) -> str:
    """The cell with IPython's magics rewritten as calls."""
    from IPython.core.inputtransformer2 import TransformerManager

    return str(TransformerManager().transform_cell(source))


@cache
def names_of(source: str) -> CellNames:
    """Analyse one cell."""
    unknown = CellNames(frozenset(), frozenset(), certain=False)
    if len(source) > LARGEST_CELL:
        return unknown
    try:
        text = plain_python(source)
        tree = ast.parse(text)
        table = symtable.symtable(text, "<cell>", "exec")
    except Exception:  # whatever a student's text does to IPython's and Python's own parsers
        return unknown
    binds = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    reads = _global_reads(table)
    imports = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if alias.name == "*":
                    return CellNames(frozenset(binds), frozenset(reads), certain=False)
                imports.add((alias.asname or alias.name).split(".")[0])
    known = set(dir(builtins))
    return CellNames(frozenset(binds), frozenset(reads - known), frozenset(imports & binds))


def _global_reads(table: symtable.SymbolTable) -> set[str]:
    top = table.get_type() == "module"
    found = {
        s.get_name() for s in table.get_symbols() if s.is_referenced() and (top or s.is_global())
    }
    for child in table.get_children():
        found |= _global_reads(child)
    return found


class _StudentImports(ast.NodeTransformer):
    def __init__(self, is_ours: Callable[[str], bool]) -> None:
        self.is_ours = is_ours

    def _assign(self, target: str, module: str, name: str | None) -> ast.stmt:
        call = ast.Call(
            ast.Name(STUDENT_IMPORT, ast.Load()), [ast.Constant(module), ast.Constant(name)], []
        )
        return ast.Assign([ast.Name(target, ast.Store())], call)

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for alias in node.names:
            root = alias.name.split(".")[0]
            if self.is_ours(root):
                made.append(ast.Import([alias]))
            else:
                made.append(
                    self._assign(alias.asname or root, alias.name if alias.asname else root, None)
                )
        return [ast.copy_location(statement, node) for statement in made]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt | list[ast.stmt]:
        module = node.module or ""
        if node.level or self.is_ours(module.split(".")[0]):
            return node
        return [
            ast.copy_location(self._assign(alias.asname or alias.name, module, alias.name), node)
            for alias in node.names
            if alias.name != "*"
        ]


def with_student_imports(tree: ast.Module, is_ours: Callable[[str], bool]) -> ast.Module:
    """Turn imports of the student's own modules into questions to the student's process.

    ``is_ours`` says whether the grader itself can import a top-level module; the student's
    copy of such a module is never asked for, so a file ``torch.py`` changes no test.
    """
    return ast.fix_missing_locations(_StudentImports(is_ours).visit(tree))
