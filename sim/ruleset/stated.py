"""nft's statements on sets, maps and objects in plain words, for the sentence of a rule (explain.py). Packets stand for {}."""

from __future__ import annotations

from sim.ruleset.assigned import owned
from sim.ruleset.model import SetReference
from sim.ruleset.parts import AssignMap, MapOf, Quota, SetStatement, UseObject
from sim.ruleset.wording import noun

_OPS = {"add": "put {key} of {{}} into the set {name}", "update": "put {key} of {{}} into the set {name} or renew it there",
    "delete": "take {key} of {{}} out of the set {name}"}  # fmt: skip


def stated(part: SetStatement | UseObject | AssignMap) -> str:
    """What it does."""
    match part:
        case SetStatement(meter=True):
            return f"count {{}} by {noun(part.key)} (meter {part.set})"
        case SetStatement():
            return _OPS[part.op].format(key=noun(part.key), name=part.set)
        case AssignMap():
            return f"set the {owned(part.selector)} of {{}} to what {_map(part.map)} gives"
    which = f"the {part.object} that {_map(part.which)} gives" if isinstance(part.which, MapOf) else f"the {part.object} {part.which}"
    return f"hand {{}} to {which}"


def quota_clause(part: Quota) -> str:
    """What a quota asks for."""
    return f"{'after' if part.over else 'within'} a quota of {part.bytes} bytes"


def _map(part: MapOf) -> str:
    return f"the map {part.entries.name}" if isinstance(part.entries, SetReference) else f"a map by {noun(part.selector)}"
