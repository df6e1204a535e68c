"""The one picture that the lesson needs beside the course's views: rows of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attention_course.views import View
from attention_course.views.matrices import drawing_is_off, names_of_axes, read_matrix
from attention_course.views.palettes import scale_for
from attention_course.views.pictures import heat_panel
from attention_course.views.table import table_of


def feature_rows(
    matrices: Mapping[str, object], tokens: Sequence[str], *, features: int = 8
) -> View:
    """The first features of several matrices side by side, a row for each token.

    ``matrices``: by name, each [n, d] or [1, n, d] with n tokens; all are drawn on one scale.
    Raises ViewError, a ValueError, where a matrix does not fit the tokens.
    """
    if drawing_is_off():
        return View()
    whole = {name: read_matrix(matrix, name) for name, matrix in matrices.items()}
    shown = {name: matrix[:, :features] for name, matrix in whole.items()}
    scale = scale_for(*shown.values())
    panels, tables = [], []
    for name, matrix in shown.items():
        numbers = [str(number) for number in range(matrix.shape[1])]
        rows, columns = names_of_axes(matrix, tokens, numbers, name)
        wide = whole[name].shape[1]
        heading = f"{name}: features 0 to {matrix.shape[1] - 1} of {wide}"
        panels.append(
            heat_panel(
                heading,
                matrix,
                rows,
                columns,
                scale=scale,
                value="number",
                row_axis="token",
                column_axis="feature",
                widest=300,
            )
        )
        table_columns = tuple(f"feature {number}" for number in columns)
        tables.append(table_of(heading, matrix, rows, table_columns, corner="token"))
    return View(
        " and ".join(_listed(list(shown))),
        "A row is a token, a column one of its numbers.",
        tuple(panels),
        tuple(tables),
        numbers={name: matrix.tolist() for name, matrix in shown.items()},
    )


def _listed(names: list[str]) -> list[str]:
    return [", ".join(names[:-1]), names[-1]] if len(names) > 1 else names
