"""Judges, rewrites and blends in plain words, for the sentence of a rule (explain.py)."""

from __future__ import annotations

from collections.abc import Callable

from sim.ruleset import said
from sim.ruleset.datatypes import DSCP
from sim.ruleset.hashlimit import SCALE
from sim.ruleset.parts import Blend, Judge, Nothing, Rewrite


def _statistic(part: Judge) -> str:
    if part["mode"] == "random":
        chance = part["probability"] / 2**31
        return f"drawn by chance ({(1 - chance if part['negated'] else chance) * 100:.3g} % of all)"
    return f"all but one of every {part['every'] + 1}" if part["negated"] else f"one of every {part['every'] + 1}"


def _string(part: Judge) -> str:
    return f"that {'do not hold' if part['negated'] else 'hold'} the text {part['pattern'].decode(errors='replace')!r}"


def _connbytes(part: Judge) -> str:
    low, high = part["low"], part["high"]
    size = {"packets": "packets", "bytes": "bytes", "avgpkt": "bytes a packet"}[part["mode"]]
    way = "both directions" if part["dir"] == "both" else f"the {part['dir']} direction"
    if high < low:
        return f"of connections that did not carry {high} to {low} {size} in {way}"
    amount = f"{low} {size} or more" if high >> 63 else f"{low} to {high} {size}"
    return f"of connections that carried {amount} in {way}"


def _recent(part: Judge) -> str:
    name, side = part.name.split(" ", 2)[2], "source" if part["side"] == "rsource" else "destination"
    if part["verb"] in ("set", "remove"):
        return f"whose {side} is {'put on' if part['verb'] == 'set' else 'taken off'} the list {name}"
    not_ = "not " if part["negated"] else ""
    times = f" {part['hitcount']} times" if part["hitcount"] else ""
    within = f" in the last {part['seconds']} seconds" if part["seconds"] else ""
    return f"whose {side} was {not_}seen{times}{within} (list {name})"


def _hashlimit(part: Judge) -> str:
    each = " and ".join({"srcip": "source", "dstip": "destination", "srcport": "source port", "dstport": "destination port"}[mode]
                        for mode in sorted(part["mode"]))  # fmt: skip
    rate = "its rate in bytes" if part["bytes"] else _rate(SCALE / part["average"])
    return f"{'beyond' if part['above'] else 'at no more than'} {rate}" + (f" for each {each}" if each else "")


def _rate(second: float) -> str:
    """So many packets in the shortest time in which there is one."""
    length, unit = next((each for each in ((1, "second"), (60, "minute"), (3600, "hour")) if second * each[0] > 0.99), (86400, "day"))
    return rated(f"{second * length:.3g}", "packets", unit)


def rated(amount: str, per: str, unit: str) -> str:
    """1 packet a second, 5 packets an hour."""
    return f"{amount} {per.removesuffix('s') if amount == '1' else per} {'an' if unit == 'hour' else 'a'} {unit}"


def _connlimit(part: Judge) -> str:
    length = int.from_bytes(part["mask"]).bit_count()
    whose = f"{'destination' if part['daddr'] else 'source'}{'' if length == len(part['mask']) * 8 else f' network (/{length})'}"
    return f"whose {whose} has {'at most' if part['negated'] else 'more than'} {part['above']} connections"


def _tcpmss(part: Judge) -> str:
    return f"{'without' if part['negated'] else 'with'} an MSS of {part['low']} to {part['high']}"


def _connlabel(part: Judge) -> str:
    if part["set"]:
        which = "no connection, while each gets" if part["negated"] else "connections, which get"
        return f"of {which} label {part['bit']}"
    return f"of connections {'without' if part['negated'] else 'with'} label {part['bit']}"


_CLAUSES: dict[str, Callable[[Judge], str]] = {
    "statistic": _statistic, "string": _string, "connbytes": _connbytes, "recent": _recent, "hashlimit": _hashlimit,
    "connlimit": _connlimit, "connlabel": _connlabel, "tcpmss": _tcpmss,
    "ct count": lambda part: f"while there are {'at most' if part['negated'] else 'more than'} {part['above']} connections",
    "numgen": lambda part: f"counted from 0 to {part['mod'] - 1} in turn",
    "quota": lambda part: f"{'after' if part['negated'] else 'within'} a quota of {part['quota']} bytes",
    "physdev": lambda part: "by their bridge ports",
    "rpfilter": lambda part: f"whose answer would {'not ' if part['invert'] else ''}go back the same way",
}  # fmt: skip


def _bits(value: int) -> str:
    return " and ".join(str(bit) for bit in range(value.bit_length()) if value >> bit & 1)


def acted(part: Judge) -> str:
    """What an Act does to packets, which stand for {}."""
    words = {
        "set priority": "give {} the traffic class {class}", "set pkttype": "call {} a packet of type {value}",
        "set nftrace": "let {} be traced" if part.get("value") else "trace {} no more",
        "set zone": "track {} in zone {value}",
        "set event": "tell of {} only some events", "set label": "give the connections of {} the labels " + _bits(part.get("value", 0)),
        "queue": "hand {} to a queue where no program listens", "proxy": "look for a transparent socket for {}, find none",
        "tee": "send a copy of {} to another machine", "reset option": "take the TCP option {name} out of {}",
    }  # fmt: skip
    value = part.get("value", 0)
    traffic = f"{value >> 16:x}:{value & 0xFFFF:x}" if isinstance(value, int) else ""
    told = {"{class}": traffic, "{value}": str(value), "{name}": str(part.get("name"))}
    text = words[part.kind]
    for place, word in told.items():
        text = text.replace(place, word)
    return text


def judged(part: Judge) -> str:
    """What a Judge asks for: "whose source has more than 3 connections"."""
    return (_CLAUSES.get(part.kind) or said.CLAUSES[part.kind])(part)


def _blended(part: Blend) -> str:
    shifted = f", moved {abs(part.shift)} bits to the {'left' if part.shift > 0 else 'right'}" if part.shift else ""
    if part.selector == part.source:
        return f"set the mark of {{}}'s connection to itself & {part.take:#x} ^ {part.value:#x}{shifted}"
    words = ("save the mark of {} in the connection", "give {} the connection's mark")
    return words[part.selector == "meta mark"] + f" (bits {part.take:#x}{shifted})"


def does(part: Rewrite | Blend | Nothing) -> str:
    """What it does to packets, which stand for {}."""
    if isinstance(part, Blend):
        return _blended(part)
    if isinstance(part, Nothing):
        return "leave {} as they are (" + part.why + ")"
    match part.field:
        case "tos" if part.keep == 3:
            name = next((name for name, value in DSCP.items() if value << 2 == part.value), f"{part.value >> 2:#x}")
            return f"set the DSCP of {{}} to {name}"
        case "tos":
            return f"set the TOS of {{}} to {part.value:#04x} (bits {part.keep ^ 255:#04x})"
        case "mss" | "maxseg":
            return f"lower the MSS of {{}} to {part.value}"
        case "mss clamp" | "maxseg rt":
            return "lower the MSS of {} to what the path takes"
        case "ecn remove":
            return "clear the ECN flags of {}"
        case field if field.startswith("set "):
            return f"set the {field[4:]} of {{}} to {part.value}"
    how = {"set": "to", "inc": "up by", "dec": "down by"}[part.field.split()[1]]
    return f"set the TTL of {{}} {how} {part.value}"
