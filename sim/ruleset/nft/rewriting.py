"""Statements that change a packet's header: `ip dscp set ef`, `ip6 hoplimit set 64`, `tcp option maxseg size set rt mtu`.

From what is written to a Rewrite, and from a Rewrite to what nft prints. What the fields of other headers would be is refused.
"""

from __future__ import annotations

from sim.ruleset.nft.fields import Known, row_of, selector_of
from sim.ruleset.nft.literals import scalar
from sim.ruleset.nft.printing import Style
from sim.ruleset.nft.printing import scalar as printed
from sim.ruleset.nft.scanner import NotSimulated
from sim.ruleset.nft.syntax import AssignOf, Field, Mistake, Symbol
from sim.ruleset.parts import Rewrite
from sim.ruleset.selectors import SELECTORS

_DSCP_KEEP, _ECN_KEEP = 0x03, 0xFC
_FIELDS = {"ip dscp": 4, "ip6 dscp": 6, "ip ecn": 4, "ip6 ecn": 6, "ip ttl": 4, "ip6 hoplimit": 6}
_MAXSEG = "tcp option maxseg size"


def is_rewrite(target: Field) -> bool:
    """Whether the statement sets a field that can be set here."""
    return " ".join(target.words) in (*_FIELDS, _MAXSEG)


def rewriting(statement: AssignOf, known: Known) -> Rewrite:
    """The model's part. Raises Mistake and NotSimulated."""
    name, value = " ".join(statement.target.words), statement.value
    selector_of(statement.target, known)
    if isinstance(value, Field) and value.words == ("rt", "mtu") and name == _MAXSEG:
        return Rewrite("maxseg rt")
    if not isinstance(value, Symbol):
        raise NotSimulated("set", value.at)
    row = row_of(name, statement.target)
    number = scalar(value, row.type, row.bits)
    if not isinstance(number, int):
        raise Mistake(value.at, f"{name} is a number")
    if name == _MAXSEG:
        return Rewrite("maxseg", number)
    if name.endswith("dscp"):
        return Rewrite("tos", number << 2, _DSCP_KEEP, _FIELDS[name])
    if name.endswith("ecn"):
        return Rewrite("tos", number, _ECN_KEEP, _FIELDS[name])
    return Rewrite("ttl set", number, 0, _FIELDS[name])


def rewrite_words(part: Rewrite, style: Style) -> str:
    """The statement as nft prints it; "" for what only iptables can say."""
    if part.field == "maxseg rt":
        return f"{_MAXSEG} set rt mtu"
    if part.field == "maxseg":
        return f"{_MAXSEG} set {part.value}"
    family = {4: "ip", 6: "ip6"}.get(part.only, "")
    if part.field == "ttl set" and family:
        return f"{family} {'ttl' if part.only == 4 else 'hoplimit'} set {part.value}"
    which = {_DSCP_KEEP: "dscp", _ECN_KEEP: "ecn"}.get(part.keep, "")
    if part.field != "tos" or not family or not which:
        return ""
    value = part.value >> 2 if which == "dscp" else part.value
    return f"{family} {which} set {printed(SELECTORS[f'{family} {which}'], value, style)}"
