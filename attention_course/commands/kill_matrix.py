"""``attention-course kill-matrix``: write which check catches which wrong answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    @app.command("kill-matrix")
    def kill_matrix(
        out: Annotated[Path, typer.Option(help="The file to write.")] = Path("docs/kill-matrix.md"),
    ) -> None:
        """Write which check catches which wrong answer of the panel."""
        from attention_course.panel.kill_matrix import write_kill_matrix

        print(write_kill_matrix(out))
