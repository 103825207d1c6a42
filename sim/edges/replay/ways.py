"""Ways: what becomes of a plain packet behind conntrack, foreseen from its tuple, its ctinfo and the device by which it came.

The chains are asked by ruleset/foresee.py, the routes as the IP layer asks them, and of a translated connection NAT itself, once; a
`Way` says how it is for all like it. Where that cannot be said, None: then the packet goes the whole way. Nothing is changed by asking.
Not in here: who remembers ways, and for how long (lane.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sim.conntrack.conn import Conn
from sim.conntrack.words import CONFIRMED, LABEL, Ctinfo, Status, direction
from sim.edges.replay.wall import MTU, Wall
from sim.machine.routes import Decision, Kind
from sim.netfilter.nat.engine import MANIP, translation
from sim.netfilter.nat.rewrite import rewritten
from sim.netfilter.skb import Skb
from sim.netfilter.words import Hook
from sim.packet import Packet, Tuple
from sim.ruleset.foresee import Foreseer
from sim.trace import Reason
from sim.units import is_link_local

if TYPE_CHECKING:
    from mypy_extensions import i64

ESTABLISHED: Final = 0
NEW: Final = 2
REPLY: Final = 3
assert (ESTABLISHED, NEW, REPLY) == (Ctinfo.ESTABLISHED, Ctinfo.NEW, Ctinfo.ESTABLISHED_REPLY)
ACCEPT: Final = 1
_BOUND: Final = int(Status.SRC_NAT_DONE | Status.DST_NAT_DONE)
_OURS: Final = frozenset(("defrag", "conntrack", "replay"))
_NAT: Final = {"nat ipv4": 4, "nat ipv6": 6}
Place = Foreseer | int
"""What stands in a hook: a chain that can be asked, or NAT of one IP version."""


class Way:
    """What becomes of a connection's packets with one ctinfo that come in by one device: `passes`, and the `cells` that count them.

    `head` is the line of JSON from the device to the packet's bytes; `told` what stands behind them, with the last `reason`.
    `before` is the tuple that NAT gives it ahead of routing, `behind` the one behind, or None.
    """

    __slots__ = ("before", "behind", "cells", "head", "passes", "reason", "told")

    def __init__(self, passes: bool, cells: list[list[int]], head: bytes) -> None:
        self.passes = passes
        self.cells = cells
        self.head = head
        self.before: Tuple | None = None
        self.behind: Tuple | None = None
        self.reason: Reason | None = None
        self.told = b""


class Ways:
    """Those through `wall`. `on_change` hears when what was said holds no longer."""

    def __init__(self, wall: Wall) -> None:
        self.on_change: list[Callable[[], None]] = []
        self._ip = wall.ip
        self._tracking = wall.ip.tracking
        self._routes = wall.ip.routes
        self._asked = False
        self._generation = -1
        self._open = False
        self._translates = False
        self._chains: dict[int, list[Place]] = {}
        self._ahead: list[Place] = []
        self._heads: dict[tuple[str, int, str], bytes] = {}
        self._ip.rules.on_load.append(self.forget)
        self._ip.sysctls.on_change.append(self._forget_for)

    def forget(self) -> None:
        """Rules, settings, addresses or routes may be others now."""
        self._asked = False
        for told in self.on_change:
            told()

    def _forget_for(self, key: str) -> None:
        self.forget()

    def are_open(self) -> bool:
        """Whether there is anything in the hooks of which nothing can be said."""
        if not self._asked or self._generation != self._routes.generation:
            self.forget()
            self._asked, self._generation = True, self._routes.generation
            self._open = self._ip.emit is None and len(self._tracking.families) == 2 and self._read_hooks()
        return self._open

    def _read_hooks(self) -> bool:
        """What stands in the hooks: chains that can be asked, and what a plain packet passes untouched; False where there is more."""
        foreseers = self._ip.rules.foreseers()
        self._translates, self._ahead = False, []
        for hook in (Hook.PREROUTING, Hook.FORWARD, Hook.POSTROUTING):
            chains = self._chains[int(hook)] = []
            for _, name in self._ip.hooks.names(hook):
                if name == "conntrack" and hook == Hook.PREROUTING:
                    self._ahead, chains = chains, []
                    self._chains[int(hook)] = chains
                elif name in foreseers:
                    chains.append(foreseers[name])
                elif name in _NAT:
                    self._translates = True
                    chains.append(_NAT[name])
                elif name not in _OURS:
                    return False
        return True

    # ---- a packet ----------------------------------------------------------------------------------------------------

    def ahead(self, packet: Packet, dev: str, now: int) -> list[list[int]] | None:
        """What counts packets with this tuple ahead of conntrack, where they pass as they are; else None."""
        met: list[list[int]] = []
        skb = Skb(packet, now, dev)
        for place in self._ahead:
            if isinstance(place, int) or place(skb, met) != ACCEPT:
                return None
        return met

    def find(self, packet: Packet, conn: Conn, ctinfo: i64, dev: str, now: i64, early: list[list[int]]) -> Way | None:
        """The way of this packet and all like it; None where that is not to be foreseen."""
        if (ctinfo != ESTABLISHED and ctinfo != REPLY and ctinfo != NEW) or conn.helper is not None or conn.seqadj is not None:
            return None
        if self._translates and not conn.status & CONFIRMED:
            return None
        if self._translates and ctinfo == NEW and conn.status & _BOUND != _BOUND:
            return None
        skb = Skb(packet, now, dev)
        skb.conn, skb.ctinfo = conn, ctinfo
        way = Way(False, list(early), b"")
        verdict = self._through(Hook.PREROUTING, skb, way)
        out = ""
        if verdict == ACCEPT:
            decision = self._decide(skb)
            if decision is None or (self._translates and conn.nat and ctinfo != REPLY and conn.nat != decision.dev):
                return None
            out = skb.outdev = decision.dev
            verdict = self._through(Hook.FORWARD, skb, way)
            if verdict == ACCEPT:
                verdict = self._through(Hook.POSTROUTING, skb, way)
        if verdict < 0:
            return None
        way.passes = verdict == ACCEPT
        way.head = self._head(dev, ctinfo, out if way.passes else "")
        return way

    def _head(self, dev: str, ctinfo: int, out: str) -> bytes:
        """`head_text`, remembered: there are but a few."""
        found = self._heads.get((dev, ctinfo, out))
        if found is None:
            found = self._heads[dev, ctinfo, out] = head_text(dev, ctinfo, out)
        return found

    def _through(self, hook: Hook, skb: Skb, way: Way) -> int:
        """One hook's verdict; what counts the packet there goes to the way's cells."""
        for place in self._chains[int(hook)]:
            if not isinstance(place, int):
                verdict = place(skb, way.cells)
                if verdict != ACCEPT:
                    return verdict
            elif place == skb.packet.version:
                self._translate(hook, skb, way)
        return ACCEPT

    def _translate(self, hook: Hook, skb: Skb, way: Way) -> None:
        """NAT's place in a hook: there the packet gets the addresses of its entry's other direction."""
        if skb.conn is None:
            return
        manip = MANIP[hook]
        target = translation(skb.conn, skb.ctinfo == REPLY, manip)
        data = None if target is None else rewritten(skb.packet.data, 0, target, manip)
        if data is None:
            return
        skb.packet = Packet(data, skb.packet.id)
        if hook == Hook.PREROUTING:
            way.before = target
        else:
            way.behind = target

    def _decide(self, skb: Skb) -> Decision | None:
        """Where it is forwarded to; None where it is not, or not like that (IpLayer, Forwarding)."""
        ip, packet = self._ip, skb.packet
        decision = self._routes.decide(packet.dst)
        if ip.path_in is not None:
            decision = ip.path_in(skb, decision)
        if decision.kind != Kind.UNICAST or decision.dev in ("", "lo") or decision.mtu < MTU or not ip.forwarding[packet.version]:
            return None
        if packet.version == 4:
            return decision if ip.comes_rightly(skb) else None
        return decision if decision.dev == skb.indev or not is_link_local(packet.src) else None


def head_text(dev: str, ctinfo: i64, out: str) -> bytes:
    """The line from the device to the bytes that leave by `out`; "" for a packet that does not."""
    way = json.dumps(direction(ctinfo))
    begin = f', "in": {json.dumps(dev, ensure_ascii=False)}, "label": "{LABEL[ctinfo]}", "direction": {way}, "verdict": '
    leaves = f'"ACCEPT", "out": [{{"dev": {json.dumps(out, ensure_ascii=False)}, "bytes": "'
    return (begin + (leaves if out else '"DROP", "out": [')).encode("utf-8", "surrogateescape")
