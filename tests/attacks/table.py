"""Writes docs/attacks.md from the panel: ``python -m tests.attacks.table``, in the checkout."""

from __future__ import annotations

from pathlib import Path

from .attack import Family
from .escaping import ESCAPING
from .exhausting import EXHAUSTING
from .forging import FORGING
from .handing_in import HANDING_IN
from .notebooks import NOTEBOOKS
from .outliving import OUTLIVING
from .pages import PAGES
from .reading import READING
from .values import VALUES
from .wire_frames import WIRE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "attacks.md"
FAMILIES: dict[str, Family] = {
    "test_forging.py": FORGING,
    "test_values.py": VALUES,
    "test_wire_frames.py": WIRE,
    "test_deeds.py": READING,
    "test_deeds.py (2)": ESCAPING,
    "test_outliving.py": OUTLIVING,
    "test_exhausting.py": EXHAUSTING,
    "test_handing_in.py": HANDING_IN,
    "test_notebooks.py": NOTEBOOKS,
    "test_pages.py": PAGES,
}


def page() -> str:
    """The whole document, the same bytes at every call."""
    total = sum(len(family.attacks) for family in FAMILIES.values())
    lines = [
        "# Attacks and what stops them",
        "",
        f"{total} hostile deeds. Each is run for real by the tests named beside it, through the "
        "engine and inside the sandbox; none pays, none escapes, none changes a neighbour. Written "
        "by `python -m tests.attacks.table`; a test fails when it is out of date. What is *not* "
        "stopped is in [security.md](security.md).",
        "",
    ]
    for where, family in FAMILIES.items():
        lines += [
            f"## {family.title}",
            "",
            f"{family.about} Run by `tests/attacks/{where.split()[0]}`.",
        ]
        lines += ["", "| deed | what it goes for | what stops it |", "| --- | --- | --- |"]
        lines += [f"| {_cell(a.name)} | {_cell(a.goal)} | {_cell(a.stopped_by)} |" for a in family]
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
