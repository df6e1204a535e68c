"""Notebook outputs that came from a student's process, checked before they are kept."""

from __future__ import annotations

from typing import Any

MAX_ITEMS = 500
MAX_TEXT = 250_000
MAX_ALL = 5_000_000  # characters of all outputs of one cell together
MAX_DEPTH = 40


def checked(items: Any) -> list[dict[str, Any]]:
    """Outputs in nbformat's shape, made anew from ``items``; what is not an output is dropped.

    Metadata is left behind: nothing that a student's process says about its outputs may look
    like a verdict of the grader's.
    """
    kept: list[dict[str, Any]] = []
    room = MAX_ALL
    for item in items[:MAX_ITEMS] if isinstance(items, list) else []:
        if not isinstance(item, dict):
            continue
        output = _stream(item) or _error(item) or _display(item)
        if not output:
            continue
        output = writable(output)
        room -= _size(output)
        if room < 0:
            text = "… the rest of this cell's outputs was left out …\n"
            return [*kept, {"output_type": "stream", "name": "stdout", "text": text}]
        kept.append(output)
    return kept


def writable(value: Any, depth: int = 0) -> Any:
    """``value`` (JSON data) as it can be written to a notebook file.

    Half a surrogate pair becomes a question mark, for no file in UTF-8 can hold it; what is
    nested deeper than MAX_DEPTH is cut, for readers of notebooks go through it recursively.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [writable(v, depth + 1) for v in value] if depth < MAX_DEPTH else []
    if isinstance(value, dict):
        pairs = value.items() if depth < MAX_DEPTH else ()
        return {writable(str(k)): writable(v, depth + 1) for k, v in pairs}
    return value


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | dict):
        parts = value if isinstance(value, list) else [*value.keys(), *value.values()]
        return len(parts) + sum(map(_size, parts))
    return 1


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
