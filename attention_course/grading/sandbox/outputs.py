"""What a cell prints and shows, collected in order and bounded in size.

Runs in the student's process: IPython does the work of a notebook's kernel here, and its
displays, results, streams and tracebacks become notebook outputs without any messaging.
"""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

MAX_STREAM = 200_000  # characters of text a cell may leave in the notebook
MAX_DISPLAY = 4_000_000  # characters of rich output a cell may leave
CUT = "\n… the rest of this output was cut off …\n"


class Outputs:
    """The outputs of the cell or call in progress."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.room = MAX_STREAM
        self.display_room = MAX_DISPLAY

    def take(self) -> list[dict[str, Any]]:
        items = self.items
        self.__init__()  # type: ignore[misc]
        return items

    def stream(self, name: str, text: str) -> None:
        if self.room <= 0:
            return
        if len(text) > self.room:
            text = text[: self.room] + CUT
        self.room -= len(text)
        last = self.items[-1] if self.items else None
        if last and last["output_type"] == "stream" and last["name"] == name:
            last["parts"].append(text)
        else:
            self.items.append({"output_type": "stream", "name": name, "parts": [text]})

    def show(self, kind: str, data: Any, metadata: Any, count: int | None = None) -> None:
        plain = {str(k): v for k, v in dict(data).items() if isinstance(v, str | dict | list)}
        size = sum(len(v) if isinstance(v, str) else len(repr(v)) for v in plain.values())
        if size > self.display_room:
            self.stream("stdout", f"(an output of {size} characters was left out)\n")
            return
        self.display_room -= size
        item: dict[str, Any] = {
            "output_type": kind,
            "data": plain,
            "metadata": dict(metadata or {}),
        }
        if kind == "execute_result":
            item["execution_count"] = count
        self.items.append(item)

    def error(self, name: str, message: str, traceback: list[str]) -> None:
        lines = [line[:4000] for line in traceback[-200:]]
        item = {"output_type": "error", "ename": name[:200], "evalue": message[:4000]}
        self.items.append({**item, "traceback": lines})


class StreamToOutputs(io.TextIOBase):
    """Stands in for sys.stdout or sys.stderr."""

    encoding = "utf-8"

    def __init__(self, outputs: Outputs, name: str) -> None:
        self.outputs = outputs
        self.stream_name = name

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self.outputs.stream(self.stream_name, text)
        return len(text)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False


class CollectingPublisher(DisplayPublisher):
    outputs: Outputs

    def publish(  # type: ignore[override]
        self, data: Any, metadata: Any = None, **kwargs: Any
    ) -> None:
        self.outputs.show("display_data", data, metadata)

    def clear_output(self, wait: bool = False) -> None:
        self.outputs.items.clear()


class CollectingHook(DisplayHook):
    outputs: Outputs

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        self.outputs.show("execute_result", format_dict, md_dict, self.prompt_count)

    def finish_displayhook(self) -> None:
        pass


class NotebookShell(InteractiveShell):
    """IPython's shell with a notebook's ways of showing things, and no history on disk."""

    displayhook_class = Type(CollectingHook)
    display_pub_class = Type(CollectingPublisher)
    outputs: Outputs

    def enable_gui(self, gui: str | None = None) -> None:
        pass

    def system(self, cmd: str) -> None:
        """Run ``!command``; IPython's own way needs a terminal, which is not there."""
        command = self.var_expand(cmd, depth=1)
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with subprocess.Popen(command, shell=True, text=True, errors="replace", **pipe) as process:  # type: ignore[call-overload]
            for line in process.stdout:
                sys.stdout.write(line)
        self.user_ns["_exit_code"] = process.returncode

    def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
        try:
            message = str(evalue)
        except Exception:
            message = "(its message cannot be shown)"
        self.outputs.error(getattr(etype, "__name__", "Error"), message, stb)


def notebook_shell(outputs: Outputs, **given: Any) -> NotebookShell:
    """The process's one shell, with its outputs collected in ``outputs``.

    ``given`` goes to IPython's shell as it is.
    """
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.autocall = 0
    shell = NotebookShell.instance(config=config, **given)
    shell.outputs = outputs
    for part in (shell.display_pub, shell.displayhook):
        part.outputs = outputs  # type: ignore[union-attr]
    return shell
