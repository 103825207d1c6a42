"""Rules that give a connection its helper: iptables' CT target and nft's `ct helper` objects with `ct helper set`.

The parts of the model, and what they do to a packet (xt_CT.c, nft_ct.c, Linux 6.18). What helpers read: sim/conntrack/helpers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from sim.conntrack import helpers
from sim.netfilter.skb import Skb, Template

if TYPE_CHECKING:
    from sim.ruleset.model import Table


BY_MARK: Final = -1


@dataclass(frozen=True, slots=True)
class UseTemplate:
    """iptables' `-j CT` without --notrack: the new entry that conntrack makes for this packet gets `helper` (None: nothing).

    `zone`: where the packet is tracked; BY_MARK: in the zone that its mark names. `only`: 0, or zones.ORIGINAL_ONLY or REPLY_ONLY.
    """

    helper: str | None = None
    zone: int = 0
    only: int = 0


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
        skb.template = Template(part.helper, zone and zone | part.only)


def set_helper(found: CtHelper, skb: Skb) -> None:
    """nft_ct_helper_obj_eval: only an entry that is not confirmed yet, of the object's protocol and family."""
    conn = skb.conn
    if conn is None or conn.original.protonum != found.protonum:
        return
    if found.family in ("inet", "ip" if skb.packet.version == 4 else "ip6"):
        helpers.assign(conn, found.helper)


def helper_object(table: Table, name: str) -> CtHelper | None:
    """The table's `ct helper` object of that name, or None."""
    return next((each for each in table.objects if isinstance(each, CtHelper) and each.name == name), None)
