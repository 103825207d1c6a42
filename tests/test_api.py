"""The simulator from Python: the README's examples are run, and `import sim` stays light."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import sim

README = Path(sim.__file__).parent / "README.md"


def test_the_readme_s_examples_do_what_they_show() -> None:
    done = doctest.testfile(str(README), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert done.attempted >= 12 and done.failed == 0


@pytest.mark.parametrize("name", sim.__all__)
def test_what_is_offered_is_there(name: str) -> None:
    assert getattr(sim, name).__name__ == name and name in sim.OFFERED


def test_what_is_not_offered_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Scenaro'"):
        _ = sim.Scenaro


def test_importing_sim_loads_no_simulation() -> None:
    code = "import sim, sys; print([m for m in ('simpy', 'pydantic', 'yaml', 'lark') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=README.parent.parent, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
