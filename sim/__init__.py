"""The simulator: a function from (scenario, seed, inputs) to a trace. README.md is the map, and shows how it is used from Python.

`from sim import Scenario, Simulation` and the other names in OFFERED; each is loaded when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sim import compiled

if TYPE_CHECKING:
    from sim.errors import CtlabError, ScenarioError, UsageError
    from sim.inputs import Attempt, Crafted, Key, Line, LinkChange, Power
    from sim.scenario import Scenario
    from sim.simulation import Simulation

__all__ = [
    "Attempt", "Crafted", "CtlabError", "Key", "Line", "LinkChange", "Power", "Scenario", "ScenarioError", "Simulation", "UsageError",
]  # fmt: skip
OFFERED = {
    **dict.fromkeys(("CtlabError", "ScenarioError", "UsageError"), "sim.errors"),
    **dict.fromkeys(("Attempt", "Crafted", "Key", "Line", "LinkChange", "Power"), "sim.inputs"),
    "Scenario": "sim.scenario",
    "Simulation": "sim.simulation",
}

compiled.arrange()


def __getattr__(name: str) -> Any:
    if name in OFFERED:
        return getattr(import_module(OFFERED[name]), name)
    raise AttributeError(f"module 'sim' has no attribute '{name}'")
