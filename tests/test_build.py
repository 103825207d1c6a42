"""What makes the project build the same everywhere: pins, hashes, no registry's name, a bootstrap without needs."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ["requirements.lock", "requirements-test.lock"]


def normal(requirement: str) -> str:
    """A requirement's project name, as lock files spell it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=!~\[; ]", requirement)[0]).lower()


def pins(lock: str) -> dict[str, str]:
    """Project name -> the lines of its pin."""
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8").strip())
    return {normal(entry): entry for entry in entries}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_one_version_and_its_hashes(lock: str) -> None:
    for name, entry in pins(lock).items():
        assert re.match(r"\S+==\S+ ", entry), name
        assert "--hash=sha256:" in entry, name


@pytest.mark.parametrize("lock", LOCKS)
def test_all_that_pyproject_asks_for_is_locked(lock: str) -> None:
    wanted = [*PYPROJECT["project"]["dependencies"], *PYPROJECT["build-system"]["requires"]]
    if lock != LOCKS[0]:
        wanted += PYPROJECT["project"]["optional-dependencies"]["test"]
    assert {normal(requirement) for requirement in wanted} <= set(pins(lock))


def test_the_test_lock_holds_the_very_pins_of_the_run_lock() -> None:
    running, testing = (pins(lock) for lock in LOCKS)
    assert {name: testing.get(name) for name in running} == running


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_names_no_address(lock: str) -> None:
    assert "://" not in (ROOT / lock).read_text(encoding="utf-8")


def test_the_page_s_lock_pins_and_hashes_every_package_and_names_no_download_address() -> None:
    packages = json.loads((ROOT / "web/ui/package-lock.json").read_text(encoding="utf-8"))["packages"]
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert not name or package["integrity"].startswith("sha512-"), name


def test_the_page_asks_for_exact_versions_and_the_lock_gives_them() -> None:
    asked = json.loads((ROOT / "web/ui/package.json").read_text(encoding="utf-8"))
    locked = json.loads((ROOT / "web/ui/package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted = {**asked.get("dependencies", {}), **asked["devDependencies"]}
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted


def test_dev_py_needs_the_standard_library_alone_and_an_old_python_can_read_it() -> None:
    names: set[str] = set()
    for file in ("dev.py", "devtools.py"):
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"), feature_version=(3, 8))
        names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names | {"devtools"}


def test_dev_py_explains_itself_when_it_does_not_know_the_command() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "dev.py"), "rnu"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "python3 dev.py run" in done.stdout


def test_ci_calls_the_same_command_as_a_person() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert "python3 dev.py test" in (ROOT / ".ci/run").read_text(encoding="utf-8")
