"""The addresses at which the benchmark of waiting reviews lets nothing answer."""

from __future__ import annotations

import socket

import pytest

from benchmarks.review_waiting import NOTHING, SILENT, address


def connect(host: str) -> socket.socket:
    name, port = host.split(":")
    return socket.create_connection((name, int(port)), timeout=5)


def test_where_nothing_is_a_connection_is_refused() -> None:
    with address(NOTHING) as host, pytest.raises(ConnectionRefusedError):
        connect(host)


def test_a_silent_port_takes_a_connection_and_says_nothing() -> None:
    with address(SILENT) as host, connect(host) as connection:
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(1)
