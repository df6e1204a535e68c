"""The benchmark's parts on a miniature class; benchmarks/ lies beside the package, not in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from benchmarks.grading.classes import PreparedClass


@pytest.fixture(scope="session", autouse=True)
def _benchmarks_can_be_imported(repository_root: Path) -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(str(repository_root))
    yield
    patch.undo()


@pytest.fixture(scope="session")
def pair(
    tmp_path_factory: pytest.TempPathFactory, _benchmarks_can_be_imported: None
) -> tuple[PreparedClass, PreparedClass]:
    """Two students in our course, and the same two in stock nbgrader's."""
    from benchmarks.grading.classes import make_class
    from benchmarks.grading.stock_course import make_stock_class

    folder = tmp_path_factory.mktemp("benchmark")
    ours = make_class(folder / "ours", 2)
    return ours, make_stock_class(folder / "stock", ours)
