"""Grades a whole class: a pool of workers, one writer, and a ledger of what need not run again."""

from __future__ import annotations

import sys


def _spare_a_grammar() -> None:
    """Load jsonschema, which nbformat needs, without the grammar that rfc3987_syntax brings.

    It serves the formats "iri" and "iri-reference", which no schema here asks for, and takes
    most of a second to load, in the grader and in each worker anew.
    """
    if "jsonschema" in sys.modules or "rfc3987_syntax" in sys.modules:
        return
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # importing it fails
    try:
        import jsonschema  # noqa: F401
    finally:
        del sys.modules["rfc3987_syntax"]


_spare_a_grammar()
