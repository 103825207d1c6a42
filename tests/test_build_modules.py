"""Compiled modules: used only while they are of the very sources that lie here; what is compiled, and what goes into a wheel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import build_modules
from sim import compiled
from sim.ruleset.nft import tables

ROOT = Path(__file__).resolve().parent.parent
NOWHERE: dict[str, str] = {}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source of one line, and a build of it."""
    (tmp_path / "sim").mkdir()
    (tmp_path / "sim/packet.py").write_text("A = 1\n")
    manifest = {
        "python": compiled.this_python(), "folder": "f", "modules": {"sim.packet": "sim/packet.so"},
        "sources": {"sim/packet.py": compiled.digest(tmp_path / "sim/packet.py")},
    }  # fmt: skip
    (tmp_path / "built").mkdir()
    (tmp_path / "built" / compiled.MANIFEST).write_text(json.dumps(manifest))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(compiled, "_state", "")
    return tmp_path


def arranged(tree: Path, environment: dict[str, str] = NOWHERE) -> str:
    return compiled.arrange([tree / "built"], tree, environment)


def finders() -> list[compiled.CompiledFinder]:
    return [finder for finder in sys.meta_path if isinstance(finder, compiled.CompiledFinder)]


def test_a_build_of_these_sources_is_found_ahead_of_them(tree: Path) -> None:
    before = len(finders())
    assert arranged(tree).startswith("compiled modules")
    assert len(finders()) == before + 1
    spec = finders()[0].find_spec("sim.packet", None)
    assert spec is not None and spec.origin == str(tree / "built/f/sim/packet.so")
    assert finders()[0].find_spec("sim.wire", None) is None


def test_an_edited_source_is_never_shadowed(tree: Path) -> None:
    before = finders()
    (tree / "sim/packet.py").write_text("A = 2\n")
    assert arranged(tree) == "pure Python: the compiled modules are older than sim/packet.py"
    assert finders() == before


def test_a_source_that_is_gone_is_an_edited_one(tree: Path) -> None:
    (tree / "sim/packet.py").unlink()
    assert arranged(tree).startswith("pure Python")


def test_extensions_of_another_python_are_left_alone(tree: Path) -> None:
    manifest = json.loads((tree / "built/manifest.json").read_text())
    (tree / "built/manifest.json").write_text(json.dumps({**manifest, "python": "cpython-27"}))
    assert arranged(tree).startswith("pure Python: the compiled modules are for cpython-27, this is cpython-3")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_manifest_that_is_none_is_no_build(tree: Path, text: str) -> None:
    (tree / "built/manifest.json").write_text(text)
    assert arranged(tree) == "pure Python: no compiled modules were built"


def test_the_environment_can_ask_for_pure_python(tree: Path) -> None:
    assert arranged(tree, {"CTLAB_PURE": "1"}) == "pure Python: CTLAB_PURE is set"
    assert arranged(tree, {"CTLAB_PURE": "0"}).startswith("compiled modules")


def test_pure_python_really_is_pure() -> None:
    code = "import sim, sim.packet, sys; print(sim.packet.__file__.endswith('packet.py'), sim.compiled.state())"
    env = {**os.environ, "CTLAB_PURE": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "True pure Python: CTLAB_PURE is set\n"


def test_every_module_that_is_listed_is_there_and_no_package_is_among_them() -> None:
    names = build_modules.hot()
    assert names and all((ROOT / name).is_file() for name in names)
    assert not [name for name in names if name.endswith("__init__.py")]
    assert set(build_modules.settings()["interpreted"]) <= {path.relative_to(ROOT).as_posix() for path in (ROOT / "sim").rglob("*.py")}


def test_a_build_depends_on_all_that_its_modules_import_however_far_off() -> None:
    known = build_modules.digests(["sim/netfilter/fragments.py"])
    assert {"sim/netfilter/fragments.py", "sim/packet.py", "sim/units.py", "sim/errors.py"} <= set(known)
    assert "sim/edges/capture.py" not in known


def test_what_a_machine_lacks_to_compile_is_said_in_a_clause(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build_modules.sysconfig, "get_path", lambda _: str(tmp_path))
    assert "Python.h" in build_modules.lacking()
    (tmp_path / "Python.h").touch()
    monkeypatch.setattr(build_modules.sysconfig, "get_config_var", lambda _: "no-such-compiler -O2")
    assert "no-such-compiler" in build_modules.lacking()


def test_a_wheel_carries_the_extensions_with_their_manifest_but_no_stale_ones(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_modules, "TARGET", tree / "built")
    monkeypatch.setattr(build_modules, "ROOT", tree)
    assert list(build_modules.for_a_wheel().values()) == ["sim/_compiled/manifest.json", "sim/_compiled/f/sim/packet.so"]
    (tree / "sim/packet.py").write_text("A = 2\n")
    assert build_modules.for_a_wheel() == {}


def test_without_a_compiler_a_sentence_says_so_and_a_wheel_is_one_of_pure_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build_modules, "TARGET", tmp_path)
    monkeypatch.setattr(build_modules, "make_tables", lambda: None)
    monkeypatch.setattr(build_modules.sysconfig, "get_config_var", lambda _: "no-such-compiler -pthread")
    for arguments in (["--check"], []):
        assert build_modules.main(arguments) == build_modules.CANNOT
        assert capsys.readouterr().out.startswith("not compiled: there is no C compiler (no-such-compiler)")
    assert build_modules.main(["--list"]) == 0
    assert json.loads(capsys.readouterr().out) == {}
    assert list(tmp_path.iterdir()) == []


def test_nft_s_table_is_kept_as_it_is_made_and_only_of_this_grammar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_modules, "TARGET", tmp_path)
    assert tables.kept([tmp_path]) is None
    made = tables.make()
    monkeypatch.setattr(tables, "make", lambda: made)
    build_modules.make_tables()
    assert tables.kept([tmp_path]) == made
    assert "sim/_compiled/nft_table.z" in build_modules.for_a_wheel().values()
    monkeypatch.setattr(tables, "grammar", lambda: "another")
    assert tables.kept([tmp_path]) is None


@pytest.mark.parametrize("data", [b"", b"junk", zlib.compress(b"[]"), zlib.compress(b"{")])
def test_a_broken_table_is_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / tables.KEPT).write_bytes(data)
    assert tables.kept([tmp_path]) is None
