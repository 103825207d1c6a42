"""iptables' targets that come before conntrack: CT, which says what a new entry will be like, and NOTRACK."""

from __future__ import annotations

from sim.conntrack import helpers
from sim.conntrack.zones import ORIGINAL_ONLY, REPLY_ONLY
from sim.errors import Unsupported
from sim.ruleset.helping import BY_MARK, UseTemplate
from sim.ruleset.iptables.errors import NO_SUCH, Mistake, kernel
from sim.ruleset.iptables.module import Context, Given, Module, Opt, by_name, number, saved_string
from sim.ruleset.model import Extension, Notrack, Option


def _read_ct(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    options = [Option("notrack")] if "notrack" in names else []
    wanted = names["helper"].value.encode()[:15].decode(errors="ignore") if "helper" in names else ""
    if wanted and context.protocol is not None and helpers.is_elsewhere(wanted, context.protocol):
        raise Unsupported(f"helper '{wanted}' is right, but not simulated here", names["helper"].span)
    options += [Option("helper", saved_string(wanted))] if wanted else []
    options += [Option("timeout", saved_string(names["timeout"].value.encode()[:31].decode(errors="ignore")))] if "timeout" in names else []
    events = {name: _events(names[name]) if name in names else 0 for name in _EVENTS}
    options += [Option(name, _event_names(name, bits)) for name, bits in events.items() if bits]
    zones = [each for each in given if each.opt.name in _ZONES]
    zone, only = _zone(zones[-1]) if zones else 0, _direction(zones)
    name = {ORIGINAL_ONLY: "zone-orig", REPLY_ONLY: "zone-reply"}.get(only, "zone")
    options += [Option(name, "mark" if zone == BY_MARK else str(zone))] if zone else []
    made = UseTemplate(wanted or None, zone, only, events["ctevents"], events["expevents"])
    return module.extension(options, (Notrack() if "notrack" in names else made,))


_EVENTS = {
    "ctevents": {
        "new": 1, "related": 2, "destroy": 4, "reply": 8, "assured": 16, "protoinfo": 32, "helper": 64, "mark": 128, "natseqinfo": 256,
        "secmark": 512,
    },
    "expevents": {"new": 1},
}  # fmt: skip


def _events(given: Given) -> int:
    """The bits of events by name, joined by commas."""
    bits = 0
    for word in given.value.split(","):
        if word not in _EVENTS[given.opt.name]:
            raise Mistake(f'Unknown event type "{word}"', given.span)
        bits |= _EVENTS[given.opt.name][word]
    return bits


def _event_names(option: str, bits: int) -> str:
    return ",".join(name for name, bit in _EVENTS[option].items() if bits & bit)


_ZONES = {"zone": 0, "zone-orig": ORIGINAL_ONLY, "zone-reply": REPLY_ONLY}


def _direction(zones: list[Given]) -> int:
    """Both directions named are both, as none is."""
    only = {_ZONES[each.opt.name] for each in zones} - {0}
    return only.pop() if len(only) == 1 else 0


def _zone(given: Given) -> int:
    value = BY_MARK if given.value == "mark" else number(given.value)
    if value is None or value > 0xFFFF:
        raise Mistake(f"Cannot parse {given.value} as a zone ID", given.span)
    return value


def _ct_fits(extension: Extension, context: Context) -> bool:
    """A helper must be there for the rule's protocol, which must be given without `!` (xt_ct_set_helper); notrack asks for none.

    No time-out policy is (xt_ct_set_timeout): the program that makes them, nfct, is not here.
    """
    protocol = context.protocol if not context.protocol_negated else None
    for part in extension.parts:
        wanted = part.helper if isinstance(part, UseTemplate) else None
        if wanted is not None and (protocol is None or helpers.find(wanted, context.family, protocol) is None):
            raise kernel(NO_SUCH)
    names = [option.name for option in extension.options]
    if "timeout" in names and "notrack" not in names:
        if protocol is None:
            return False
        raise kernel(NO_SUCH)
    return True


CT = Module(
    "CT", (Opt("notrack", args=0), Opt("helper"), Opt("timeout"), Opt("ctevents"), Opt("expevents"),
     Opt("zone"), Opt("zone-orig"), Opt("zone-reply")), _read_ct,
    lambda extension, numeric, family: " CT" + "".join(f" {each.name} {each.value}".rstrip() for each in extension.options),
    target=True, tables=frozenset(("raw",)), needs=_ct_fits,
)  # fmt: skip
NOTRACK = Module(
    "NOTRACK", (), lambda module, given, context: module.extension([], (Notrack(),)), lambda extension, numeric, family: " NOTRACK",
    target=True, tables=frozenset(("raw",)),
)  # fmt: skip
