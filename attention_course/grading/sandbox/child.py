"""The student's process: runs their cells and answers requests about what they defined.

Started as ``python -m attention_course.grading.sandbox.child FD`` with one end of a socket
pair, or forked by :mod:`.nursery`. It holds no secret and is never believed: every mark is
decided at the other end.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import importlib.abc
import inspect
import operator
import os
import signal
import socket
import sys
import traceback
import types
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attention_course.grading.sandbox.outputs import (
    NotebookShell,
    Outputs,
    StreamToOutputs,
    notebook_shell,
)
from attention_course.grading.sandbox.wire import (
    ConnectionEnded,
    Decoder,
    Encoder,
    WireError,
    receive_frame,
    send_frame,
)
from attention_course.grading.sandbox.workfolder import (
    Stamp,
    changed_since,
    stamps,
    write_folder,
)

KEPT_GRAPHS = 256
BINARY = {
    "add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "eq", "ne", "lt", "le",
    "gt", "ge", "and_", "or_", "xor",
}  # fmt: skip


class NoAnswersHere(importlib.abc.MetaPathFinder):
    """Refuses to import what holds ready-made answers."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        if any(fullname == name or fullname.startswith(name + ".") for name in self.names):
            raise ModuleNotFoundError(f"{fullname} cannot be imported while grading", name=fullname)


class StudentProcess:
    """One notebook's process: a shell, the objects asked about, and the wall to the grader."""

    connection: socket.socket

    def __init__(self) -> None:
        self.outputs = Outputs()
        sys.stdout = StreamToOutputs(self.outputs, "stdout")
        sys.stderr = StreamToOutputs(self.outputs, "stderr")
        self.shell: NotebookShell = notebook_shell(self.outputs)
        self.objects: dict[int, Any] = {}
        self.handles: dict[int, int] = {}
        self.graphs: OrderedDict[int, Any] = OrderedDict()
        self.leaves: OrderedDict[int, dict[int, Any]] = OrderedDict()
        self.folder = Path()
        self.kept = 0
        self.given: dict[str, Stamp] = {}
        self.looked = 0

    def begin(self, connection: socket.socket, folder: Path) -> None:
        """Take in what the grader sends first: the submission's files and its environment."""
        header, payload = receive_frame(connection)
        self.connection, self.folder, self.kept = connection, folder, int(header["kept"])
        self.do_put(header, payload)
        os.environ.update(header["environment"])
        os.chdir(folder)
        sys.path.insert(0, str(folder))  # the student's own modules lie beside the notebook
        send_frame(connection, {"ready": os.getpid()})

    # -- the loop ---------------------------------------------------------------------------

    def serve(self) -> None:
        while True:
            header, payload = self._next_request()
            if header.get("op") == "end":
                return
            self._answer(header, payload)

    def _next_request(self) -> tuple[dict[str, Any], memoryview]:
        while True:
            try:
                return receive_frame(self.connection)
            except KeyboardInterrupt:
                continue  # an interrupt that came after the work it was meant for

    def _answer(self, header: dict[str, Any], payload: memoryview) -> None:
        encoder = Encoder(self._export, self._keep_graph)
        reply: dict[str, Any] = {"id": header.get("id")}
        try:
            handler = getattr(self, "do_" + str(header["op"]))
            reply["value"] = encoder.encode(handler(header, payload, reply, encoder))
        except (ConnectionEnded, GeneratorExit):
            raise
        except BaseException as error:  # the student's, whatever it is: SystemExit too
            encoder = Encoder(self._export)
            reply = {"id": header.get("id"), "error": self._describe(error, encoder)}
        reply["outputs"] = self.outputs.take()
        if self._made_files():
            reply["files"] = True
        try:
            send_frame(self.connection, reply, encoder.chunks)
        except WireError as error:
            if isinstance(error, ConnectionEnded):
                raise
            trouble = Encoder(self._export)
            reply = {"id": header.get("id"), "error": self._describe(error, trouble), "outputs": []}
            send_frame(self.connection, reply, trouble.chunks)

    def _describe(self, error: BaseException, encoder: Encoder) -> dict[str, Any]:
        kind = type(error)
        try:
            message = str(error)[:4000]
        except BaseException:
            message = "(its message cannot be shown)"
        try:
            arguments = encoder.encode(tuple(a for a in error.args if type(a) in (str, int, float)))
        except BaseException:
            arguments = ["t", []]
        # Not inspect's frames: to name their modules it goes through all there are, for 10 ms.
        lines = [
            f"{frame.filename.rsplit('/', 1)[-1]} line {frame.lineno}: {(frame.line or '')[:200]}"
            for frame in traceback.extract_tb(error.__traceback__)[-8:]
            if "grading/sandbox" not in frame.filename
        ]
        return {
            "name": kind.__name__[:200],
            "bases": [f"{c.__module__}.{c.__qualname__}" for c in kind.__mro__][:20],
            "class": self._handle(kind),
            "message": message,
            "args": arguments,
            "lines": lines,
        }

    # -- values -----------------------------------------------------------------------------

    def _handle(self, value: Any) -> int:
        known = self.handles.get(id(value))
        if known is not None:
            return known
        number = len(self.objects) + 1
        self.objects[number] = value
        self.handles[id(value)] = number
        return number

    def _export(self, value: Any) -> list[Any]:
        if isinstance(value, types.ModuleType):
            return ["module", value.__name__, self._handle(value)]
        kind = type(value)
        bases = value.__mro__ if isinstance(value, type) else kind.__mro__
        described = {
            "type": f"{kind.__module__}.{kind.__qualname__}"[:300],
            "bases": [f"{c.__module__}.{c.__qualname__}"[:300] for c in bases][:30],
            "class": isinstance(value, type),
            "callable": callable(value),
            "name": str(getattr(value, "__name__", ""))[:200],
        }
        return ["h", self._handle(value), described]

    def _resolve(self, data: list[Any]) -> Any:
        if data[0] == "h":
            return self.objects[data[1]]
        if data[0] == "ref":
            value: Any = importlib.import_module(data[1])
            for part in data[2].split("."):
                value = getattr(value, part)
            return value
        if data[0] == "callback":
            return self._callback(data[1])
        raise WireError("a value that is not of this protocol")

    def _callback(self, number: int) -> Callable[..., Any]:
        def callback(*args: Any, **kwargs: Any) -> Any:
            encoder = Encoder(self._export)
            request = {"callback": number, "args": encoder.encode([list(args), kwargs])}
            send_frame(self.connection, request, encoder.chunks)
            header, payload = receive_frame(self.connection)
            if "raise" in header:
                kind = getattr(builtins, str(header["raise"]), RuntimeError)
                raise kind(str(header.get("message", "")))
            return Decoder(payload, self._resolve).decode(header["value"])

        return callback

    def _keep_graph(self, tensor: Any) -> int | None:
        number = self._handle(tensor)
        self.graphs[number] = tensor
        while len(self.graphs) > KEPT_GRAPHS:
            old, dropped = self.graphs.popitem(last=False)
            if self.objects.get(old) is dropped:
                del self.objects[old], self.handles[id(dropped)]
                self.objects[old] = None  # its number is never given again
        return number

    # -- requests ---------------------------------------------------------------------------

    def do_run_cell(self, header: Any, payload: Any, reply: Any, encoder: Any) -> dict[str, Any]:
        result = self.shell.run_cell(str(header["source"]), store_history=True, silent=False)
        return {"ok": bool(result.success), "count": self.shell.execution_count - 1}

    def do_collect(self, header: Any, payload: Any, reply: Any, encoder: Any) -> dict[str, bytes]:
        changed = changed_since(self.given, self.folder, self.kept)
        self.given = stamps(self.folder)
        self._made_files()
        return changed

    def do_put(self, header: Any, payload: Any, reply: Any = None, encoder: Any = None) -> None:
        places = ((str(name), payload[at : at + size]) for name, at, size in header["files"])
        write_folder(self.folder, dict(places))
        now = stamps(self.folder)
        put = {str(name) for name, _, _ in header["files"]}
        self.given |= {name: stamp for name, stamp in now.items() if name in put}
        self._made_files()

    def _made_files(self) -> bool:
        """Whether files came or went in the working folder since this was last asked."""
        try:
            before, self.looked = self.looked, os.stat(self.folder).st_mtime_ns
        except OSError:
            return False
        return self.looked != before

    def do_lookup(self, header: Any, payload: Any, reply: Any, encoder: Any) -> Any:
        name = str(header["name"])
        if name not in self.shell.user_ns:
            raise NameError(f"name {name!r} is not defined")
        return self.shell.user_ns[name]

    def do_unbind(self, header: Any, payload: Any, reply: Any, encoder: Any) -> None:
        name = str(header["name"])
        if name not in self.shell.user_ns:
            raise NameError(f"name {name!r} is not defined")
        del self.shell.user_ns[name]

    def do_bind(self, header: Any, payload: Any, reply: Any, encoder: Any) -> None:
        value = Decoder(payload, self._resolve).decode(header["value"])
        self.shell.user_ns[str(header["name"])] = value

    def do_import(self, header: Any, payload: Any, reply: Any, encoder: Any) -> Any:
        module = importlib.import_module(str(header["module"]))
        name = header.get("name")
        if name is None:
            return module
        if not hasattr(module, name):
            try:
                return importlib.import_module(f"{module.__name__}.{name}")
            except ModuleNotFoundError:
                raise ImportError(f"cannot import name {name!r} from {module.__name__!r}") from None
        return getattr(module, name)

    def do_call(self, header: Any, payload: Any, reply: Any, encoder: Encoder) -> Any:
        leaves: dict[int, Any] = {}

        def note(tensor: Any, more: dict[str, Any]) -> Any:
            if "input" in more:
                leaves[int(more["input"])] = tensor
            return tensor

        decode = Decoder(payload, self._resolve, note).decode
        arguments, named = decode(header["args"])
        function = self.objects[header["target"]]
        before = [*header["args"][1][0][1], *(pair[1] for pair in header["args"][1][1][1])]
        result = function(*arguments, **named)
        if leaves:
            self.leaves[int(header["id"])] = leaves
            while len(self.leaves) > KEPT_GRAPHS:
                self.leaves.popitem(last=False)
        reply["changed"] = self._changed(before, [*arguments, *named.values()], payload, encoder)
        return result

    def _changed(
        self, before: list[Any], after: list[Any], payload: memoryview, encoder: Encoder
    ) -> list[Any]:
        """The arguments that the call changed in place: [position, new value]."""
        changed = []
        for place, (sent, value) in enumerate(zip(before, after, strict=True)):
            if sent[0] not in ("T", "np", "l", "d", "S"):
                continue
            probe = Encoder(lambda other: ["other", id(other)])
            try:
                now = probe.encode(value)
            except WireError:
                continue
            data = b"".join(probe.chunks)
            if _same(sent, payload, now, memoryview(data)):
                continue
            changed.append([place, encoder.encode(value)])
        return changed

    def do_backward(self, header: Any, payload: Any, reply: Any, encoder: Any) -> list[Any]:
        gradient = Decoder(payload, self._resolve).decode(header["gradient"])
        leaves = self.leaves.get(int(header["call"]), {})
        for leaf in leaves.values():
            leaf.grad = None
        root = self.graphs[int(header["root"])]
        if root.is_complex():
            root.backward(gradient, retain_graph=True)
        else:  # the same gradients, without sympy, which torch loads for the line above
            (root * gradient).sum().backward(retain_graph=True)
        return [leaves[place].grad if place in leaves else None for place in header["inputs"]]

    def do_getattr(self, header: Any, payload: Any, reply: Any, encoder: Any) -> Any:
        return getattr(self.objects[header["target"]], str(header["name"]))

    def do_setattr(self, header: Any, payload: Any, reply: Any, encoder: Any) -> None:
        value = Decoder(payload, self._resolve).decode(header["value"])
        setattr(self.objects[header["target"]], str(header["name"]), value)

    def do_delattr(self, header: Any, payload: Any, reply: Any, encoder: Any) -> None:
        delattr(self.objects[header["target"]], str(header["name"]))

    def do_getitem(self, header: Any, payload: Any, reply: Any, encoder: Any) -> Any:
        return self.objects[header["target"]][Decoder(payload, self._resolve).decode(header["key"])]

    def do_setitem(self, header: Any, payload: Any, reply: Any, encoder: Any) -> None:
        key, value = Decoder(payload, self._resolve).decode(header["value"])
        self.objects[header["target"]][key] = value

    def do_iter(self, header: Any, payload: Any, reply: Any, encoder: Any) -> int:
        return self._handle(iter(self.objects[header["target"]]))

    def do_next(self, header: Any, payload: Any, reply: Any, encoder: Any) -> list[Any]:
        try:
            return [next(self.objects[header["target"]])]
        except StopIteration:
            return []

    def do_length(self, header: Any, payload: Any, reply: Any, encoder: Any) -> int:
        return len(self.objects[header["target"]])

    def do_text(self, header: Any, payload: Any, reply: Any, encoder: Any) -> str:
        form: Any = {"str": str, "repr": repr}[str(header["form"])]
        return str(form(self.objects[header["target"]]))[:1_000_000]

    def do_number(self, header: Any, payload: Any, reply: Any, encoder: Any) -> Any:
        form: dict[str, Any] = {
            "int": int,
            "float": float,
            "index": operator.index,
            "abs": abs,
            "neg": operator.neg,
        }
        return form[str(header["form"])](self.objects[header["target"]])

    def do_binary(self, header: Any, payload: Any, reply: Any, encoder: Any) -> Any:
        name = str(header["operator"])
        if name not in BINARY:
            raise WireError("an operator that is not of this protocol")
        left, right = self.objects[header["target"]], self.objects[header["other"]]
        return getattr(operator, name)(left, right)

    def do_isinstance(self, header: Any, payload: Any, reply: Any, encoder: Any) -> bool:
        return isinstance(self.objects[header["other"]], self.objects[header["target"]])

    def do_signature(self, header: Any, payload: Any, reply: Any, encoder: Any) -> list[Any]:
        signature = inspect.signature(self.objects[header["target"]])
        return [
            [p.name, int(p.kind), p.default is not inspect.Parameter.empty]
            for p in signature.parameters.values()
        ]

    def do_dir(self, header: Any, payload: Any, reply: Any, encoder: Any) -> list[str]:
        return [str(name) for name in dir(self.objects[header["target"]])]


def _same(left: Any, left_bytes: memoryview, right: Any, right_bytes: memoryview) -> bool:
    """Whether two encoded values are equal, array bytes included."""
    if not isinstance(left, list) or not isinstance(right, list):
        return bool(left == right)
    if left[0] in ("h", "ref", "callback") or right[0] in ("other",):
        return left[0] in ("h", "ref", "callback") and right[0] == "other"
    if left[0] != right[0] or len(left) != len(right):
        return False
    if left[0] in ("T", "np", "npg", "y"):
        at = 3 if left[0] in ("T", "np") else (2 if left[0] == "npg" else 1)
        if left[1:at] != right[1:at]:
            return False
        a = left_bytes[left[at] : left[at] + left[at + 1]]
        b = right_bytes[right[at] : right[at] + right[at + 1]]
        return bool(a == b)
    if left[0] in ("l", "t", "S", "F", "d", "sl"):
        lefts = left[1] if left[0] != "sl" else left[1:]
        rights = right[1] if right[0] != "sl" else right[1:]
        if len(lefts) != len(rights):
            return False
        if left[0] == "d":
            lefts = [part for pair in lefts for part in pair]
            rights = [part for pair in rights for part in pair]
        return all(_same(a, left_bytes, b, right_bytes) for a, b in zip(lefts, rights, strict=True))
    return bool(left == right)


def refuse_answers() -> None:
    """Keep ready-made answers from being imported; the grader says what holds them."""
    names = os.environ.pop("ATTENTION_COURSE_REFUSED", "").split(",")
    sys.meta_path.insert(0, NoAnswersHere(tuple(name for name in names if name)))


def main() -> None:
    connection, folder = socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2])
    # In the background of a shell script the grader, and so we, begin with it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    student = StudentProcess()
    refuse_answers()
    gc.collect()
    with contextlib.suppress(WireError, OSError):
        student.begin(connection, folder)
        student.serve()
    os._exit(0)  # threads that the student left running do not keep the process


if __name__ == "__main__":
    main()
