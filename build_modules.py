"""Compiles the hot modules of sim with mypyc: which ones, stands in pyproject.toml ([tool.ctlab] compiled). And makes the tables
of nft's grammar ahead of time, which needs no C compiler.

    python build_modules.py            bring build/compiled up to date; nothing is done when nothing changed
    python build_modules.py --check    say in a line whether there is anything to do (exit status 1: there is)
    python build_modules.py --list     as JSON, the files that a wheel carries of the build, and where in it

The sources stay as they are and run as well without this: sim/compiled.py uses what is built only while it is exactly of these
sources. Exit status: 0 built or unchanged; 3 this machine cannot compile (the last line says what is missing); 1 mypyc or the
compiler refused the sources. Not part of the installed package; a wheel carries what it builds.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import shlex
import shutil
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent
TARGET = ROOT / "build" / "compiled"
GROUP = "ctlab"
"""Names the shared library that holds all compiled code; the extensions are doors to it."""
CANNOT = 3
KEPT = 3
"""How many builds are kept, for processes that still run older ones."""


class CannotCompile(Exception):
    """Something that a compilation needs is not on this machine; the message is a sentence."""


class Refused(Exception):
    """The sources do not compile, or changed meanwhile."""


def finder() -> ModuleType:
    """sim/compiled.py, without the rest of sim."""
    spec = importlib.util.spec_from_file_location("ctlab_compiled", ROOT / "sim" / "compiled.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FINDER = finder()


def settings() -> dict[str, list[str]]:
    """What pyproject.toml says: `compiled` (patterns) and `interpreted` (files)."""
    found: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ctlab"]
    return found


def hot() -> list[str]:
    """The files to compile, as paths under ROOT, sorted."""
    said = settings()
    found = {path.relative_to(ROOT).as_posix() for pattern in said["compiled"] for path in ROOT.glob(pattern)}
    return sorted(name for name in found - set(said["interpreted"]) if not name.endswith("__init__.py"))


def tools() -> str:
    """What compiles: by another version it is another build."""
    try:
        return f"mypy {version('mypy')}, setuptools {version('setuptools')}, {sysconfig.get_config_var('CC') or os.name}"
    except PackageNotFoundError as error:
        raise CannotCompile(f"{error.name}, which compiles the hot modules, is not installed") from error


def lacking() -> str:
    """What this machine lacks to compile, as a clause; "" when it lacks nothing that can be seen beforehand."""
    header = Path(sysconfig.get_path("include")) / "Python.h"
    compiler = shlex.split(sysconfig.get_config_var("CC") or "")
    if os.name != "nt" and not header.is_file():
        return "Python's headers (Python.h) are not installed; on Debian: apt install python3-dev"
    if compiler and not shutil.which(compiler[0]):
        return f"there is no C compiler ({compiler[0]}); on Debian: apt install gcc"
    return ""


def unchanged(names: Sequence[str]) -> bool:
    """Whether what is built is of these modules, sources and tools."""
    manifest = FINDER.read_manifest(TARGET)
    if manifest is None or manifest.get("tools") != tools() or manifest.get("compiled") != list(names):
        return False
    return not FINDER.why_misfit(manifest, ROOT) and (TARGET / manifest["folder"]).is_dir()


def build(names: Sequence[str]) -> None:
    """Compile the modules into a folder of their own, then let the manifest name it. Raises CannotCompile, Refused."""
    if lacking():
        raise CannotCompile(lacking())
    sources = digests(names)
    with tempfile.TemporaryDirectory() as place:
        extensions = translate(names, place)
        compile_all(extensions, place)
        if sources != digests(names):
            raise Refused("files were edited while they were compiled")
        built = Path(place) / "lib"
        manifest = {
            "python": FINDER.this_python(), "tools": tools(), "compiled": list(names), "sources": sources,
            "modules": dict(found_in(built)),
        }  # fmt: skip
        install(built, manifest)


def digests(names: Sequence[str]) -> dict[str, str]:
    """The hash of each module, and of every file of ctlab's that they import, however far off: constants and types are compiled in."""
    found, waiting = set(names), list(names)
    while waiting:
        new = set(imports_of(ROOT / waiting.pop())) - found
        found |= new
        waiting += new
    return {name: FINDER.digest(ROOT / name) for name in sorted(found)}


def imports_of(path: Path) -> Iterator[str]:
    """The files under ROOT that a file imports, also those for the type checker alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        wanted = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            wanted = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        places = [module.replace(".", "/") for module in wanted if module.startswith("sim")]
        yield from (name for place in places for name in (f"{place}.py", f"{place}/__init__.py") if (ROOT / name).is_file())


def translate(names: Sequence[str], place: str) -> list[Any]:
    """The C sources, as setuptools' extensions. Raises Refused."""
    import setuptools  # noqa: F401  (ahead of mypyc, which asks whether it is there)
    from mypyc.build import mypycify

    # No configuration and no installed packages: the same code everywhere. A mistake in a file that is not compiled is no matter.
    options = ["--config-file=", "--no-site-packages", "--ignore-missing-imports", "--follow-imports=silent", f"--cache-dir={os.devnull}"]
    os.chdir(ROOT)
    try:
        return list(mypycify([*options, *names], multi_file=True, target_dir=place, group_name=GROUP, debug_level="0"))
    except SystemExit as error:
        raise Refused("mypyc refuses the sources (its words stand above)") from error


def compile_all(extensions: list[Any], place: str) -> None:
    """Compile and link, as many files at once as there are processors. Raises Refused."""
    from multiprocessing.pool import ThreadPool

    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    class ParallelBuild(build_ext):  # type: ignore[misc]
        """By itself it compiles the files of one extension one after the other."""

        def build_extensions(self) -> None:
            one_by_one = self.compiler.compile

            def together(sources: Sequence[str], **settings: Any) -> list[str]:
                with ThreadPool(os.cpu_count()) as pool:
                    return [made for some in pool.map(lambda one: one_by_one([one], **settings), sources, 1) for made in some]

            self.compiler.compile = together
            super().build_extensions()

    command = ParallelBuild(Distribution({"name": GROUP, "ext_modules": extensions}))
    command.build_lib, command.build_temp = f"{place}/lib", f"{place}/temp"
    command.ensure_finalized()
    try:
        command.run()
    except Exception as error:
        raise Refused(f"the C compiler refuses what mypyc made of the sources: {error}") from error


def found_in(built: Path) -> Iterator[tuple[str, str]]:
    """(module, file) of every extension."""
    for path in sorted(path for path in built.rglob("*") if path.is_file()):
        name = path.relative_to(built).as_posix()
        yield name.partition(".")[0].replace("/", "."), name


def install(built: Path, manifest: dict[str, Any]) -> None:
    """Put a build under TARGET; the manifest is exchanged last and in one go, so whoever starts meanwhile finds a whole build."""
    manifest["folder"] = sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:16]
    folder = TARGET / manifest["folder"]
    TARGET.mkdir(parents=True, exist_ok=True)
    if not folder.is_dir():
        shutil.copytree(built, folder)
    write(TARGET / FINDER.MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())
    builds = sorted((path for path in TARGET.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in builds[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def write(path: Path, data: bytes) -> None:
    """In one go."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_bytes(data)
    new.replace(path)


def make_tables() -> None:
    """nft's parse table, as sim/ruleset/nft/tables.py looks for it. Raises CannotCompile."""
    sys.path.insert(0, str(ROOT))
    if importlib.util.find_spec("lark") is None:
        raise CannotCompile("lark, which makes the tables of nft's grammar, is not installed")
    tables = importlib.import_module("sim.ruleset.nft.tables")
    if tables.kept([TARGET]) is None:
        TARGET.mkdir(parents=True, exist_ok=True)
        write(TARGET / tables.KEPT, tables.packed(tables.make()))


def for_a_wheel() -> dict[str, str]:
    """What a wheel carries of the build: file -> place in the wheel; of the extensions none where they do not fit."""
    names = [path.name for path in TARGET.glob("*.z")]
    manifest = FINDER.read_manifest(TARGET)
    if manifest is not None and not FINDER.why_misfit(manifest, ROOT):
        names += [FINDER.MANIFEST, *(f"{manifest['folder']}/{file}" for file in manifest["modules"].values())]
    return {str(TARGET / name): f"sim/_compiled/{name}" for name in names}


def main(arguments: Sequence[str]) -> int:
    """Build, or `--check`; the exit status."""
    names = hot()
    try:
        if "--list" in arguments:
            print(json.dumps(for_a_wheel()))
            return 0
        make_tables()
        if unchanged(names):
            print("unchanged")
        elif "--check" in arguments:
            print(f"compiling {len(names)} modules (a minute or so)" if not lacking() else f"not compiled: {lacking()}")
            return CANNOT if lacking() else 1
        else:
            build(names)
            print(f"{len(names)} modules compiled")
        return 0
    except (CannotCompile, Refused) as error:
        print(f"not compiled: {error}")
        return CANNOT if isinstance(error, CannotCompile) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
