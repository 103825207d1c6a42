"""Who imports whom: the order in sim/README.md holds, and `import sim` stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ORDER = [
    "compiled", "hugepages", "errors", "patience", "units", "packet", "wire", "craft", "trace", "asking", "conntrack", "netfilter",
    "ruleset", "machine", "apps", "shell", "network", "document", "inputs", "scenario", "assembly", "build", "simulation", "trial", "edges",
]  # fmt: skip


def files(folder: str) -> list[Path]:
    return [path for path in sorted((ROOT / folder).rglob("*.py")) if "node_modules" not in path.parts]


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """(line, module) of every import that really happens: those under TYPE_CHECKING bind nothing when run."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    only_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in only_types:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.lineno, node.module


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("path", files("sim"), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_of_sim_imports_only_rooms_below_it(path: Path) -> None:
    own = path.relative_to(ROOT / "sim").parts[0].removesuffix(".py")
    if own == "__init__":
        return
    assert own in ORDER, f"{own} has no place in the order: give it one here and in sim/README.md"
    for line, module in imported(path):
        assert module.split(".")[0] not in ("web", "lessons"), f"{path.name}:{line} imports {module}"
        if module.startswith("sim.") and room(module) != own:
            assert ORDER.index(room(module)) < ORDER.index(own), f"{path.name}:{line}: {own} is below {room(module)}"
        if own != "edges":
            assert module.split(".")[0] not in ("flask", "flask_socketio", "socketio", "scapy"), (
                f"{path.name}:{line} imports {module}"
            )


@pytest.mark.parametrize("path", files("lessons"), ids=lambda path: str(path.relative_to(ROOT)))
def test_lessons_never_import_web(path: Path) -> None:
    assert [module for _, module in imported(path) if module.split(".")[0] == "web"] == []


def test_importing_the_simulator_loads_neither_flask_nor_scapy_nor_socketio() -> None:
    code = "import sim.simulation, sys; print([m for m in ('flask', 'scapy', 'socketio', 'flask_socketio') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
