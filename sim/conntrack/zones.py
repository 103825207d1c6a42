"""Zones: tables within the table, so that the same tuple may stand for two connections. A zone may hold for one direction alone.

A zone is a number: its id (16 bits), with ORIGINAL_ONLY or REPLY_ONLY where packets of the other direction are in zone 0
(struct nf_conntrack_zone, include/net/netfilter/nf_conntrack_zones.h, Linux 6.18).
"""

from __future__ import annotations

from typing import Final

ORIGINAL_ONLY: Final = 1 << 16
REPLY_ONLY: Final = 1 << 17
ID: Final = 0xFFFF


def in_original(zone: int) -> int:
    """The id for packets in the original direction (nf_ct_zone_id)."""
    return 0 if zone & REPLY_ONLY else zone & ID


def in_reply(zone: int) -> int:
    """The id for packets in the reply direction."""
    return 0 if zone & ORIGINAL_ONLY else zone & ID


def words(zone: int) -> tuple[str, str, str]:
    """How the tools name it behind the original tuple, behind the reply's, and behind both; "" where it goes unsaid."""
    if not zone:
        return "", "", ""
    name = f"={zone & ID}"
    if zone & ORIGINAL_ONLY:
        return f"zone-orig{name}", "", ""
    return ("", f"zone-reply{name}", "") if zone & REPLY_ONLY else ("", "", f"zone{name}")
