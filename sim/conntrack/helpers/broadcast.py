"""The helpers of questions asked of everybody: NetBIOS name service and SNMP. Answers come from any machine of the network asked.

As nf_conntrack_broadcast.c, nf_conntrack_netbios_ns.c and nf_conntrack_snmp.c, Linux 6.18; IPv4 only. They work for what the machine
itself sends to the broadcast address of one of its networks: packets that it forwards they do not touch. The expectation is permanent:
each answer is RELATED until its time is over. snmp_trap expects nothing: there is only its NAT (sim/netfilter/nat).
"""

from __future__ import annotations

from typing import Final

from sim.conntrack.expect import PERMANENT, Expectation
from sim.conntrack.helpers.help import Help, Helper, Policy
from sim.conntrack.words import ACCEPT
from sim.packet import Tuple
from sim.units import SECOND, Address, show_address

PORTS: Final = {"netbios-ns": 137, "snmp": 161}
"""From which port the answers come."""


def help_broadcast(help: Help) -> int:
    """Look at one datagram that leaves (nf_conntrack_broadcast_help)."""
    mask = help.broadcast_mask() if not help.direction else None
    if mask is not None:
        _expect(help, mask)
    return ACCEPT


def help_snmp(help: Help) -> int:
    """The same, and what NAT does in SNMP messages (snmp_conntrack_help)."""
    help_broadcast(help)
    return help_trap(help)


def help_trap(help: Help) -> int:
    """What NAT does in SNMP messages."""
    translate = help.nat("snmp")
    return ACCEPT if translate is None else int(translate(help))


def _expect(help: Help, mask: Address) -> None:
    policy, reply = help.helper.policies[0], help.conn.reply
    port = PORTS[help.helper.name]
    wanted = Tuple(reply.src, reply.dst, port, reply.dport, reply.protonum)
    new = Expectation(
        help.conn, wanted, mask=mask, any_sport=False, timeout=policy.timeout, limit=policy.most, flags=PERMANENT
    )  # fmt: skip
    who = f"{show_address(reply.src)}, mask {show_address(mask)}"
    help.related(new, f"A question to everybody ({who}): any machine of that network may answer from port {port}.")
    help.tracker.refresh(help.conn, policy.timeout, help.now)


BROADCAST: Final = (
    Helper("netbios-ns", 17, ("ip",), (Policy(1, 3 * SECOND),), help_broadcast),
    Helper("snmp", 17, ("ip",), (Policy(1, 30 * SECOND),), help_snmp),
    Helper("snmp_trap", 17, ("ip",), (Policy(0, 180 * SECOND),), help_trap),
)
