"""Compiled modules: the hot part of sim as C extensions, made by build_modules.py (mypyc) from the very sources that lie here.

An extension is used only while every .py file that it was made from is, byte for byte, the one that lies here: an edited file is
never shadowed by an older extension. Else, and with CTLAB_PURE=1 in the environment, Python runs the sources; the answers are the
same, later. `sim/__init__.py` calls `arrange` before anything else of sim is imported. Not in here: building.
"""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDERS: Final = (ROOT / "sim" / "_compiled", ROOT / "build" / "compiled")
"""Where the extensions of a wheel are, and those of a source tree."""
MANIFEST: Final = "manifest.json"
PURE: Final = "CTLAB_PURE"
_state = "pure Python: nobody has asked for anything else"


class CompiledFinder(MetaPathFinder):
    """Finds the extensions of one build. `modules`: name -> file."""

    def __init__(self, modules: Mapping[str, Path]) -> None:
        self.modules = dict(modules)

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The extension of that name, or None: then the sources are looked at."""
        file = self.modules.get(fullname)
        return None if file is None else spec_from_file_location(fullname, file)


def arrange(folders: Sequence[Path] = FOLDERS, root: Path = ROOT, environment: Mapping[str, str] = os.environ) -> str:
    """Put the finder in front where there is a build that fits; gives what `state` says from now on."""
    global _state
    if environment.get(PURE, "") not in ("", "0"):
        _state = f"pure Python: {PURE} is set"
        return _state
    _state = "pure Python: no compiled modules were built"
    for folder in folders:
        manifest = read_manifest(folder)
        if manifest is None:
            continue
        misfit = why_misfit(manifest, root)
        if not misfit:
            sys.meta_path.insert(0, CompiledFinder(extensions(manifest, folder)))
            _state = f"compiled modules: {len(manifest['sources'])} files as they were built"
            break
        _state = f"pure Python: {misfit}"
    return _state


def state() -> str:
    """Which of both runs, and why, as one clause: "compiled modules: ..." or "pure Python: ..."."""
    return _state


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """What a build says about itself: python, sources (path -> SHA-256), modules (name -> file), folder; None where there is none."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and {"python", "sources", "modules", "folder"} <= set(found) else None


def why_misfit(manifest: Mapping[str, Any], root: Path = ROOT) -> str:
    """Why the build may not be used with the sources under `root` and this Python; "" when it may."""
    if manifest["python"] != this_python():
        return f"the compiled modules are for {manifest['python']}, this is {this_python()}"
    for name, known in manifest["sources"].items():
        if digest(root / name) != known:
            return f"the compiled modules are older than {name}"
    return ""


def this_python() -> str:
    """What an extension is built for: version and machine, as its file's name has them."""
    return str(sysconfig.get_config_var("EXT_SUFFIX")).strip(".").partition(".")[0]


def digest(path: Path) -> str:
    """SHA-256 of a file; "" of one that is not there."""
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def extensions(manifest: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Name -> file of all its modules."""
    return {name: folder / manifest["folder"] / file for name, file in manifest["modules"].items()}
