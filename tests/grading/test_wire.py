"""Frames and values: what arrives is plain data of declared size, or an error."""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attention_course.grading.sandbox.wire import (
    ConnectionEnded,
    Decoder,
    Encoder,
    ReplyTimeout,
    WireError,
    receive_frame,
    send_frame,
)


def no_handles(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} is not plain data")


def roundtrip(value: Any) -> Any:
    encoder = Encoder(no_handles)
    data = json.loads(json.dumps(encoder.encode(value)))
    return Decoder(memoryview(b"".join(encoder.chunks)), no_handles).decode(data)


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
)
hashable = st.none() | st.booleans() | st.integers() | st.text()
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(hashable, inner)
        | st.sets(hashable)
    ),
    max_leaves=20,
)


@given(values)
def test_plain_values_arrive_as_they_were_sent(value: Any) -> None:
    back = roundtrip(value)
    assert back == value and type(back) is type(value)


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "float16", "bfloat16", "int64", "bool", "complex64"]
)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3, 4)])
def test_tensors_keep_dtype_shape_and_bits(dtype: str, shape: tuple[int, ...]) -> None:
    tensor = (torch.randn(shape) * 3).to(getattr(torch, dtype))
    back = roundtrip(tensor)
    assert back.dtype == tensor.dtype and back.shape == tensor.shape
    assert torch.equal(back, tensor)


def test_views_nan_and_infinities_arrive() -> None:
    tensor = torch.tensor([[1.0, math.nan], [math.inf, -math.inf]]).T
    assert torch.equal(roundtrip(tensor).nan_to_num(7), tensor.nan_to_num(7))
    assert math.isnan(roundtrip(math.nan)) and roundtrip(-math.inf) == -math.inf


def test_arrays_and_numpy_scalars_arrive() -> None:
    array = np.arange(6, dtype=np.uint16).reshape(2, 3).T
    assert (roundtrip(array) == array).all() and roundtrip(array).dtype == array.dtype
    assert roundtrip(np.float64(0.5)) == 0.5


def test_what_is_no_plain_data_is_not_sent_by_itself() -> None:
    class Number(int):
        pass

    for value in (
        object(),
        Number(3),
        print,
        torch.zeros(2).to_sparse(),
        torch.zeros(1).expand(10**12),
    ):
        with pytest.raises(TypeError, match="not plain data"):
            roundtrip(value)


BAD = [
    5,
    [],
    ["?"],
    ["i", 5],
    ["i", "0x"],
    ["f", "one"],
    ["l", 3],
    ["d", [[["l", []], ["n"]]]],
    ["T", "float32", [2], 0, 4, {}],
    ["T", "float32", [10**30], 0, 4, {}],
    ["T", "float32", [-1], 0, 4, {}],
    ["T", "object", [1], 0, 4, {}],
    ["T", "float32", [1], -4, 4, {}],
    ["T", "float32", [1], 0, 4096, {}],
    ["T", "float32", "1", 0, 4, {}],
    ["np", "object", [1], 0, 4],
    ["np", "float32", [3], 0, 4],
    ["npg", "float64", 0, 4],
    ["T", "float32", [1] * 100, 0, 4, {}],
    ["size", [-1]],
    ["s", 5],
    ["T"],
]


@pytest.mark.parametrize("data", BAD, ids=repr)
def test_malformed_values_are_one_error(data: Any) -> None:
    def unknown(value: list[Any]) -> Any:
        raise WireError("a value that is not of this protocol")

    with pytest.raises(WireError):
        Decoder(memoryview(b"\0\0\0\0"), unknown).decode(data)


def test_a_value_nested_too_deeply_is_an_error() -> None:
    data: list[Any] = ["n"]
    for _ in range(60):
        data = ["l", [data]]
    with pytest.raises(WireError):
        Decoder(memoryview(b""), no_handles).decode(data)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair()
    yield left, right
    left.close()
    right.close()


Ends = tuple[socket.socket, socket.socket]


def soon() -> float:
    return time.monotonic() + 5


def test_a_frame_arrives_whole(ends: Ends) -> None:
    send_frame(ends[0], {"op": "call"}, [b"abc", b"def"], soon())
    header, payload = receive_frame(ends[1], soon())
    assert header == {"op": "call"} and bytes(payload) == b"abcdef"


@pytest.mark.parametrize(
    "raw",
    [
        struct.pack(">IQ", 2**31, 0),
        struct.pack(">IQ", 2, 2**60) + b"{}",
        struct.pack(">IQ", 4, 0) + b"[1]]",
        struct.pack(">IQ", 3, 0) + b"123",
        struct.pack(">IQ", 100_000, 0) + b"[" * 100_000,
        struct.pack(">IQ", 2, 0) + b"\xff\xff",
    ],
)
def test_a_frame_that_is_none_is_refused_before_it_is_read(ends: Ends, raw: bytes) -> None:
    ends[0].sendall(raw)
    with pytest.raises(WireError):
        receive_frame(ends[1], soon())


def test_an_end_in_the_middle_and_a_silence_are_told_apart(ends: Ends) -> None:
    ends[0].sendall(struct.pack(">IQ", 10, 0) + b"{")
    with pytest.raises(ReplyTimeout):
        receive_frame(ends[1], time.monotonic() + 0.05)
    ends[0].close()
    with pytest.raises(ConnectionEnded):
        receive_frame(ends[1], soon())
