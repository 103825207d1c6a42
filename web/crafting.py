"""A packet that is being written: its bytes and layers, or what is wrong with it, for the page's form. Nothing is sent."""

from __future__ import annotations

from typing import Any

from sim.craft import craft
from sim.edges.dissect import as_json
from sim.errors import CtlabError


def craft_message(text: str) -> dict[str, Any]:
    """{bytes: hex, layers}, as `dissect` gives them, or {error: a sentence}."""
    try:
        data = craft(text)
        return {"bytes": data.hex(), "layers": as_json(data)}
    except CtlabError as error:
        return {"error": str(error)}
