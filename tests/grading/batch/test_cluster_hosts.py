"""Workers on hosts of their own, in network namespaces; one is cut off in the middle."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .clusters import Cluster
from .conftest import WRONG
from .test_cluster import During, a_class, each_once


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def why_no_hosts() -> str | None:
    if sys.platform != "linux" or os.getuid() != 0:
        return "only root makes network namespaces"
    if shutil.which("ip") is None:
        return "ip is not installed (Debian: apt-get install iproute2)"
    name = f"ac-try-{secrets.token_hex(2)}"
    try:
        ip("netns", "add", name)
        ip("netns", "del", name)
    except subprocess.CalledProcessError as error:
        return f"no network namespace can be made ({error.stderr.strip()})"
    return None


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(why_no_hosts() is not None, reason=str(why_no_hosts())),
]


class Hosts:
    """A bridge on this machine, with hosts behind it that each have one address."""

    def __init__(self) -> None:
        mark = secrets.token_hex(3)
        self.bridge, self.net = (
            f"acb{mark}",
            f"10.{200 + int(mark[:2], 16) % 50}.{int(mark[2:4], 16)}",
        )
        self.address = f"{self.net}.1"
        self.names: list[str] = []
        self.mark = mark

    def begin(self) -> None:
        ip("link", "add", self.bridge, "type", "bridge")
        ip("addr", "add", f"{self.address}/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")

    def add(self) -> tuple[str, str]:
        """A new host: its namespace and its address."""
        number = len(self.names) + 2
        name, outside = f"ach{self.mark}-{number}", f"acv{self.mark}{number}"
        ip("netns", "add", name)
        self.names.append(name)
        ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("link", "set", outside, "master", self.bridge, "up")
        address = f"{self.net}.{number}"
        ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            ip("-n", name, "link", "set", device, "up")
        return name, address

    def cut(self, number: int) -> None:
        """Take the cable of a host out."""
        ip("link", "set", f"acv{self.mark}{number + 2}", "down")

    def end(self) -> None:
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
        subprocess.run(["ip", "link", "del", self.bridge], capture_output=True)


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    made = Hosts()
    try:
        made.begin()
        yield made
    finally:
        made.end()


def test_a_host_that_is_cut_off_costs_nobody_a_mark(
    small: Any, tmp_path: Path, hosts: Hosts
) -> None:
    names = a_class(small, 16)
    (tmp_path / "dask").mkdir()
    patience = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "4s"}
    cluster = Cluster(tmp_path / "dask", host=hosts.address, settings=patience)
    try:
        cluster.begin()
        for _ in range(2):
            name, address = hosts.add()
            cluster.add("ip", "netns", "exec", name, host=address)
        cluster.wait_for(2)
        with During(small, 4, lambda: hosts.cut(0)) as during:
            summary = small.grade(pool=cluster.pool(small.told.say))
        # It goes on by itself over there; nothing of what it does arrives.
        assert during.done and cluster.workers[0].poll() is None
    finally:
        cluster.end()
    assert set(summary.graded) == set(names) and each_once(small, names)
    wrong = [name for number, name in enumerate(names) if number % 5 == 1]
    assert WRONG and all(small.automatic(name)["test_double"] == 0.0 for name in wrong)
    assert small.automatic(names[0])["test_double"] == 2.0
