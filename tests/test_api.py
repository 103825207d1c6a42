"""The simulator from Python: the README's examples are run, and `import sim` stays light."""

from __future__ import annotations

import doctest
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import sim
from sim.errors import CtlabError

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


SAID = {
    "title": "x", "firewall": "b", "machines": {name: {"interfaces": {"eth0": f"10.0.0.{n}/24"}} for n, name in enumerate("ab", 1)},
    "links": [{"between": ["a.eth0", "b.eth0"]}], "terminals": [{"id": "a", "machine": "a"}],
}  # fmt: skip
MISTAKES: dict[str, tuple[Callable[[sim.Simulation], object], str]] = {
    "no mapping": (lambda _: sim.Scenario.of("x.yaml"), "from_text and from_file read"),  # type: ignore[arg-type]
    "a key that is none": (lambda _: sim.Scenario.of(SAID | {"titel": "x"}), "did you mean 'title'?"),
    "a tuple for a link": (lambda _: sim.Scenario.of(SAID | {"links": [("a.eth0", "b.eth0")]}), "links.0: a mapping"),
    "a mapping to run": (lambda _: sim.Simulation(SAID), "a Scenario is wanted here, not dict"),  # type: ignore[arg-type]
    "a word for an input": (lambda s: s.give(s.now, "ls"), "an input is wanted here, not str"),  # type: ignore[arg-type]
    "a number for a line": (lambda s: s.type("a", 5), "a line is text, not int"),  # type: ignore[arg-type]
    "a word for a time": (lambda s: s.run("1s"), "a time in µs is wanted here"),  # type: ignore[arg-type]
    "a fork at a word": (lambda s: s.fork(at="1s"), "a time in µs is wanted here"),  # type: ignore[arg-type]
    "a power that is none": (lambda s: s.give(s.now, sim.Power("a", "of")), "did you mean 'off'?"),
    "a field that is none": (lambda s: s.ask("label", lable="NEW"), "a label record has no field 'lable'. did you mean 'label'?"),
}


@pytest.mark.parametrize(("do", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_python_is_told_in_a_sentence_of_ctlabs_own(do: Callable[[sim.Simulation], object], words: str) -> None:
    simulation = sim.Simulation(sim.Scenario.of(SAID))
    with pytest.raises(CtlabError) as caught:
        do(simulation)
    assert words in str(caught.value) and "pydantic" not in str(caught.value)
