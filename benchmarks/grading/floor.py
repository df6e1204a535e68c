"""The floor: what grading must cost when nothing is protected, rebuilt, written or stored.

    python -m benchmarks.grading.floor COURSE RESULT.json

One warm process has everything loaded and has graded the master's own answers once. For each
submission it forks; the child runs the student's cells and our checks with IPython's
``run_cell`` and answers through a pipe. Notebooks are read before the clock starts.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

STARTED = time.perf_counter()


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell to run, and whether a test is in it."""

    source: str
    graded: bool


def cells_to_run(notebook: Path, demonstrations: frozenset[str]) -> list[Cell]:
    """What our engine runs of a notebook too: all code cells but demonstrations."""
    found = []
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or not source.strip() or source.strip() in demonstrations:
            continue
        data = cell["metadata"].get("nbgrader", {})
        found.append(Cell(source, bool(data.get("grade") and not data.get("solution"))))
    return found


def run_notebook(shell: Any, outputs: Any, cells: list[Cell]) -> dict[str, Any]:
    """Run the cells here; the milliseconds of cells and checks, and what the checks decided."""
    from attention_course.checks import Session, session

    spent = {False: 0.0, True: 0.0}
    with session(Session(seed=secrets.randbits(62))) as current:
        for cell in cells:
            began = time.perf_counter()
            if not cell.graded:
                current.sources.append(cell.source)
            shell.run_cell(cell.source, store_history=True)
            outputs.take()
            spent[cell.graded] += 1000 * (time.perf_counter() - began)
        marks = {verdict.exercise: verdict.passed for verdict in current.verdicts}
    return {"cells_ms": spent[False], "checks_ms": spent[True], "marks": marks}


def grade_in_fork(shell: Any, outputs: Any, cells: list[Cell]) -> dict[str, Any]:
    began = time.perf_counter()
    receiving, sending = os.pipe()
    pid = os.fork()
    if pid == 0:
        _be_child(shell, outputs, cells, sending)
    os.close(sending)
    with open(receiving, "rb") as pipe:
        answer: dict[str, Any] = json.loads(pipe.read() or b"{}")
    os.waitpid(pid, 0)
    answer["ms"] = 1000 * (time.perf_counter() - began)
    return answer


def _be_child(shell: Any, outputs: Any, cells: list[Cell], sending: int) -> NoReturn:
    try:
        import torch

        torch.seed()
        answer = run_notebook(shell, outputs, cells)
        with open(sending, "wb") as pipe:
            pipe.write(json.dumps(answer).encode())
    finally:
        os._exit(0)


@contextlib.contextmanager
def _watch_nothing() -> Iterator[dict[str, None]]:
    yield {}


def warm_up(master: list[Cell]) -> tuple[Any, Any]:
    """Load everything, grade the master's answers once, and make forks cheap."""
    import torch

    from attention_course.checks import observe
    from attention_course.grading.sandbox import kernel
    from attention_course.grading.sandbox.outputs import Outputs, StreamToOutputs, notebook_shell

    torch.set_num_threads(1)
    # A notebook watches what an answer calls, line by line; the grader reads its source instead.
    observe.watch = _watch_nothing
    outputs = Outputs()
    shell = notebook_shell(outputs)
    sys.stdout = StreamToOutputs(outputs, "stdout")
    sys.stderr = StreamToOutputs(outputs, "stderr")
    before = set(shell.user_ns)
    run_notebook(shell, outputs, [Cell("1/0", False), *master])  # a traceback loads a lot as well
    for name in set(shell.user_ns) - before:
        del shell.user_ns[name]
    gc.collect()
    gc.freeze()
    with contextlib.suppress(OSError):
        kernel.use_huge_pages()
    return shell, outputs


def main() -> None:
    from benchmarks.grading.classes import ASSIGNMENT, NOTEBOOK

    course, result = Path(sys.argv[1]), Path(sys.argv[2])
    master = course / "source" / ASSIGNMENT / NOTEBOOK
    tagged = [
        "".join(cell["source"]).strip()
        for cell in json.loads(master.read_text(encoding="utf-8"))["cells"]
        if "demonstration" in cell["metadata"].get("tags", ())
    ]
    demonstrations = frozenset(tagged)
    folders = sorted((course / "submitted").iterdir())
    work = {
        folder.name: cells_to_run(folder / ASSIGNMENT / NOTEBOOK, demonstrations)
        for folder in folders
    }
    shell, outputs = warm_up(cells_to_run(master, demonstrations))
    startup = time.perf_counter() - STARTED
    began = time.perf_counter()
    answers, landed = {}, []
    for student, cells in work.items():
        answers[student] = grade_in_fork(shell, outputs, cells)
        landed.append(time.time())
    wall = time.perf_counter() - began
    found = {"startup_s": startup, "wall_s": wall, "landed": landed, "answers": answers}
    result.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
