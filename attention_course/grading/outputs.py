"""Notebook outputs that came from a student's process, checked before they are kept."""

from __future__ import annotations

from typing import Any

MAX_ITEMS = 500
MAX_TEXT = 250_000


def checked(items: Any) -> list[dict[str, Any]]:
    """Outputs in nbformat's shape, made anew from ``items``; what is not an output is dropped.

    Metadata is left behind: nothing that a student's process says about its outputs may look
    like a verdict of the grader's.
    """
    kept = []
    for item in items[:MAX_ITEMS] if isinstance(items, list) else []:
        if not isinstance(item, dict):
            continue
        output = _stream(item) or _error(item) or _display(item)
        if output:
            kept.append(output)
    return kept


def _stream(item: dict[str, Any]) -> dict[str, Any] | None:
    if item.get("output_type") != "stream" or item.get("name") not in ("stdout", "stderr"):
        return None
    parts = item.get("parts")
    text = "".join(map(str, parts)) if isinstance(parts, list) else ""
    return (
        {"output_type": "stream", "name": item["name"], "text": text[:MAX_TEXT]} if text else None
    )


def _error(item: dict[str, Any]) -> dict[str, Any] | None:
    if item.get("output_type") != "error":
        return None
    lines = item.get("traceback")
    return {
        "output_type": "error",
        "ename": str(item.get("ename", "Error"))[:200],
        "evalue": str(item.get("evalue", ""))[:4000],
        "traceback": [str(line)[:4000] for line in lines[:200]] if isinstance(lines, list) else [],
    }


def _display(item: dict[str, Any]) -> dict[str, Any] | None:
    kind = item.get("output_type")
    if kind not in ("display_data", "execute_result") or not isinstance(item.get("data"), dict):
        return None
    data = {
        str(mime): value
        for mime, value in item["data"].items()
        if "/" in str(mime)
        and (
            isinstance(value, str)
            or (str(mime).endswith("json") and isinstance(value, dict | list))
        )
    }
    output: dict[str, Any] = {"output_type": kind, "data": data, "metadata": {}}
    if kind == "execute_result":
        count = item.get("execution_count")
        output["execution_count"] = count if type(count) is int and count >= 0 else None
    return output if data else None
