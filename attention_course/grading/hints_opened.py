"""How far students went through the hints, as their submitted progress files tell."""

from __future__ import annotations

from pathlib import Path

from attention_course.progress import progress_path, read_progress

LARGEST_FILE = 1_000_000  # bytes; a progress file of the course has a few thousand


def hints_opened(folder: Path | None, assignment: str) -> dict[str, int]:
    """Exercise to the furthest hint tier opened, 1 to 3; a hint not opened is left out.

    ``folder`` is a submitted assignment. Its progress file is the student's own: a missing, odd
    or damaged one counts as none, and nothing that is marked depends on it.
    """
    if folder is None:
        return {}
    path = progress_path(folder)
    try:
        if path.is_symlink() or path.parent.is_symlink() or path.stat().st_size > LARGEST_FILE:
            return {}
        entry = read_progress(folder)["assignments"].get(assignment, {})
    except (ValueError, OSError):
        return {}
    tiers = {name: one["hint_tiers_opened"] for name, one in entry.get("exercises", {}).items()}
    return {name: tier for name, tier in tiers.items() if tier}
