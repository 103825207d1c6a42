"""What a rule's Nat part does to a packet's connection: from the model to what sim/netfilter/nat takes."""

from __future__ import annotations

from sim.netfilter.nat import Nat as Engine
from sim.netfilter.nat import NatRange
from sim.netfilter.nat.choice import DST, SRC
from sim.netfilter.skb import Skb
from sim.ruleset.parts import Nat
from sim.units import show_address

RANDOM = frozenset(("random", "fully-random"))
_MANIP = {"snat": SRC, "dnat": DST}
_VERSION = {"ip": 4, "ip6": 6}


def concerns(part: Nat, skb: Skb) -> bool:
    """Whether the part is about packets of this family; in an inet table the others go on to the next rule."""
    return not part.family or _VERSION[part.family] == skb.packet.version


def translate(part: Nat, skb: Skb, engine: Engine) -> int:
    """Bind the packet's connection as the rule says; the verdict: ACCEPT, or DROP where the machine has no address to give."""
    if part.kind == "netmap":
        assert part.low is not None and part.high is not None
        return engine.netmap(skb, part.low, part.high)
    ports = None if part.ports is None else (part.ports[0], part.ports[-1])
    random, persistent = bool(part.flags & RANDOM), "persistent" in part.flags
    wanted = NatRange(part.low, part.high or part.low, ports, part.base, random, persistent)
    if part.kind == "masquerade":
        return engine.masquerade(skb, wanted)
    if part.kind == "redirect":
        return engine.redirect(skb, wanted)
    return 1 if skb.conn is None else engine.bind(skb.conn, wanted, _MANIP[part.kind])


def doing(part: Nat) -> str:
    """What it does, in words for a sentence: "{}" stands for the packets."""
    ports = f", {_ports(part.ports)}" if part.ports is not None else ""
    match part.kind:
        case "masquerade":
            return f"give {{}} the address of the device they leave by as their source{ports}"
        case "redirect":
            return f"send {{}} to this machine itself{ports}"
        case "netmap":
            return f"move the addresses of {{}} into the network {_network(part)}, host by host"
    if part.low is None:
        return f"{'send {} to' if part.kind == 'dnat' else 'let {} come from'} {_ports(part.ports)}"
    where = show_address(part.low)
    if part.high not in (None, part.low):
        where = f"one of {where} to {show_address(part.high or part.low)}"
    return f"{'send {} to' if part.kind == 'dnat' else 'let {} come from'} {where}{ports}"


def _ports(ports: tuple[int, ...] | None) -> str:
    if ports is None:
        return "the same port"
    return f"port {ports[0]}" if ports[0] == ports[-1] else f"ports {ports[0]} to {ports[-1]}"


def _network(part: Nat) -> str:
    assert part.low is not None and part.high is not None
    return f"{show_address(part.low)}/{int.from_bytes(part.high).bit_count()}"
