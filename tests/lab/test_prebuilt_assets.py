"""The lab extension's committed assets: complete, small, and those of its sources."""

from __future__ import annotations

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ASSETS = Path("jupyterlab_attention") / "labextension"
MOST_BYTES_BEFORE_A_PICTURE = 100_000
NOT_BUILT_FROM = {"node_modules", "lib", ".yarn", "labextension", "tsconfig.tsbuildinfo"}


@pytest.fixture(scope="module")
def extension(repository_root: Path) -> Path:
    return repository_root / "jupyterlab_ext"


def names_under(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)
    return target


@pytest.mark.slow
def test_the_committed_assets_are_what_the_sources_build(extension: Path, tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("node was not found, so the lab extension's assets were not built again")
    if not (extension / "node_modules" / "@jupyter" / "builder").is_dir():
        pytest.skip("jupyterlab_ext/node_modules is not there (make lab-check installs it)")
    fresh = tmp_path / "extension"
    shutil.copytree(
        extension, fresh, ignore=lambda _, names: NOT_BUILT_FROM.intersection(names), symlinks=True
    )
    # Links to each file, not to the folder: the builder's names depend on where modules lie.
    shutil.copytree(
        extension / "node_modules",
        fresh / "node_modules",
        copy_function=link_or_copy,
        symlinks=True,
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    built = subprocess.run(
        ["jlpm", "build:prod"],
        cwd=fresh,
        env=dict(os.environ, PATH=path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    names = names_under(extension / ASSETS)
    assert names_under(fresh / ASSETS) == names, "run jlpm build:prod in jupyterlab_ext"
    _, different, missing = filecmp.cmpfiles(
        extension / ASSETS, fresh / ASSETS, names, shallow=False
    )
    assert different + missing == [], "run jlpm build:prod in jupyterlab_ext"


def test_the_assets_are_complete(extension: Path) -> None:
    package = json.loads((extension / ASSETS / "package.json").read_text())
    build = package["jupyterlab"]["_build"]
    assert (extension / ASSETS / build["load"]).is_file()
    schemas = extension / ASSETS / "schemas" / "jupyterlab-attention"
    for schema in (extension / "schema").glob("*.json"):
        assert json.loads((schemas / schema.name).read_text()) == json.loads(schema.read_text())


def test_little_is_loaded_before_the_first_picture(extension: Path) -> None:
    scripts = list((extension / ASSETS / "static").glob("*.js"))
    (library,) = [script for script in scripts if script.name.startswith("bokeh.")]
    before = sum(script.stat().st_size for script in scripts if script != library)
    assert library.stat().st_size > MOST_BYTES_BEFORE_A_PICTURE
    assert before < MOST_BYTES_BEFORE_A_PICTURE


def test_the_assets_hold_no_source_maps_and_no_folder_of_a_machine(extension: Path) -> None:
    for path in (extension / ASSETS).rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert path.suffix != ".map"
            assert not re.search(r"(?<![\w./-])/(root|work|home/\w+|tmp)/\w", text), path


def test_the_versions_agree(extension: Path) -> None:
    package = json.loads((extension / "package.json").read_text())
    project = tomllib.loads((extension / "pyproject.toml").read_text())["project"]
    module = (extension / "jupyterlab_attention" / "__init__.py").read_text()
    assert project["version"] == package["version"]
    assert f'__version__ = "{package["version"]}"' in module


def test_installing_needs_no_node(extension: Path) -> None:
    project = tomllib.loads((extension / "pyproject.toml").read_text())
    assert project["build-system"]["requires"] == ["hatchling>=1.27"]
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert str(ASSETS) in shared


def test_the_lock_file_names_no_registry(extension: Path) -> None:
    assert not re.search(r"https?://", (extension / "yarn.lock").read_text())


def test_bokehjs_is_the_version_that_python_s_bokeh_is_pinned_to(
    extension: Path, repository_root: Path
) -> None:
    wanted = json.loads((extension / "package.json").read_text())["dependencies"]["@bokeh/bokehjs"]
    assert f"bokeh=={wanted}" in (repository_root / "constraints.txt").read_text().splitlines()
