"""A shell that stands in for a kernel's, a real kernel, and a reader of what they say."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import numpy as np
import pytest
from jupyter_client.manager import start_new_kernel

from attention_course.live import TARGET, messages
from attention_course.live.publisher import Publisher

TOKENS = ["The", "cat", "sat", "on", "the", "mat"]


@cache
def _validator(direction: str) -> jsonschema.Draft202012Validator:
    whole = messages.schema()
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/$defs/{direction}", "$defs": whole["$defs"]}
    )


def assert_fits(data: dict[str, Any], direction: str = "kernel_to_lab") -> None:
    """One message against the schema that the lab is tested against too."""
    _validator(direction).validate(data)


@dataclass
class Said:
    """One message as a lab gets it."""

    data: dict[str, Any]
    buffers: list[bytes]

    def matrix(self, name: str) -> np.ndarray:
        place = next(one for one in self.data["matrices"] if one["name"] == name)
        buffer = bytes(self.buffers[place["buffer"]])
        return np.frombuffer(buffer, "<f4").reshape(place["shape"])

    @property
    def names(self) -> list[str]:
        return [one["name"] for one in self.data["matrices"]]


@dataclass
class StandInComm:
    """A comm that keeps what is sent on it; ``lab_says`` is the other end speaking."""

    comm_id: str
    heard: list[Said] = field(default_factory=list)
    on_message: Callable[[Any], None] | None = None
    on_closed: Callable[[Any], None] | None = None

    def send(self, data: dict[str, Any], buffers: list[memoryview] | None = None) -> None:
        self.heard.append(Said(data, [bytes(buffer) for buffer in buffers or ()]))

    def on_msg(self, callback: Callable[[Any], None]) -> None:
        self.on_message = callback

    def on_close(self, callback: Callable[[Any], None]) -> None:
        self.on_closed = callback

    def lab_says(self, data: Any, version: int | None = 1) -> None:
        if version is not None and isinstance(data, dict):
            data = {"version": version, **data}
        self.on_message({"content": {"data": data}})

    def lab_closes(self) -> None:
        self.on_closed({"content": {"data": {}}})


class StandInKernel:
    """A notebook's kernel as far as the live side sees it: names, cells that run, comms."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: dict[str, Any] = {}
        self.cell_ended: list[Callable[[Any], None]] = []
        self.comms: list[StandInComm] = []
        self.targets: dict[str, Callable[[Any, Any], None]] = {}
        self.registered: list[StandInComm] = []
        self.parent: dict[str, Any] = {}
        manager = SimpleNamespace(
            register_target=self.targets.__setitem__, register_comm=self.registered.append
        )
        monkeypatch.setattr("comm.get_comm_manager", lambda: manager)
        monkeypatch.setattr("comm.create_comm", self._create)
        events = SimpleNamespace(register=lambda name, hook: self.cell_ended.append(hook))
        shell = SimpleNamespace(
            user_ns=self.names, events=events, kernel=None, get_parent=lambda: self.parent
        )
        self.publisher = Publisher(shell)
        self.publisher.attach()

    def _create(self, target_name: str, data: dict[str, Any]) -> StandInComm:
        assert target_name == TARGET
        comm = StandInComm(f"comm-{len(self.comms)}")
        comm.send(data)
        self.comms.append(comm)
        return comm

    def lab_opens(self, data: dict[str, Any] | None = None) -> StandInComm:
        comm = StandInComm(f"lab-{len(self.comms)}")
        self.comms.append(comm)
        self.targets[TARGET](comm, {"content": {"data": data or {}}})
        return comm

    def run(self, cell_id: str | None = "cell-1", **names: Any) -> list[Said]:
        """Run a cell that assigns the names; what was said on the first comm since then."""
        before = len(self.comms[0].heard) if self.comms else 0
        self.names.update(names)
        for hook in self.cell_ended:
            hook(SimpleNamespace(info=SimpleNamespace(cell_id=cell_id), success=True))
        return self.comms[0].heard[before:] if self.comms else []

    @property
    def comm(self) -> StandInComm:
        return self.comms[0]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[StandInKernel]:
    """A stand-in kernel in an empty assignment folder; all it has said fits the schema."""
    monkeypatch.chdir(tmp_path)
    started = StandInKernel(monkeypatch)
    yield started
    for comm in started.comms:
        for said in comm.heard:
            assert_fits(said.data)
            for matrix in said.data.get("matrices", ()):
                rows, columns = matrix["shape"]
                assert len(said.buffers[matrix["buffer"]]) == 4 * rows * columns


class RealKernel:
    """An ipykernel in a process of its own, read as a front end reads it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.manager, self.client = start_new_kernel(
            kernel_name="python3", cwd=str(folder), env={**os.environ, **environment}
        )

    def run(self, code: str, cell_id: str = "cell-1", silent: bool = False) -> list[dict[str, Any]]:
        """All IOPub messages of one cell, up to its end."""
        message = self.client.session.msg(
            "execute_request",
            {"code": code, "silent": silent, "store_history": not silent, "allow_stdin": False},
            metadata={"cellId": cell_id},
        )
        return self._collect(message)

    def say(self, comm_id: str, data: dict[str, Any]) -> list[dict[str, Any]]:
        message = self.client.session.msg("comm_msg", {"comm_id": comm_id, "data": data})
        return self._collect(message)

    def open(self, comm_id: str, data: dict[str, Any]) -> list[dict[str, Any]]:
        content = {"comm_id": comm_id, "target_name": TARGET, "data": data}
        return self._collect(self.client.session.msg("comm_open", content))

    def close(self, comm_id: str) -> list[dict[str, Any]]:
        content = {"comm_id": comm_id, "data": {}}
        return self._collect(self.client.session.msg("comm_close", content))

    def comms(self) -> list[str]:
        reply = self.client.comm_info(TARGET, reply=True, timeout=60)
        return list(reply["content"]["comms"])

    def _collect(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        self.client.shell_channel.send(message)
        found = []
        while True:
            try:
                got = self.client.get_iopub_msg(timeout=60)
            except queue.Empty:
                raise AssertionError("the kernel did not answer in a minute") from None
            if got["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if got["content"].get("execution_state") == "idle":
                return found
            found.append(got)

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def comm_messages(got: list[dict[str, Any]]) -> list[Said]:
    """What was said on comms, in the messages of one cell."""
    return [
        Said(one["content"]["data"], one["buffers"])
        for one in got
        if one["msg_type"] in ("comm_open", "comm_msg")
    ]


@pytest.fixture(scope="session")
def told() -> Callable[[list[dict[str, Any]]], list[Said]]:
    return comm_messages


@pytest.fixture(scope="session")
def fits() -> Callable[..., None]:
    return assert_fits


@pytest.fixture(scope="module")
def real_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealKernel]:
    started = RealKernel(tmp_path_factory.mktemp("attention"))
    yield started
    started.stop()
