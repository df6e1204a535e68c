"""Frames and values on the wall between the grader and the student's process.

A frame is a JSON header and a payload of raw array bytes, each with its length in front.
Nothing is pickled and nothing that arrives is evaluated: a value is one of the plain kinds
below, an array with a declared dtype and shape, or a *handle* that stands for an object
which stays where it is. Sizes are checked before anything is read.

Both sides import this module; it imports nothing of ours.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

PREFIX = struct.Struct(">IQ")  # bytes of header, bytes of payload
MAX_HEADER = 16 * 2**20
MAX_PAYLOAD = 256 * 2**20
MAX_DEPTH = 40
TOGETHER = 2**18  # bytes: a frame of this size or less goes out, and is read, in one piece
MAX_DIMENSIONS = 16
MAX_COLLISIONS = 100  # keys of one hash in a set or dictionary

TORCH_DTYPES = (
    "float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8",
    "bool", "complex64", "complex128",
)  # fmt: skip
NUMPY_DTYPES = (
    *tuple(name for name in TORCH_DTYPES if name != "bfloat16"),
    "uint16",
    "uint32",
    "uint64",
)


class WireError(Exception):
    """What arrived is not a frame of this protocol, or is larger than agreed."""


class ConnectionEnded(WireError):
    """The other side closed the connection."""


class ReplyTimeout(WireError):
    """No complete frame arrived before the deadline."""


# -- frames ---------------------------------------------------------------------------------


def send_frame(
    connection: socket.socket,
    header: dict[str, Any],
    chunks: Iterable[bytes | memoryview] = (),
    deadline: float | None = None,
) -> None:
    """Send one frame; raises WireError for one that the other side would refuse."""
    head = json.dumps(header, separators=(",", ":")).encode("ascii")
    body = list(chunks)
    size = sum(len(chunk) for chunk in body)
    if len(head) > MAX_HEADER or size > MAX_PAYLOAD:
        raise WireError(f"a message of {len(head) + size} bytes is larger than the limit")
    parts: list[bytes | memoryview] = [PREFIX.pack(len(head), size), head, *body]
    if len(head) + size <= TOGETHER:
        # Each call may wake the other side, which then waits for the rest.
        parts = [b"".join(parts)]
    try:
        for part in parts:
            _send(connection, part, deadline)
    except (BrokenPipeError, ConnectionResetError) as error:
        raise ConnectionEnded("the other side is gone") from error


def receive_frame(
    connection: socket.socket, deadline: float | None = None
) -> tuple[dict[str, Any], memoryview]:
    """The next frame's header and payload; ``deadline`` is a time.monotonic() value."""
    head_size, size = PREFIX.unpack(_receive(connection, PREFIX.size, deadline))
    if head_size > MAX_HEADER or size > MAX_PAYLOAD:
        raise WireError(f"a message of {head_size + size} bytes was announced: over the limit")
    together = head_size + size <= TOGETHER
    data = memoryview(_receive(connection, head_size + size * together, deadline))
    try:
        header = json.loads(bytes(data[:head_size]))
    except (ValueError, RecursionError) as error:
        raise WireError("a message whose header is not JSON") from error
    if not isinstance(header, dict):
        raise WireError("a message whose header is not an object")
    if together:
        return header, data[head_size:]
    return header, memoryview(_receive(connection, size, deadline))


def _wait(connection: socket.socket, deadline: float | None) -> None:
    if deadline is None:
        connection.settimeout(None)
        return
    left = deadline - time.monotonic()
    if left <= 0:
        raise ReplyTimeout("the time limit is over")
    connection.settimeout(left)


def _send(connection: socket.socket, data: bytes | memoryview, deadline: float | None) -> None:
    view: memoryview[Any] = memoryview(data)
    while view:
        _wait(connection, deadline)
        try:
            view = view[connection.send(view) :]
        except TimeoutError as error:
            raise ReplyTimeout("the time limit is over") from error


def _receive(connection: socket.socket, size: int, deadline: float | None) -> bytearray:
    # Grown as bytes arrive: an announced length alone must not reserve memory.
    data = bytearray()
    while len(data) < size:
        _wait(connection, deadline)
        try:
            part = connection.recv(min(size - len(data), 2**20))
        except TimeoutError as error:
            raise ReplyTimeout("the time limit is over") from error
        except ConnectionResetError as error:
            raise ConnectionEnded("the other side is gone") from error
        if not part:
            raise ConnectionEnded("the other side closed the connection")
        data += part
    return data


# -- values ---------------------------------------------------------------------------------

SEQUENCES: dict[type, str] = {list: "l", tuple: "t", set: "S", frozenset: "F"}
Exporter = Callable[[Any], list[Any]]
Importer = Callable[[list[Any]], Any]


@dataclass
class Encoder:
    """Turns a value into JSON data plus payload chunks.

    ``export`` is asked for whatever is not plain data; it answers with a tagged list, or
    raises TypeError.
    """

    export: Exporter
    graph: Callable[[Any], int | None] = lambda tensor: None
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0

    def encode(self, value: Any, depth: int = 0) -> list[Any]:
        if depth > MAX_DEPTH:
            raise WireError(f"a value nested deeper than {MAX_DEPTH}")
        kind = type(value)
        if value is None:
            return ["n"]
        if kind is bool:
            return ["b", value]
        if kind is int:
            return ["i", hex(value)]
        if kind is float:
            return ["f", value.hex() if math.isfinite(value) else repr(value)]
        if kind is str:
            return ["s", value]
        if kind is complex:
            return ["c", self.encode(value.real), self.encode(value.imag)]
        if kind in (bytes, bytearray):
            return ["y", *self._store(bytes(value))]
        if value is Ellipsis:
            return ["..."]
        if kind is slice:
            return [
                "sl",
                *(self.encode(p, depth + 1) for p in (value.start, value.stop, value.step)),
            ]
        tag = SEQUENCES.get(kind)
        if tag:
            return [tag, [self.encode(item, depth + 1) for item in value]]
        if kind is dict or (kind.__module__ == "collections" and kind.__name__ == "OrderedDict"):
            pairs = [
                [self.encode(k, depth + 1), self.encode(v, depth + 1)] for k, v in value.items()
            ]
            return ["d", pairs]
        array = self._encode_array(value)
        return array if array is not None else self.export(value)

    def _encode_array(self, value: Any) -> list[Any] | None:
        torch = sys.modules.get("torch")
        if torch is not None:
            if isinstance(value, torch.Tensor):
                # A subclass is sent as the plain tensor it holds, whatever it overrides.
                with torch._C.DisableTorchFunctionSubclass():
                    if value.layout is not torch.strided:
                        return self.export(value)
                    return self._encode_tensor(value, torch)
            if type(value) is torch.Size:
                return ["size", list(map(int, value))]
            if type(value) is torch.dtype and str(value).removeprefix("torch.") in TORCH_DTYPES:
                return ["dtype", str(value).removeprefix("torch.")]
            if type(value) is torch.device and value.type == "cpu":
                return ["device", "cpu"]
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            if type(value) is numpy.ndarray and value.dtype.name in NUMPY_DTYPES:
                if value.nbytes > MAX_PAYLOAD:
                    return self.export(value)
                name, shape = value.dtype.name, list(value.shape)
                return ["np", name, shape, *self._store(numpy.ascontiguousarray(value).tobytes())]
            if isinstance(value, numpy.generic) and value.dtype.name in NUMPY_DTYPES:
                return ["npg", value.dtype.name, *self._store(value.tobytes())]
        return None

    def _encode_tensor(self, value: Any, torch: Any) -> list[Any]:
        plain = value.detach().as_subclass(torch.Tensor)
        name = str(plain.dtype).removeprefix("torch.")
        if (
            name not in TORCH_DTYPES
            or plain.device.type != "cpu"
            or plain.numel() * plain.element_size() > MAX_PAYLOAD  # lazily expanded giants
        ):
            return self.export(value)
        plain = plain.resolve_conj().resolve_neg().contiguous().reshape(-1)
        data = plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b""
        more: dict[str, Any] = {}
        if value.requires_grad:
            more["leaf"] = bool(value.is_leaf)
            more["graph"] = self.graph(value)
            if value.is_leaf and value.grad is not None:
                more["grad"] = self._encode_tensor(value.grad, torch)
        if isinstance(value, torch.nn.Parameter):
            more["parameter"] = True
        return ["T", name, list(value.shape), *self._store(data), more]

    def _store(self, data: bytes) -> tuple[int, int]:
        start = self.size
        self.chunks.append(data)
        self.size += len(data)
        if self.size > MAX_PAYLOAD:
            raise WireError(f"a value of more than {MAX_PAYLOAD // 2**20} MiB")
        return start, len(data)


@dataclass
class Decoder:
    """Turns JSON data and a payload back into a value, trusting neither.

    ``resolve`` is given every tagged list that is not plain data. ``tensor`` may replace a
    decoded tensor that belongs to a graph on the other side.
    """

    payload: memoryview
    resolve: Importer
    tensor: Callable[[Any, dict[str, Any]], Any] = lambda tensor, more: tensor

    def decode(self, data: Any, depth: int = 0) -> Any:
        try:
            return self._decode(data, depth)
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            raise WireError(f"a value that cannot be read: {error!r}"[:200]) from error

    def _decode(self, data: Any, depth: int) -> Any:
        if depth > MAX_DEPTH or not isinstance(data, list) or not data:
            raise WireError("a value that is not of this protocol")
        tag = data[0]
        if tag == "n":
            return None
        if tag == "b":
            return bool(data[1])
        if tag == "i":
            return int(_text(data[1]), 16)
        if tag == "f":
            text = _text(data[1])
            return float.fromhex(text) if "0x" in text else float(text)
        if tag == "s":
            return _text(data[1])
        if tag == "c":
            return complex(self._decode(data[1], depth + 1), self._decode(data[2], depth + 1))
        if tag == "y":
            return bytes(self._slice(data[1], data[2]))
        if tag == "...":
            return Ellipsis
        if tag == "sl":
            return slice(*(self._decode(part, depth + 1) for part in data[1:4]))
        if tag in ("l", "t", "S", "F"):
            items = [self._decode(item, depth + 1) for item in data[1]]
            if tag in ("S", "F"):
                _check_hashes(items)
            return {"l": list, "t": tuple, "S": set, "F": frozenset}[tag](items)
        if tag == "d":
            keys = [self._decode(pair[0], depth + 1) for pair in data[1]]
            _check_hashes(keys)
            values = [self._decode(pair[1], depth + 1) for pair in data[1]]
            return dict(zip(keys, values, strict=True))
        if tag in ("T", "np", "npg", "size", "dtype", "device"):
            return self._decode_array(tag, data)
        return self.resolve(data)

    def _decode_array(self, tag: str, data: list[Any]) -> Any:
        if tag in ("np", "npg"):
            import numpy

            name = _known(data[1], NUMPY_DTYPES)
            if tag == "npg":
                return numpy.frombuffer(self._slice(data[2], data[3]), dtype=name, count=1)[0]
            shape = _shape(data[2])
            part = self._slice(data[3], data[4])
            return numpy.frombuffer(part, dtype=name).reshape(shape).copy()
        import torch

        if tag == "size":
            return torch.Size(_shape(data[1]))
        if tag == "device":
            return torch.device("cpu")
        name = _known(data[1], TORCH_DTYPES)
        dtype = getattr(torch, name)
        if tag == "dtype":
            return dtype
        shape = _shape(data[2])
        raw = bytearray(self._slice(data[3], data[4]))
        if len(raw) != math.prod(shape) * torch.empty(0, dtype=dtype).element_size():
            raise WireError("an array whose bytes do not fit its shape")
        tensor = torch.frombuffer(raw, dtype=dtype) if raw else torch.empty(0, dtype=dtype)
        more = data[5] if isinstance(data[5], dict) else {}
        return self._finish_tensor(tensor.reshape(shape), more, torch)

    def _finish_tensor(self, tensor: Any, more: dict[str, Any], torch: Any) -> Any:
        differentiable = tensor.is_floating_point() or tensor.is_complex()
        if not more or not differentiable:
            return tensor
        if more.get("leaf") or more.get("graph") is None:
            if more.get("parameter"):
                tensor = torch.nn.Parameter(tensor)
            elif "leaf" in more:
                tensor.requires_grad_()
            if isinstance(more.get("grad"), list):
                gradient = self._decode_array("T", more["grad"])
                if gradient.shape == tensor.shape and gradient.dtype == tensor.dtype:
                    tensor.grad = gradient
        return self.tensor(tensor, more)

    def _slice(self, start: Any, length: Any) -> memoryview:
        if type(start) is not int or type(length) is not int or start < 0 or length < 0:
            raise WireError("an array with a negative place")
        if start + length > len(self.payload):
            raise WireError("an array that reaches beyond its message")
        return self.payload[start : start + length]


def _check_hashes(keys: list[Any]) -> None:
    """Raises WireError for keys made to collide: a table of them takes quadratic time."""
    hashes = sorted(map(hash, keys))
    if any(a == b for a, b in zip(hashes, hashes[MAX_COLLISIONS:], strict=False)):
        raise WireError("a set or dictionary whose keys were made to collide")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise WireError("text expected")
    return value


def _known(value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise WireError("an array of a dtype that is not passed on")
    return str(value)


def _shape(value: Any) -> list[int]:
    if not isinstance(value, list) or len(value) > MAX_DIMENSIONS:
        raise WireError("an array with no shape")
    if any(type(size) is not int or size < 0 for size in value):
        raise WireError("an array with a negative size")
    return value
