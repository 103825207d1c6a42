"""A DNS server: answers from a zone over UDP, each after a delay.

    services: [{dns: {zone: {www.example.test: 192.168.1.20, example.test: {MX: 10 mail.example.test}}, delay: 35s}}]

A name's value is an address, or a mapping of types to values. Names it does not know are NXDOMAIN. Not in here: TCP, recursion, DNSSEC.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, NamedTuple

from sim.apps import dns_wire as wire
from sim.apps.program import Context, Program, Steps, start
from sim.machine.errors import SocketError
from sim.machine.udp import UdpSocket
from sim.units import Address

TTL = 300


class Zone(NamedTuple):
    """All records, by (lower-case name without the last dot, type)."""

    records: Mapping[tuple[str, str], tuple[str, ...]]

    @classmethod
    def of(cls, names: Mapping[str, Any]) -> Zone:
        """A zone from what a scenario says. Raises ValueError naming what is wrong."""
        records: dict[tuple[str, str], tuple[str, ...]] = {}
        for name, values in names.items():
            for kind, value in _by_type(name, values).items():
                listed = tuple(str(one) for one in (value if isinstance(value, list) else [value]))
                records[name.lower().rstrip("."), kind] = listed
        return cls(records)

    def lookup(self, name: str, kind: str) -> tuple[int, tuple[wire.Record, ...]]:
        """(status, answers): follows CNAMEs inside the zone."""
        key = name.lower().rstrip(".")
        found: list[wire.Record] = []
        for _ in range(8):
            mine = self.records.get((key, kind), ())
            found += [wire.Record(f"{key}.", kind, TTL, value) for value in mine]
            alias = self.records.get((key, "CNAME"), ())
            if mine or not alias or kind == "CNAME":
                break
            found.append(wire.Record(f"{key}.", "CNAME", TTL, alias[0].rstrip(".") + "."))
            key = alias[0].lower().rstrip(".")
        known = found or any(name == key for name, _ in self.records)
        return (0 if known else 3), tuple(found)


def _by_type(name: str, values: Any) -> dict[str, Any]:
    if isinstance(values, Mapping):
        typed = {str(kind).upper(): value for kind, value in values.items()}
    else:
        listed = [ipaddress.ip_address(str(value)) for value in (values if isinstance(values, list) else [values])]
        typed = {kind: [str(a) for a in listed if a.version == version] for kind, version in (("A", 4), ("AAAA", 6))}
        typed = {kind: addresses for kind, addresses in typed.items() if addresses}
    for kind in typed:
        if kind not in wire.TYPES or kind == "ANY":
            raise ValueError(f"{name}: records of type {kind} are not served here")
    return typed


def named(port: int, zone: Zone, delay: int) -> Program:
    """The program of a DNS server on UDP `port`; each answer leaves `delay` µs after its query came."""

    def program(context: Context) -> Steps:
        sock = context.machine.udp.open(port, program="named")
        context.own(sock)
        while True:
            try:
                data, src, sport = yield sock.recv()
            except SocketError:
                continue  # an ICMP error for an earlier answer: nothing to do about it
            child = Context(context.machine, ["named"], tty=None, user="bind")
            start(_reply(sock, data, src, sport, zone, delay), child)

    return program


def _reply(sock: UdpSocket, data: bytes, src: Address, sport: int, zone: Zone, delay: int) -> Program:
    def program(context: Context) -> Steps:
        yield from context.sleep(delay)
        query = wire.decode(data)
        if query is None or query.flags & wire.RESPONSE:
            return 1
        if query.type not in wire.TYPES:
            return 1
        status, answers = zone.lookup(query.name, query.type)
        flags = wire.RESPONSE | wire.AUTHORITATIVE | query.flags & wire.RECURSION_DESIRED | wire.RECURSION_AVAILABLE
        answer = wire.Message(query.id, query.name, query.type, flags, status, answers, query.edns)
        try:
            sock.send(
                wire.encode(answer), src, sport, about=f"DNS answer {wire.STATUS[status]}" if status else "DNS answer"
            )
        except SocketError:
            return 1
        return 0

    return program
