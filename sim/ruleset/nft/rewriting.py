"""Statements that change a packet or what is known of it: `ip dscp set ef`, `tcp dport set 80`, `meta priority set 1:2`.

From what is written to a Rewrite or an Act, and from these to what nft prints. What only some packets have (options) is refused.
"""

from __future__ import annotations

from sim.ruleset.headers import field_of
from sim.ruleset.nft.doing import unfit
from sim.ruleset.nft.elements import Values
from sim.ruleset.nft.fields import ONLY_SET, Known, mask_of, row_of, selector_of
from sim.ruleset.nft.handing import WORDS
from sim.ruleset.nft.literals import scalar
from sim.ruleset.nft.printing import Style, flags
from sim.ruleset.nft.printing import scalar as printed
from sim.ruleset.nft.scanner import NotSimulated
from sim.ruleset.nft.syntax import AssignOf, Binary, Braces, Field, Listed, Mistake, SetName, Symbol
from sim.ruleset.parts import Act, Rewrite
from sim.ruleset.selectors import SELECTORS, Selector

_DSCP_KEEP, _ECN_KEEP = 0x03, 0xFC
_FIELDS = {"ip dscp": 4, "ip6 dscp": 6, "ip ecn": 4, "ip6 ecn": 6, "ip ttl": 4, "ip6 hoplimit": 6}
_MAXSEG = "tcp option maxseg size"
_ACTS = {
    "meta priority": "set priority", "meta nftrace": "set nftrace", "meta pkttype": "set pkttype", "ct zone": "set zone",
    "ct original zone": "set zone", "ct reply zone": "set zone", "ct event": "set event", "ct label": "set label",
}  # fmt: skip

def is_rewrite(target: Field) -> bool:
    """Whether the statement sets a field of a header."""
    name = " ".join(target.words)
    return name in (*_FIELDS, _MAXSEG) or field_of(name) is not None


def rewriting(statement: AssignOf, known: Known) -> Rewrite:
    """The model's part. Raises Mistake and NotSimulated."""
    name, value = " ".join(statement.target.words), statement.value
    name = selector_of(statement.target, known).name
    if isinstance(value, Field) and value.words == ("rt", "mtu") and name == _MAXSEG:
        return Rewrite("maxseg rt")
    row = row_of(name, statement.target)
    if isinstance(value, Braces):
        raise Mistake(value.at, "you cannot use a set here, unknown value to use", statement.at)
    if not isinstance(value, Symbol | Binary | Listed):
        raise NotSimulated("set", value.at)
    return _rewrite(name, _number(value, row))


def _number(value: Symbol | Binary | Listed, row: Selector) -> int:
    if isinstance(value, Listed):
        return Values((row,), None).bits(value, row)
    if isinstance(value, Binary):
        return mask_of(value, row)
    found = scalar(value, row.type, row.bits)
    if isinstance(found, bytes):
        return int.from_bytes(found)
    if not isinstance(found, int):
        raise Mistake(value.at, f"{row.name} is a number")
    return found


def _rewrite(name: str, number: int) -> Rewrite:
    if name == _MAXSEG:
        return Rewrite("maxseg", number)
    if name.endswith("dscp"):
        return Rewrite("tos", number << 2, _DSCP_KEEP, _FIELDS[name])
    if name.endswith("ecn"):
        return Rewrite("tos", number, _ECN_KEEP, _FIELDS[name])
    if name in _FIELDS:
        return Rewrite("ttl set", number, 0, _FIELDS[name])
    return Rewrite(f"set {name}", number)


def acting(statement: AssignOf, row: Selector) -> Act:
    """meta priority set, ct zone set ... Raises Mistake and NotSimulated."""
    name, value = row.name, statement.value
    if name not in _ACTS:
        raise NotSimulated("set", statement.target.at)
    if isinstance(value, Braces):
        raise Mistake(value.at, "you cannot use a set here, unknown value to use", statement.at)
    if isinstance(value, Field):
        raise unfit(row, value, statement.at)
    if isinstance(value, SetName) or not isinstance(value, Symbol | Binary | Listed):
        raise NotSimulated("set", value.at)
    return Act(_ACTS[name], (("selector", name), ("value", _number(value, row))))


def act_words(part: Act, style: Style) -> str:
    """The statement as nft prints it."""
    if part.kind in WORDS:
        return WORDS[part.kind](part)
    if part.kind == "reset option":
        return f"reset tcp option {part['name']}"
    name = part["selector"]
    row = ONLY_SET.get(name) or SELECTORS[name]
    if row.type == "ct_label":
        return f"{name} set {printed(row, part['value'], style)}"
    if row.type == "ct_event":
        return f"{name} set {','.join(flags(row.type, part['value'], style))}"
    return f"{name} set {printed(row, part['value'], style)}"


def rewrite_words(part: Rewrite, style: Style) -> str:
    """The statement as nft prints it; "" for what only iptables can say."""
    if part.field == "maxseg rt":
        return f"{_MAXSEG} set rt mtu"
    if part.field == "maxseg":
        return f"{_MAXSEG} set {part.value}"
    if part.field.startswith("set "):
        return _field_words(SELECTORS[part.field[4:]], part.value, style)
    family = {4: "ip", 6: "ip6"}.get(part.only, "")
    if part.field == "ttl set" and family:
        return f"{family} {'ttl' if part.only == 4 else 'hoplimit'} set {part.value}"
    which = {_DSCP_KEEP: "dscp", _ECN_KEEP: "ecn"}.get(part.keep, "")
    if part.field != "tos" or not family or not which:
        return ""
    value = part.value >> 2 if which == "dscp" else part.value
    return f"{family} {which} set {printed(SELECTORS[f'{family} {which}'], value, style)}"


def _field_words(row: Selector, value: int, style: Style) -> str:
    item = value.to_bytes(row.bits // 8) if row.type in ("ipv4_addr", "ipv6_addr") else value
    return f"{row.name} set {printed(row, item, style)}"
