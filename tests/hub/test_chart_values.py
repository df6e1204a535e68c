"""The values for the charts: names, versions, and what JupyterHub makes of the roles."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
KUBERNETES = REPOSITORY / "deploy" / "kubernetes"
NGSHARE = "access:services!service=ngshare"
# The keys that we use, as the charts' own values.yaml and manuals have them.
OF_THE_HUB = {
    "hub": {"config", "services", "loadRoles", "networkPolicy"},
    "hub.networkPolicy": {"ingress"},
    "singleuser": {
        *("image", "defaultUrl", "memory", "cpu", "storage", "extraEnv", "networkPolicy"),
    },
    "singleuser.image": {"name", "tag"},
    "singleuser.memory": {"guarantee", "limit"},
    "singleuser.cpu": {"guarantee", "limit"},
    "singleuser.storage": {"capacity"},
    "singleuser.networkPolicy": {"enabled", "egressAllowRules"},
    "singleuser.networkPolicy.egressAllowRules": {
        *("cloudMetadataServer", "nonPrivateIPs", "privateIPs"),
    },
    "cull": {"enabled", "timeout"},
}
OF_NGSHARE = {
    "ngshare": {"admins", "hub_api_url", "hub_api_token"},
    "deployment": {"resources"},
    "pvc": {"storage"},
}


def read(name: str) -> Any:
    return yaml.safe_load((KUBERNETES / name).read_text(encoding="utf-8"))


HUB, EXCHANGE = read("hub-values.yaml"), read("ngshare-values.yaml")


@pytest.mark.parametrize(
    ("values", "known"), [(HUB, OF_THE_HUB), (EXCHANGE, OF_NGSHARE)], ids=["hub", "ngshare"]
)
def test_every_key_is_one_that_the_chart_has(values: Any, known: dict[str, set[str]]) -> None:
    assert values.keys() == {path for path in known if "." not in path}
    for path, keys in known.items():
        found = values
        for word in path.split("."):
            found = found[word]
        assert found.keys() == keys, path


def test_hub_and_exchange_find_each_other() -> None:
    (service,) = HUB["hub"]["services"]
    assert service == "ngshare"  # the chart's service, label and prefix all come from its name
    assert HUB["hub"]["services"][service]["url"] == f"http://{service}:8080"
    (rule,) = HUB["hub"]["networkPolicy"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": service}}}]
    assert EXCHANGE["ngshare"]["hub_api_url"] == "http://hub:8081/hub/api"
    assert EXCHANGE["ngshare"]["hub_api_token"] == ""  # a secret is not in this file
    students = (KUBERNETES / "images" / "nbgrader_config.py").read_text(encoding="utf-8")
    assert f'"http://proxy-public/services/{service}"' in students
    instructors = (KUBERNETES / "instructor.yaml").read_text(encoding="utf-8")
    assert f'"http://{service}:8080/services/{service}"' in instructors
    for path in (students, instructors):
        assert 'c.CourseDirectory.course_id = "attention-course"' in path
    (admin,) = EXCHANGE["ngshare"]["admins"]
    assert f"{{name: JUPYTERHUB_USER, value: {admin}}}" in instructors
    document = (REPOSITORY / "docs" / "hub.md").read_text(encoding="utf-8")
    assert f"create_course attention-course {admin}\n" in document
    assert f'"hub.services.{service}.apiToken"' in document


def test_servers_are_started_from_the_image_that_we_build() -> None:
    image = HUB["singleuser"]["image"]
    registry, _, name = image["name"].rpartition("/")
    assert (KUBERNETES / "images" / f"{name}.Dockerfile").exists()
    grader = f"{registry}/grader:{image['tag']}"
    used = set(
        re.findall(
            r"image: (\S+/grader:\S+)",
            "".join(path.read_text(encoding="utf-8") for path in KUBERNETES.glob("*.yaml")),
        )
    )
    assert used == {grader}
    version = re.search(r'^version = "(.+)"', (REPOSITORY / "pyproject.toml").read_text(), re.M)
    assert version is not None and image["tag"] == version[1]


def test_hub_and_servers_have_one_jupyterhub_and_the_document_names_it() -> None:
    dockerfile = (KUBERNETES / "images" / "singleuser.Dockerfile").read_text(encoding="utf-8")
    values = (KUBERNETES / "hub-values.yaml").read_text(encoding="utf-8")
    document = (REPOSITORY / "docs" / "hub.md").read_text(encoding="utf-8")
    built = re.search(r"^ARG JUPYTERHUB=(\S+)$", dockerfile, re.M)
    chart = re.search(r"zero-to-jupyterhub, (\S+) \(JupyterHub (\S+)\)", values)
    assert built is not None and chart is not None
    assert built[1] == chart[2]
    assert '"jupyterhub==$JUPYTERHUB"' in dockerfile
    assert f"jupyterhub/jupyterhub --version {chart[1]} " in document
    assert f"The chart brings the hub's, {chart[2]}," in document


@pytest.mark.parametrize("path", sorted((KUBERNETES / "images").glob("*.Dockerfile")), ids=str)
def test_ngshare_s_client_is_installed_without_its_jupyter_core_of_2022(path: Path) -> None:
    """With its own requirements pip finds no solution, and no image is built."""
    (line,) = re.findall(r"^RUN .*ngshare-exchange==.*$", path.read_text("utf-8"), re.M)
    assert " --no-deps " in line


def scopes_of_a_students_server(roles: dict[str, Any]) -> set[str]:
    """What JupyterHub's own code gives to the token of a plain user's server."""
    from jupyterhub import orm, scopes
    from jupyterhub.app import JupyterHub
    from jupyterhub.roles import assign_default_roles, get_roles_for, roles_to_scopes

    # As the chart does: the key is the role's name.
    loaded = [{"name": name, **role} for name, role in roles.items()]
    app = JupyterHub(db_url="sqlite:///:memory:", load_roles=loaded, log_level=50)
    app.init_db()
    app.authenticator = app.authenticator_class(parent=app)
    asyncio.run(app.init_role_creation())
    student = orm.User(name="student-01")
    app.db.add(student)
    app.db.add(orm.Service(name="ngshare"))
    app.db.commit()
    assign_default_roles(app.db, entity=student)
    # jupyterhub.user.User.spawn: the role "server", as far as the user's own scopes go.
    wanted = {
        f"{scope}=student-01/" if scope.endswith("!server") else scope
        for scope in orm.Role.find(app.db, "server").scopes
    }
    held = roles_to_scopes(get_roles_for(student)) | {"inherit"}
    client = app.db.query(orm.OAuthClient).filter_by(identifier="jupyterhub").one()
    given, _ = scopes._resolve_requested_scopes(wanted, held, student, client, app.db)
    text = student.new_api_token(note="server", scopes=given)
    return set(scopes.get_scopes_for(orm.APIToken.find(app.db, text)))


def test_a_student_s_server_may_use_ngshare_and_no_other_account() -> None:
    held = scopes_of_a_students_server(HUB["hub"]["loadRoles"])
    assert NGSHARE in held
    assert {"users:activity!user=student-01", "access:servers!server=student-01/"} <= held
    # It is the token of a program: it may not start servers or make tokens.
    assert not {scope for scope in held if scope.startswith(("tokens", "servers", "admin"))}


def test_without_the_user_s_role_the_server_s_token_would_lose_it() -> None:
    roles = {k: v for k, v in HUB["hub"]["loadRoles"].items() if k != "user"}
    assert roles and NGSHARE not in scopes_of_a_students_server(roles)
