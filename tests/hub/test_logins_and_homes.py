"""The three lines of docs/hub.md for another login, and homes that something else made."""

from __future__ import annotations

import asyncio
import importlib
import os
import pwd
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from attention_hub import homes, limits
from attention_hub.settings import FOLDER, NAMED_BY, read
from attention_hub.spawner import CourseSpawner
from jupyterhub.auth import Authenticator, LocalAuthenticator
from jupyterhub.spawner import LocalProcessSpawner
from traitlets import List, Unicode
from traitlets.config import Config

REPOSITORY = FOLDER.parents[1]


def three_lines(name: str) -> str:
    text = (REPOSITORY / "docs" / "hub.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if f'authenticator_class = "{name}"' in block]
    assert found.count("\n") == 3
    return str(found)


def replaced() -> str:
    """The words that the document tells to put three lines in the place of."""
    text = (REPOSITORY / "docs" / "hub.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"in the place of the one that says `([^`]+)`", text)
    return str(found)


def configuration(path: Path, lines: str | None) -> Config:
    """What the hub's configuration says once a person has pasted ``lines``."""
    source = (FOLDER / "jupyterhub_config.py").read_text(encoding="utf-8")
    if lines is not None:
        whole = f"\n{replaced()}\n"
        assert source.count(whole) == 1  # a line of its own, at the left margin
        source = source.replace(whole, f"\n{lines}")
    config = Config()
    names = {"__file__": str(FOLDER / "jupyterhub_config.py"), "get_config": lambda: config}
    exec(compile(source, str(path), "exec"), names)
    return config


class LocalGitHubOAuthenticator(LocalAuthenticator):
    """A stand-in with the settings that oauthenticator documents."""

    client_id = Unicode().tag(config=True)
    client_secret = Unicode().tag(config=True)


class LDAPAuthenticator(Authenticator):
    """A stand-in with the settings that jupyterhub-ldapauthenticator documents."""

    server_address = Unicode().tag(config=True)
    bind_dn_template = List(Unicode()).tag(config=True)


def installed(module: str, stand_in: type[Authenticator]) -> Any:
    try:
        return getattr(importlib.import_module(module), stand_in.__name__)
    except ImportError:
        return stand_in


@pytest.mark.parametrize(
    ("name", "module", "stand_in", "expected"),
    [
        (
            "local-github",
            "oauthenticator.github",
            LocalGitHubOAuthenticator,
            {"client_id": "…", "client_secret": "…", "create_system_users": True},
        ),
        (
            "ldap",
            "ldapauthenticator",
            LDAPAuthenticator,
            {
                "server_address": "ldap.example.org",
                "bind_dn_template": ["uid={username},ou=people,dc=example,dc=org"],
            },
        ),
    ],
)
def test_three_lines_make_another_login(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    module: str,
    stand_in: type[Authenticator],
    expected: dict[str, Any],
) -> None:
    monkeypatch.delenv(NAMED_BY, raising=False)
    config = configuration(tmp_path, three_lines(name))
    assert config.JupyterHub.authenticator_class == name
    made = installed(module, stand_in)(config=config)
    assert {key: getattr(made, key) for key in expected} == expected
    assert "instructor" in made.allowed_users


def test_without_them_the_host_s_own_passwords_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(NAMED_BY, raising=False)
    assert configuration(tmp_path, None).JupyterHub.authenticator_class == "pam"


def test_a_demonstration_asks_for_its_own_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (FOLDER / "hub.toml").read_text(encoding="utf-8")
    path = tmp_path / "hub.toml"
    path.write_text(text.replace("[hub]", '[hub]\npassword = "known"', 1))
    monkeypatch.setenv(NAMED_BY, str(path))
    config = configuration(tmp_path, None)
    assert config.JupyterHub.authenticator_class == "dummy"
    assert config.DummyAuthenticator.password == "known"


def account_of(home: Path, uid: int | None = None) -> pwd.struct_passwd:
    uid = os.getuid() if uid is None else uid
    return pwd.struct_passwd(("student-01", "x", uid, os.getgid(), "", str(home), "/bin/sh"))


@pytest.mark.parametrize(("mode", "changed"), [(0o755, True), (0o2771, True), (0o700, False)])
def test_a_home_is_closed_to_others(tmp_path: Path, mode: int, changed: bool) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(mode)
    assert homes.close_to_others(account_of(home)) is changed
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_home_of_somebody_else_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(homes.OpenHome) as refused:
        homes.close_to_others(account_of(tmp_path, os.getuid() + 4242))
    assert refused.value.jupyterhub_message == (
        f"{tmp_path}, the home of student-01, belongs to another account, so others could read the work "
        "in it. Ask who runs the hub to give it to its owner."
    )


def test_a_missing_home_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(homes.OpenHome, match=r"student-01 has no home: .*/none \(No such file"):
        homes.close_to_others(account_of(tmp_path / "none"))


def test_no_server_starts_before_its_home_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o755)
    seen = []

    async def start(self: LocalProcessSpawner) -> tuple[str, int]:
        seen.append(home.stat().st_mode & 0o777)
        return "127.0.0.1", 1

    monkeypatch.setattr(pwd, "getpwnam", lambda name: account_of(home))
    monkeypatch.setattr(limits, "group_for", lambda name: None)
    monkeypatch.setattr(LocalProcessSpawner, "start", start)
    monkeypatch.setattr(CourseSpawner, "socket_folder", lambda self: tmp_path / "sockets")
    spawner = CourseSpawner.of(read(FOLDER / "hub.toml"))()
    spawner.user = SimpleNamespace(name="student-01")
    asyncio.run(spawner.start())
    assert seen == [0o700]
