"""Recorder: sits at one machine of a running simulation and writes down what happens to its firewall, as steps for a Pair.

What arrives and what the machine's own programs send, rules and settings as they are changed, entries deleted by hand, lines of the
conntrack tool that make or change some. What the machine sends to itself (lo) is left out: no device sees it.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from sim.conntrack.conn import Conn
from sim.edges.verify.plan import Feed, Forget, Load, Plan, Step, Sysctl, Typed
from sim.edges.verify.sources import Clock
from sim.machine.ip import IpLayer
from sim.ruleset.iptables import tool as iptables
from sim.ruleset.nft import tool as nft
from sim.units import show_address

FORWARDING = ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")
UNNUMBERED = b"\0\0"
OWN_NUMBER = b"\x12\x34"


class Recorder:
    """Records from now on. `plan`: the firewall as it was when recording began, with `sysctls` as they were set before; `steps`:
    what came since it had `begun` (µs), packets by their numbers in the trace; `loads`: the rules after each time that they were loaded.
    """

    def __init__(self, ip: IpLayer, sysctls: Mapping[str, str] | None = None) -> None:
        self._ip = ip
        self._clock = Clock()
        self._inside = 0
        self.steps: list[Step] = []
        self.loads: list[Load] = []
        addresses = {
            dev: [f"{show_address(address)}/{length}" for address, length in interface.addresses]
            for dev, interface in ip.interfaces.items() if dev != "lo"
        }  # fmt: skip
        self._rules = self._loaded()
        self.plan = Plan(addresses, self._rules, sysctls or {})
        self.begun = ip.clock()
        list(self._clock.to(self.begun))
        self._listen()

    def _listen(self) -> None:
        ip: Any = self._ip
        ip.receive = self._before(ip.receive, lambda data, dev, packet_id=0: self._receive(data, dev, packet_id))
        ip.deliver = self._outside(ip.deliver)
        ip.send = self._before(ip.send, lambda data, **_: self._send(data))
        ip.tracker.on_delete = lambda conn: None if self._inside else self._forget(conn)
        ip.rules.on_load.append(self._load)
        ip.sysctls.on_change.append(self._set)

    def _before(self, act: Callable[..., Any], note: Callable[..., None]) -> Callable[..., Any]:
        """The same function, that notes what it is called with, unless it is called because of a packet."""

        @wraps(act)
        def noted(*values: Any, **named: Any) -> Any:
            if not self._inside:
                note(*values, **named)
            self._inside += 1
            try:
                return act(*values, **named)
            finally:
                self._inside -= 1

        return noted

    def _outside(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, in which what is sent is noted again: the kernel's firewall has no programs that would answer."""

        @wraps(act)
        def outside(*values: Any) -> Any:
            inside, self._inside = self._inside, 0
            try:
                return act(*values)
            finally:
                self._inside = inside

        return outside

    def _receive(self, data: bytes, dev: str, packet_id: int) -> None:
        if dev != "lo":
            self._say(Feed(dev, data, packet_id))

    def _say(self, step: Step) -> None:
        self.steps += [*self._clock.to(self._ip.clock()), step]

    def _send(self, data: bytes) -> None:
        target = data[16:20] if data[0] >> 4 == 4 else data[24:40]
        if any(address == target for dev in self._ip.interfaces.values() for address, _ in dev.addresses):
            return
        if data[0] >> 4 == 4 and data[4:6] == UNNUMBERED:
            data = data[:4] + OWN_NUMBER + data[6:]  # else the kernel's raw socket numbers it
        self._say(Feed(None, data))

    def _forget(self, conn: Conn) -> None:
        self._say(Forget(*conn.original))

    def typed(self, argv: Sequence[str]) -> None:
        """The machine's conntrack tool has done this (Machine.conntrack_did)."""
        self._say(Typed(shlex.join(argv)))

    def _load(self) -> None:
        rules = self._loaded()
        self.loads.append(rules)
        if rules != self._rules:
            self._rules = rules
            self._say(rules)

    def _set(self, key: str) -> None:
        if key.startswith("net.netfilter.") or key in FORWARDING:
            self._say(Sysctl(key, self._ip.sysctls.get(key)))

    def _loaded(self) -> Load:
        state = self._ip.rules
        save4, save6 = (iptables.run([f"{name}-save"], state).out for name in ("iptables", "ip6tables"))
        listed = nft.run(["nft", "list", "ruleset"], state).out
        return Load(saved(save4), saved(save6), listed)


def saved(text: str) -> str:
    """What iptables-save prints, without its comments: they tell the hour."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
