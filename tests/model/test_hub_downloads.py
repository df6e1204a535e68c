"""Downloads: from a Hub on this machine that cuts lines, has no pickles asked of it, or is away."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from reference_attention.model_utils import models_folder

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
COMMIT = "a" * 40


class Hub(ThreadingHTTPServer):
    """Serves ``folder`` as ``repository``; ``cut_after`` ends a big answer after so many."""

    repository: str
    folder: Path
    cut_after: int | None = None
    asked: list[str]


class Answers(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        hub = self.server
        path = unquote(urlsplit(self.path).path)
        hub.asked.append(f"{self.command} {path}")
        api, files = f"/api/models/{hub.repository}", f"/{hub.repository}/resolve/"
        if path.startswith(f"{api}/tree/"):
            self.send(json.dumps([self.entry(file) for file in sorted(hub.folder.iterdir())]))
        elif path == api or path.startswith(f"{api}/revision/"):
            siblings = [{"rfilename": file.name} for file in sorted(hub.folder.iterdir())]
            self.send(json.dumps({"id": hub.repository, "sha": COMMIT, "siblings": siblings}))
        elif path.startswith(files):
            self.send_file(hub.folder / path.rpartition("/")[2], body=body)
        else:
            self.send('{"error": "Repository not found"}', 404, {"X-Error-Code": "RepoNotFound"})

    def entry(self, file: Path) -> dict[str, Any]:
        return {
            "type": "file",
            "path": file.name,
            "size": file.stat().st_size,
            "oid": hashlib.sha1(file.read_bytes()).hexdigest(),
        }

    def send(self, text: str, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text.encode())))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def send_file(self, file: Path, *, body: bool) -> None:
        if not file.exists():
            self.send("", 404, {"X-Error-Code": "EntryNotFound"})
            return
        content = file.read_bytes()
        start = 0
        if wanted := self.headers.get("Range", ""):
            start = int(wanted.removeprefix("bytes=").split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if not body:
            return
        cut = self.server.cut_after
        if cut is not None and len(content) > cut:
            self.wfile.write(content[start : start + cut])
            self.close_connection = True
        else:
            self.wfile.write(content[start:])


@contextmanager
def hub_serving(repository: str, folder: Path) -> Iterator[Hub]:
    """The double at ``http://127.0.0.1:PORT`` (``server_port``) for the time of the block."""
    hub = Hub(("127.0.0.1", 0), Answers)
    hub.repository, hub.folder, hub.asked = repository, folder, []
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


NO_HUB = "http://127.0.0.1:9"  # the discard port: nobody answers there


def call(code: str, *, hub: str, models: Path) -> tuple[str, str]:
    """Run a piece of code in a process of its own, as the Hub's address is read at import."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub,
        "HF_HOME": str(models / "home"),
        "ATTENTION_COURSE_MODELS": str(models),
        "PYTHONPATH": str(REPOSITORY),
    }
    program = (
        "from reference_attention.model_utils import *\n"
        "try:\n"
        f"    {code}\n"
        "except ModelNotAvailable as error:\n"
        "    print('NOT AVAILABLE', error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def address(hub: Hub) -> str:
    return f"http://127.0.0.1:{hub.server_port}"


LOAD = "print(load_mini_transformer('somebody/mini').folder.name)"


def test_the_bundled_model_loads_without_a_network(models_elsewhere: Path) -> None:
    shutil.copytree(REPOSITORY / "cache" / "models" / "bundled", models_elsewhere / "bundled")
    out, _ = call("print(continue_text())", hub=NO_HUB, models=models_elsewhere)
    assert out.startswith("The cat sat on the mat ")


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """A model as a repository of the Hub holds it, pickled weights beside the others."""
    folder = tmp_path / "served"
    shutil.copytree(models_folder() / "bundled", folder)
    (folder / "manifest.json").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"never to be fetched")
    return folder


def test_a_hub_model_is_downloaded_once_and_without_its_pickles(
    served: Path, models_elsewhere: Path
) -> None:
    with hub_serving("somebody/mini", served) as hub:
        out, errors = call(LOAD, hub=address(hub), models=models_elsewhere)
        assert out.strip() == "somebody--mini"
        assert "Fetching" in errors  # the progress bar
        assert not any("pytorch_model.bin" in line for line in hub.asked)
    # Whatever there is no more of cannot be downloaded: now it comes from the cache.
    out, _ = call(LOAD, hub=NO_HUB, models=models_elsewhere)
    assert out.strip() == "somebody--mini"


def test_a_download_cut_off_is_said_and_taken_up_where_it_stopped(
    served: Path, models_elsewhere: Path
) -> None:
    with hub_serving("somebody/mini", served) as hub:
        hub.cut_after = 700_000
        out, _ = call(LOAD, hub=address(hub), models=models_elsewhere)
        assert "The download of somebody/mini stopped" in out
        assert "Call this again to go on" in out
        assert not (models_elsewhere / "somebody--mini").exists()
        hub.cut_after = None
        hub.asked.clear()
        out, errors = call(LOAD, hub=address(hub), models=models_elsewhere)
        assert out.strip() == "somebody--mini"
        assert "An earlier download of somebody/mini stopped half-way" in errors
        fetched = [line for line in hub.asked if line.startswith("GET") and "resolve" in line]
        assert [line.rpartition("/")[2] for line in fetched] == ["model.safetensors"]


@pytest.mark.parametrize("harm", ["cut", "gone", "header", "config"])
def test_a_damaged_cache_is_named_and_mended(
    served: Path, models_elsewhere: Path, harm: str
) -> None:
    folder = models_elsewhere / "somebody--mini"
    shutil.copytree(served, folder)
    (folder / "pytorch_model.bin").unlink()
    weights = folder / "model.safetensors"
    if harm == "cut":
        weights.write_bytes(weights.read_bytes()[:-100])
        expected = "model.safetensors: is damaged ("
    elif harm == "gone":
        weights.unlink()
        expected = "model.safetensors: is missing"
    elif harm == "header":
        weights.write_bytes(b"\x50\0\0\0\0\0\0\0" + b"?" * 200)
        expected = "model.safetensors: is damaged (its header cannot be read)"
    else:
        (folder / "config.json").write_text('{"model_type": "gp')
        expected = "config.json: is not whole"
    out, _ = call(LOAD, hub=NO_HUB, models=models_elsewhere)
    assert expected in out
    assert "the Hub cannot be reached. Connect to the internet and call this again" in out
    with hub_serving("somebody/mini", served) as hub:
        out, errors = call(LOAD, hub=address(hub), models=models_elsewhere)
    assert expected in errors
    assert "Downloading somebody/mini again" in errors
    assert out.strip() == "somebody--mini"


def test_without_cache_and_network_it_is_said_what_to_do(models_elsewhere: Path) -> None:
    out, _ = call("load_mini_transformer('distilgpt2')", hub=NO_HUB, models=models_elsewhere)
    assert "distilbert/distilgpt2 is not in" in out
    assert "or use the bundled model: load_mini_transformer()" in out


def test_a_name_that_the_hub_does_not_know_is_said(served: Path, models_elsewhere: Path) -> None:
    with hub_serving("somebody/mini", served) as hub:
        out, _ = call(
            "load_mini_transformer('somebody/maxi')", hub=address(hub), models=models_elsewhere
        )
    assert "no public model named 'somebody/maxi'. Check the spelling" in out
