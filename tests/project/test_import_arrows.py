"""DESIGN.md's arrows between rooms, read from the import statements themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

# A module path prefix (longest match wins) to the prefixes of ours that it may import.
EVERYTHING = ("attention_course", "reference_attention")
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "reference_attention": ("reference_attention",),
    "attention_course.verdict": (),
    "attention_course.exercise": (),
    "attention_course.progress": ("attention_course.verdict",),
    "attention_course.checks": (
        "attention_course.checks",
        "attention_course.exercise",
        "attention_course.verdict",
        "reference_attention",
    ),
    "attention_course.panel": (
        "attention_course.panel",
        "attention_course.checks",
        "attention_course.exercise",
        "attention_course.verdict",
        "reference_attention",
    ),
    "attention_course.views": ("attention_course.views",),
    "attention_course.comparisons": (
        "attention_course.views",
        "attention_course.comparisons",
        "reference_attention",
    ),
    "attention_course.live": (
        "attention_course.live",
        "attention_course.checks",
        "attention_course.exercise",
        "attention_course.progress",
        "attention_course.verdict",
        "attention_course.views",
        "reference_attention",
    ),
    "attention_course.lesson": (
        "attention_course.lesson",
        "attention_course.live",
        "attention_course.checks",
        "attention_course.exercise",
        "attention_course.progress",
        "attention_course.verdict",
        "attention_course.views",
        "reference_attention",
    ),
    # The lesson's own review asks the student's Ollama server, which only this room may.
    "attention_course.lesson.review_card": (
        "attention_course.lesson",
        "attention_course.grading.review",
        "attention_course.checks",
        "attention_course.progress",
        "attention_course.verdict",
        "reference_attention",
    ),
    "attention_course.grading.sandbox": (
        "attention_course.grading.sandbox",
        "attention_course.verdict",
    ),
}
# A library to the only modules of ours that may import it.
ONLY_IN: dict[str, tuple[str, ...]] = {
    "nbgrader": (
        "attention_course.grading.plugins",
        "attention_course.grading.steps",
        "attention_course.grading.released",
        "attention_course.grading.submission",
        "attention_course.grading.batch",
        "attention_course.grading.class_results",
        "attention_course.grading.collect",
        "attention_course.grading.export",
        "attention_course.grading.review.plugin",
        "attention_course.grading.review.gradebook",
        "attention_course.commands",
    ),
    "distributed": ("attention_course.grading.distributed",),
    "dask": ("attention_course.grading.distributed",),
    "ollama": ("attention_course.grading.review", "attention_course.commands.doctor"),
}


def modules(root: Path) -> Iterator[tuple[str, Path]]:
    for package in EVERYTHING:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imported_by(module: str, path: Path) -> set[str]:
    """Every module that a file names in an import statement, those inside functions included."""
    found = set()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join([*parents[: len(parents) - node.level + 1], *filter(None, [base])])
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return found


def within(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def rule_for(module: str) -> tuple[str, ...] | None:
    fitting = [prefix for prefix in MAY_IMPORT if within(module, (prefix,))]
    return MAY_IMPORT[max(fitting, key=len)] if fitting else None


def test_the_rooms_import_only_along_the_arrows(repository_root: Path) -> None:
    against = []
    for module, path in modules(repository_root):
        allowed = rule_for(module)
        if allowed is None:
            continue
        for name in imported_by(module, path):
            # `from attention_course import x` also names the bare package, which holds nothing.
            ours = within(name, EVERYTHING) and name != "attention_course"
            if ours and not within(name, allowed) and not _is_name_in(name, allowed):
                against.append(f"{module} imports {name}")
    assert against == []


def _is_name_in(name: str, allowed: tuple[str, ...]) -> bool:
    """Whether the name is a thing defined inside an allowed module rather than a module."""
    return within(name.rpartition(".")[0], allowed)


def test_only_the_rooms_meant_for_it_import_a_library(repository_root: Path) -> None:
    against = []
    for module, path in modules(repository_root):
        for name in imported_by(module, path):
            library = name.partition(".")[0]
            if library in ONLY_IN and not within(module, ONLY_IN[library]):
                against.append(f"{module} imports {name}")
    assert against == []


def test_views_and_checks_know_nothing_of_grading(repository_root: Path) -> None:
    for module, path in modules(repository_root):
        if within(module, ("attention_course.views", "attention_course.checks")):
            names = imported_by(module, path)
            assert not any(within(name, ("attention_course.grading",)) for name in names), module


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from ..grading import x", "attention_course.grading"),
        ("from . import grading", "attention_course.checks.grading"),
        (
            "def f():\n    import attention_course.grading.sandbox",
            "attention_course.grading.sandbox",
        ),
    ],
)
def test_relative_and_late_imports_are_seen(tmp_path: Path, source: str, expected: str) -> None:
    path = tmp_path / "judge.py"
    path.write_text(source)
    assert expected in imported_by("attention_course.checks.judge", path)
