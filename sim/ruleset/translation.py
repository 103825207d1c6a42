"""What a rule's Nat part does to a packet's connection: from the model to what sim/netfilter/nat takes."""

from __future__ import annotations

from sim.conntrack.words import Status
from sim.netfilter.nat import Nat as Engine
from sim.netfilter.nat import NatRange
from sim.netfilter.nat.choice import DST, SRC
from sim.netfilter.skb import Skb
from sim.ruleset.parts import MapOf, Nat
from sim.ruleset.wording import noun
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
    if part.form == "prefix" and part.low is not None:
        return _prefix(part, skb, engine)
    ports = None if part.ports is None else (part.ports[0], part.ports[-1])
    random, persistent = bool(part.flags & RANDOM), "persistent" in part.flags
    wanted = NatRange(part.low, part.high or part.low, ports, part.base, random, persistent)
    if part.kind == "masquerade":
        return engine.masquerade(skb, wanted)
    if part.kind == "redirect":
        return engine.redirect(skb, wanted)
    return 1 if skb.conn is None else engine.bind(skb.conn, wanted, _MANIP[part.kind])


def _prefix(part: Nat, skb: Skb, engine: Engine) -> int:
    """The network changes, the host stays. In IPv4 Linux calls such a connection DST_NAT even if its address stays what it was."""
    assert part.low is not None
    verdict = engine.netmap(skb, part.low, mask_of(part.low, part.high or part.low))
    if part.kind == "dnat" and skb.conn is not None and skb.packet.version == 4 and not skb.conn.status & Status.CONFIRMED:
        skb.conn.status |= int(Status.DST_NAT)
    return verdict


def mask_of(low: bytes, high: bytes) -> bytes:
    """The bits in which the two are equal (nft_nat_setup_netmap)."""
    return bytes(~(a ^ b) & 255 for a, b in zip(low, high, strict=True))


def doing(part: Nat) -> str:
    """What it does, in words for a sentence: "{}" stands for the packets."""
    if part.reads:
        return _by_a_map(part)
    if part.form == "prefix" and part.low is not None:
        mask = mask_of(part.low, part.high or part.low)
        side = "sources" if part.kind == "snat" else "destinations"
        return f"move the {side} of {{}} into the network {show_address(part.low)}/{int.from_bytes(mask).bit_count()}, host by host"
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


def _by_a_map(part: Nat) -> str:
    verb = {"snat": "let {} come from", "masquerade": "let {} come from"}.get(part.kind, "send {} to")
    where, port = _place(part.source, "address"), _place(part.port_source, "port")
    if part.low is not None:
        where = show_address(part.low)
    return f"{verb} {' and '.join(filter(None, (where, port)))}"


def _place(source: str | MapOf, what: str) -> str:
    if not source:
        return ""
    return f"the {what} that the map has for {noun(source.selector)}" if isinstance(source, MapOf) else f"the {what} in {source}"


def _ports(ports: tuple[int, ...] | None) -> str:
    if ports is None:
        return "the same port"
    return f"port {ports[0]}" if ports[0] == ports[-1] else f"ports {ports[0]} to {ports[-1]}"


def _network(part: Nat) -> str:
    assert part.low is not None and part.high is not None
    return f"{show_address(part.low)}/{int.from_bytes(part.high).bit_count()}"
