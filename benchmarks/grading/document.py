"""Writes the figures between the markers of ``docs/speed.md``, and the picture beside it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from benchmarks.grading.tables import Record, tables

DOCS = Path(__file__).resolve().parents[2] / "docs"
PICTURE_IN_WORDS = (
    "Submissions a minute for each way of grading, and where the milliseconds of one submission "
    "go; the tables below say the same."
)
BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def fill_in(record: Record, picture: Path, docs: Path = DOCS) -> list[Path]:
    """Returns the files that were written. Raises ValueError where the markers are missing."""
    page, image = docs / "speed.md", docs / "speed.png"
    text = page.read_text(encoding="utf-8")
    if not BLOCK.search(text):
        raise ValueError(f"{page.name} has no place for the figures (<!-- figures -->)")
    shown = block(record)
    if picture.is_file():
        shutil.copyfile(picture, image)
        shown = f"\n![{PICTURE_IN_WORDS}]({image.name})\n{shown}"
    page.write_text(BLOCK.sub(lambda match: match[1] + shown + match[2], text), encoding="utf-8")
    return [page, image] if picture.is_file() else [page]


def block(record: Record) -> str:
    """The figures as Markdown: on what machine, then every table."""
    machine = record["machine"]
    packages = ", ".join(
        f"{name} {version}"
        for name, version in machine["packages"].items()
        if name != "attention-course"
    )
    parts = [
        f"Measured on {machine['cores']} cores of {machine['processor']}, "
        f"{machine['memory_gb']:.0f} GB, {machine['system']}, Python {machine['python']}; "
        f"{packages}. The whole run took {record['seconds'] / 60:.0f} minutes.\n"
    ]
    for figures in tables(record):
        title = figures.title[0].upper() + figures.title[1:]
        parts.append(f"### {title}\n\n{figures.markdown()}")
    parts += [f"{why}\n" for why in record["skipped"].values()]
    return "\n" + "\n".join(parts) + "\n"
