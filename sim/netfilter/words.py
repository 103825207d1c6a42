"""The words of netfilter: Hook, Priority, Verdict, Ctinfo. Values are the kernel's (include/uapi/linux/netfilter*.h, Linux 6.18).

    device in ─> PREROUTING ─> routing ─┬─ forward ─> FORWARD ─────────────────┬─> POSTROUTING ─> device out
                                        └─ local ──> INPUT ─> sockets ─> OUTPUT ┘

At each hook a list of functions stands, sorted by priority:
    raw -300   conntrack -200   mangle -150   dstnat -100   filter 0   security 50   srcnat 100   helpers and confirm last
"""

from __future__ import annotations

from enum import IntEnum


class Hook(IntEnum):
    """enum nf_inet_hooks."""

    PREROUTING = 0
    INPUT = 1
    FORWARD = 2
    OUTPUT = 3
    POSTROUTING = 4


class Priority(IntEnum):
    """enum nf_ip_hook_priorities: lower runs earlier."""

    DEFRAG = -400
    RAW = -300
    CONNTRACK = -200
    MANGLE = -150
    DSTNAT = -100
    FILTER = 0
    SECURITY = 50
    SRCNAT = 100
    CONNTRACK_HELPER = 300
    CONNTRACK_CONFIRM = 0x7FFFFFFF


class Verdict(IntEnum):
    """What a hook function answers. STOLEN: it keeps the packet (fragments wait for reassembly)."""

    DROP = 0
    ACCEPT = 1
    STOLEN = 2
