"""Rules that say what a new connection will be like: iptables' CT target, and nft's `ct helper`, `ct timeout`, `ct expectation set`.

The parts of the model, and what they do to a packet (xt_CT.c, nft_ct.c, Linux 6.18). What helpers read: sim/conntrack/helpers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from sim.conntrack import helpers
from sim.conntrack.expect import Expectation, Expectations
from sim.conntrack.settings import TCP_TIMEOUTS, Settings
from sim.conntrack.words import CONFIRMED, Ctinfo
from sim.netfilter.skb import Skb, Template
from sim.packet import Tuple
from sim.units import SECOND

if TYPE_CHECKING:
    from sim.ruleset.model import Table
    from sim.ruleset.objects import CtExpectation, CtTimeout


BY_MARK: Final = -1


@dataclass(frozen=True, slots=True)
class UseTemplate:
    """iptables' `-j CT` without --notrack: the new entry that conntrack makes for this packet gets `helper` (None: nothing).

    `events`, `expected_events`: which events of it are told, 0 and 0 for all (Conn).
    `zone`: where the packet is tracked; BY_MARK: in the zone that its mark names. `only`: 0, or zones.ORIGINAL_ONLY or REPLY_ONLY.
    """

    helper: str | None = None
    zone: int = 0
    only: int = 0
    events: int = 0
    expected_events: int = 0


@dataclass(frozen=True, slots=True)
class SetHelper:
    """nft's `ct helper set "name"`; `name` is a CtHelper's of the same table."""

    name: str


@dataclass(frozen=True, slots=True)
class CtHelper:
    """nft's `ct helper name { type "ftp" protocol tcp; l3proto ip; }`. `family`: ip, ip6 or inet, for which it works."""

    kind: ClassVar[str] = "ct helper"
    name: str
    helper: str
    protonum: int
    family: str
    handle: int = 0
    comment: str = ""


def use_template(part: UseTemplate, skb: Skb) -> None:
    """xt_ct_target: only ahead of conntrack, and the first rule wins. Rules between here and conntrack see no label yet."""
    if skb.ctinfo is None and skb.template is None:
        zone = skb.mark & 0xFFFF if part.zone == BY_MARK else part.zone
        skb.template = Template(part.helper, zone and zone | part.only, part.events, part.expected_events)


def set_helper(found: CtHelper, skb: Skb) -> None:
    """nft_ct_helper_obj_eval: only an entry that is not confirmed yet, of the object's protocol and family."""
    conn = skb.conn
    if conn is None or conn.original.protonum != found.protonum:
        return
    if found.family in ("inet", "ip" if skb.packet.version == 4 else "ip6"):
        helpers.assign(conn, found.helper)


def set_timeouts(found: CtTimeout, skb: Skb, settings: Settings) -> None:
    """nft_ct_timeout_obj_eval: only an entry that is not confirmed yet, of the object's protocol; what it does not name is the sysctl's."""
    conn = skb.conn
    if conn is None or conn.status & CONFIRMED or conn.protonum != found.protonum:
        return
    conn.timeouts = list(settings.tcp) if found.protonum == _TCP else [settings.udp, settings.udp_stream]
    for state, seconds in found.policy:
        conn.timeouts[_PLACES[found.protonum].index(state)] = seconds * SECOND
    conn.expires = conn.timeouts[1 if found.protonum == _TCP else 0]


_TCP, _UDP = 6, 17
_PLACES = {_TCP: ("none", *TCP_TIMEOUTS[1:9], "syn_sent2", "retrans", "unack"), _UDP: ("unreplied", "replied")}


def expect(found: CtExpectation, skb: Skb, expectations: Expectations) -> bool | None:
    """nft_ct_expect_obj_eval: the other end may connect to the object's port. False ends the rule, None drops the packet."""
    conn = skb.conn
    if conn is None or conn.status & CONFIRMED:
        return False
    if len([one for one in expectations.of(conn) if one.kind == 0]) >= found.size:
        return False
    other = conn.reply if skb.ctinfo in (Ctinfo.NEW, Ctinfo.RELATED, Ctinfo.ESTABLISHED) else conn.original
    wanted = Tuple(other.src, other.dst, 0, found.dport, found.protonum)
    new = Expectation(conn, wanted, timeout=found.timeout * SECOND, limit=0)
    return True if expectations.expect(new, skb.now, skb.packet.id) else None


def helper_object(table: Table, name: str) -> CtHelper | None:
    """The table's `ct helper` object of that name, or None."""
    return next((each for each in table.objects if isinstance(each, CtHelper) and each.name == name), None)
