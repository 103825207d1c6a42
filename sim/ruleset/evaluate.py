"""Compiles a table to functions: links the generated source with what it calls and with the cells it counts in.

`link(table, ...)` gives a function for each base chain, Skb -> DROP 0 | ACCEPT 1. Probe compiles one comparison alone,
for the slow path that explains itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sim.conntrack.conn import Conn
from sim.conntrack.words import CONFIRMED
from sim.netfilter.nat import Nat
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.ruleset import beyond, drawn, generate
from sim.ruleset.headers6 import headers_whole
from sim.ruleset.helping import set_helper, use_template
from sim.ruleset.log import log_line
from sim.ruleset.model import Compare, Log, Reject, Table
from sim.ruleset.reject import rejection
from sim.ruleset.rewrite import maxseg_place, rewrite, route_mss
from sim.ruleset.selectors import as_it_lies
from sim.ruleset.translation import translate
from sim.units import is_link_local

ChainFunction = Callable[[Skb], int]

# What `ct state` reads: NF_CT_STATE_BIT of the ctinfo; without an entry INVALID, unless UNTRACKED (nft_ct_get_eval).
CT_STATE_BITS = {None: 1, 0: 2, 1: 4, 2: 8, 3: 2, 4: 4, 6: 1, 7: 64}
_XT_SNAT, _XT_DNAT, _XT_UNTRACKED = 64, 128, 256
_UNICAST, _OWN, _TO_MANY = 1, (2, 4), (3, 5)  # RTN_LOCAL, RTN_ANYCAST; RTN_BROADCAST, RTN_MULTICAST
_NO_WAY, _REFUSED = 7, (6, 8)  # RTN_UNREACHABLE; RTN_BLACKHOLE, RTN_PROHIBIT
_STATUS_SRC_NAT, _STATUS_DST_NAT = 16, 32


class Effects(Protocol):
    """What rules do beyond a verdict. The machine does it.

    `send` puts a packet that REJECT made on its way (locally made: OUTPUT) with the entry of the packet it answers;
    `kernel_log` takes a line of the kernel's log; `address_type` is the kernel's RTN_ number of an address (1 unicast,
    2 local, 3 broadcast, 5 multicast ...), looked up on `dev` alone unless that is ""; `source_address` the address with
    which this machine would speak to another, None without a route, `route_device` the device by which, "" without a route;
    `path_mtu` how large a packet to an address may be; `nat` does the machine's translations;
    `next_hop` is the router on the way to an address, or itself; `socket_owner` is (uid, gid) of who sends a packet, None without a
    socket; `find_socket` whether the socket that takes a packet listens on every address, None where there is none.
    """

    @property
    def nat(self) -> Nat: ...

    def send(self, data: bytes, skb: Skb) -> None: ...
    def kernel_log(self, text: str, skb: Skb) -> None: ...
    def address_type(self, address: bytes, dev: str) -> int: ...
    def source_address(self, to: bytes, indev: str = "") -> bytes | None: ...
    def route_device(self, to: bytes) -> str: ...
    def path_mtu(self, to: bytes) -> int: ...
    def next_hop(self, to: bytes) -> bytes: ...
    def socket_owner(self, skb: Skb) -> tuple[int, int] | None: ...
    def find_socket(self, protonum: int, src: bytes, sport: int, dst: bytes, dport: int, *, connected: bool = False) -> bool | None: ...


def xt_state(skb: Skb) -> int:
    """The state bits of xt_conntrack, which has its own for UNTRACKED and adds SNAT and DNAT (conntrack_mt)."""
    if skb.ctinfo == 7:
        return _XT_UNTRACKED
    bits = CT_STATE_BITS[skb.ctinfo]
    if skb.conn is not None:
        bits |= _XT_SNAT if skb.conn.status & _STATUS_SRC_NAT else 0
        bits |= _XT_DNAT if skb.conn.status & _STATUS_DST_NAT else 0
    return bits


def direction_of(skb: Skb) -> int:
    """0 original, 1 reply (CTINFO2DIR)."""
    return 1 if skb.ctinfo in (3, 4) else 0


def milliseconds_left(skb: Skb) -> int:
    """How long the entry would live on without another packet. One that is not in the table yet: nothing (nf_ct_expires)."""
    assert skb.conn is not None
    if not skb.conn.status & CONFIRMED:
        return 0
    return max(0, skb.conn.expires - skb.now) // 1000


def tcp_options(packet: Packet) -> int:
    """The TCP options of a segment as bits: 1 << kind (tcp_find_option, net/netfilter/xt_tcpudp.c)."""
    data, at, end, bits = packet.data, packet.l4 + 20, min(packet.payload, len(packet.data)), 0
    while at < end:
        kind = data[at]
        bits |= 1 << kind
        at += 1 if kind < 2 else max(1, data[at + 1] if at + 1 < end else 1)
    return bits


def tcp_options_whole(packet: Packet) -> bool:
    """Whether a segment has all of the header that its data offset promises, and that is no less than 20 bytes."""
    return packet.l4 + 20 <= packet.payload <= len(packet.data)


def tcp_option(packet: Packet, kind: int, size: int) -> int | None:
    """The `size` bytes behind kind and length of a segment's first such option; None without it, or cut short (nft_exthdr_tcp_eval).

    `size` 0 asks only whether it is there, whole, however long.
    """
    data, at, end = packet.data, packet.l4 + 20, packet.payload
    if end < at or end > len(data):
        return None
    while at < end - 1:
        length = 1 if data[at] < 2 else max(1, data[at + 1])
        if data[at] == kind:
            if not size:
                return 0 if at + length <= end else None
            return int.from_bytes(data[at + 2 : at + 2 + size]) if at + length <= end and length >= size + 2 else None
        at += length
    return None


def ct_counted(conn: Conn, direction: str, what: str) -> int:
    """ct bytes, packets, avgpkt: of accounting, 0 for an entry without."""
    acct = conn.acct or [0, 0, 0, 0]
    packets, size = {"": (acct[0] + acct[2], acct[1] + acct[3]), "original ": (acct[0], acct[1]), "reply ": (acct[2], acct[3])}[direction]
    if what == "avgpkt":
        return size // packets if packets else 0
    return size if what == "bytes" else packets


def fib_device(skb: Skb, address: bytes, dev: str, effects: Effects) -> str:
    """The device by which an address is reached, "" when it is not, not by unicast, or (with `dev`) not by that one (nft_fib4_eval)."""
    packet = skb.packet
    if skb.indev == "lo":
        return skb.indev  # where it came from is where it would go (nft_fib_can_skip)
    if packet.version == 4 and not any(packet.src) and (packet.dst == b"\xff" * 4 or packet.dst[:3] == b"\xe0\0\0"):
        return skb.indev  # who has no address yet speaks to the link
    if effects.address_type(address, "") != _UNICAST:
        return ""
    found = effects.route_device(address)
    return found if not dev or found == dev else ""


def address_class(address: bytes, route_type: int) -> int:
    """What xt_addrtype asks of an IPv6 address: 16 * (0 unspecified, 1 unicast, 5 multicast, as ipv6_addr_type) + its RTN_ number."""
    kind = 5 if address[0] == 255 else 1 if any(address) else 0
    return kind * 16 + (_NO_WAY if route_type in _REFUSED else route_type)


def fib_type(address: bytes, skb: Skb, effects: Effects) -> int:
    """The RTN_ number of an address for nft's fib: a link-local one is looked for on the link by which the packet came."""
    kind = effects.address_type(address, "")
    if kind == _UNICAST and skb.indev and is_link_local(address) and effects.route_device(address) != skb.indev:
        return _NO_WAY
    return kind


def environment(effects: Effects) -> dict[str, Any]:
    """The names that generated source may call."""

    def reject(part: Reject, skb: Skb) -> None:
        kind = effects.address_type(skb.packet.dst, "")
        known = skb.packet.version == 6 or skb.routed or skb.indev in ("", "lo")  # in prerouting nobody has looked whose it is
        early = not known and not skb.outdev  # the way back is asked then (nf_reject_fill_skb_dst)
        to_many = (known and kind in _TO_MANY) or (early and effects.address_type(skb.packet.src, "") in _TO_MANY)
        answer = rejection(part, skb, lambda to: effects.source_address(to, skb.indev), known and kind in _OWN, not to_many)
        if answer is not None:
            effects.send(answer, skb)

    def log(part: Log, skb: Skb) -> None:
        if part.group is None:
            effects.kernel_log(log_line(part, skb), skb)

    def sender(skb: Skb) -> tuple[int, int] | None:
        return effects.socket_owner(skb)

    def receiver(skb: Skb) -> bool | None:
        found = beyond.ends(skb)
        return None if found is None else effects.find_socket(*(found if skb.indev else found.turned()))

    return {
        **drawn.CALLS, "sender": sender, "receiver": receiver, "next_hop": lambda to: effects.next_hop(to),
        "route_mss": lambda packet: route_mss(packet, effects.path_mtu),
        "CT_STATE_BITS": CT_STATE_BITS, "xt_state": xt_state, "direction_of": direction_of,
        "tcp_options": tcp_options, "tcp_options_whole": tcp_options_whole,
        "headers_whole": headers_whole, "tcp_option": tcp_option, "maxseg_place": maxseg_place, "ct_counted": ct_counted,
        "fib_device": lambda skb, address, dev: fib_device(skb, address, dev, effects),
        "fib_type": lambda address, skb: fib_type(address, skb, effects),
        "address_class": lambda address, dev: address_class(address, effects.address_type(address, dev)),
        "translate": lambda part, skb: translate(part, skb, effects.nat),
        "as_it_lies": as_it_lies, "use_template": use_template, "set_helper": set_helper,
        "milliseconds_left": milliseconds_left, "address_type": effects.address_type, "reject": reject, "log": log,
        "rewrite": lambda part, skb: rewrite(part, skb, effects.path_mtu),
    }  # fmt: skip


class _Constants:
    """Gives values their names k0, k1 ... in a name space."""

    def __init__(self, space: dict[str, Any]) -> None:
        self._space, self._count = space, 0

    def keep(self, value: Any) -> str:
        name = f"k{self._count}"
        self._count += 1
        self._space[name] = value
        return name


def source_of(
    table: Table, space: dict[str, Any], cells: generate.Cells, writer: type[generate.ChainSource] = generate.ChainSource
) -> tuple[str, dict[str, str]]:
    """The source of a table's chains, and the function's name for each chain."""
    names = {chain.name: f"chain_{number}" for number, chain in enumerate(table.chains)}
    constants = _Constants(space)
    lines: list[str] = []
    for chain in table.chains:
        lines += writer(table, chain, names, constants.keep, cells).lines
    return "\n".join(lines) + "\n", names


def link(table: Table, effects: Effects, cells: generate.Cells) -> dict[str, ChainFunction]:
    """The functions of a table's chains by name. Raises MeaningMistake for a jump to a chain that is not there."""
    return linked(table, effects, cells, generate.ChainSource)


def linked(table: Table, effects: Effects, cells: generate.Cells, writer: type[generate.ChainSource]) -> dict[str, Callable[..., int]]:
    """The functions that `writer` writes for a table's chains, by the chains' names."""
    space = environment(effects)
    source, names = source_of(table, space, cells, writer)
    exec(compile(source, f"<{table.language} {table.family} table>", "exec"), space)  # source is ours: see generate.py
    return {chain: space[name] for chain, name in names.items()}


class Probe:
    """One comparison alone: `test(skb)` whether it matches, `read(skb)` the packet's value or None where the field is absent."""

    def __init__(self, compare: Compare, table: Table, effects: Effects) -> None:
        space = environment(effects)
        needs = " and ".join(generate.needs(compare.selector, table)) or "True"
        test = generate.comparison(compare, table, _Constants(space).keep)
        body = f"({test}) if {needs} else {compare.absent}"
        source = f"def test(skb):\n    p = skb.packet\n    return {body}\n"
        source += f"def read(skb):\n    p = skb.packet\n    return {generate.reading(compare.selector)} if {needs} else None\n"
        exec(compile(source, "<comparison>", "exec"), space)  # source is ours: see generate.py
        self.test: Callable[[Skb], bool] = space["test"]
        self.read: Callable[[Skb], Any] = space["read"]
