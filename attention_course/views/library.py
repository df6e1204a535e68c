"""BokehJS inside the notebook: once for each kernel session, not once for each picture.

A saved notebook must draw offline, so the library has to be in it; it weighs half a megabyte,
so it must not be in every output. The first cell that shows a picture carries it, and carries
it again when that same cell is run again, because its old output is gone then. Why so: see
docs/decisions/020-bokehjs-once-in-each-notebook.md.
"""

from __future__ import annotations

import base64
import functools
import gzip
from pathlib import Path
from typing import Any

# Cell that carries the library -> the execution in which its present output was made.
_carriers: dict[str, int] = {}
_heard: list[Any] = []  # the shell that tells when a cell has ended, at most one


@functools.cache
def packed_library() -> str:
    """BokehJS (its core: figures, no widgets), compressed, as text for a JavaScript string."""
    import bokeh

    script = Path(bokeh.__file__).parent / "server" / "static" / "js" / "bokeh.min.js"
    # mtime 0: the same library gives the same bytes in every notebook.
    return base64.b64encode(gzip.compress(script.read_bytes(), 9, mtime=0)).decode("ascii")


def library_version() -> str:
    """The version of BokehJS that belongs to the figures."""
    import bokeh

    return str(bokeh.__version__)


def carries_the_library() -> bool:
    """Whether the output that is being made must contain the library. Asking notes the answer."""
    shell = _shell()
    if shell is None:
        return True  # outside a notebook each picture stands alone
    _listen(shell)
    cell, execution = _running_cell(shell), int(getattr(shell, "execution_count", 0))
    if not _carriers:
        _carriers[cell] = execution
        return True
    if cell in _carriers and _carriers[cell] != execution:
        _carriers[cell] = execution
        return True
    return False


def forget() -> None:
    """Begin anew, as after a restart of the kernel: the next picture carries the library."""
    _carriers.clear()


def _listen(shell: Any) -> None:
    """Hear when a carrying cell is run again and draws nothing, as when its answer now fails.

    Its output went, and the library with it, so the next picture must carry it.
    """
    if _heard == [shell] or not hasattr(shell, "events"):
        return
    _heard[:] = [shell]

    def cell_ended(result: Any) -> None:
        if not result.info.store_history:
            return  # not a cell of the notebook: a tool's own question to the kernel
        cell, execution = _running_cell(shell), int(shell.execution_count)
        if _carriers.get(cell, execution) != execution:
            del _carriers[cell]

    shell.events.register("post_run_cell", cell_ended)


def _shell() -> Any:
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    shell = get_ipython()
    return shell if hasattr(shell, "kernel") else None


def _running_cell(shell: Any) -> str:
    """What tells one cell from another: its id where the front end sends it, else its text."""
    try:
        cell = shell.get_parent()["metadata"]["cellId"]
    except (AttributeError, KeyError, TypeError, LookupError):
        cell = None
    if cell:
        return f"id {cell}"
    sources = shell.user_ns.get("In") or [""]
    return f"source {sources[-1]}"
