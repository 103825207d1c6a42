"""nft's data types: the names that stand for numbers. Values are the kernel's; spellings are nft 1.0.6's (`nft describe`).

A selector has a data type (selectors.py); a value without a name is shown as a number. iptables' own spellings of ICMP
types are in iptables/icmp.py.
"""

from __future__ import annotations

from collections.abc import Mapping

PROTOCOLS = {
    "hopopt": 0, "icmp": 1, "igmp": 2, "ipencap": 4, "tcp": 6, "udp": 17, "dccp": 33, "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44,
    "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "ipv6-nonxt": 59, "ipv6-opts": 60, "comp": 108, "sctp": 132, "udplite": 136,
}  # fmt: skip

CT_STATE = {"invalid": 1, "established": 2, "related": 4, "new": 8, "untracked": 64}
CT_STATUS = {
    "expected": 1, "seen-reply": 2, "assured": 4, "confirmed": 8, "snat": 16, "dnat": 32, "dying": 512,
}  # fmt: skip
CT_DIR = {"original": 0, "reply": 1}
TCP_FLAG = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "cwr": 128}
PKT_TYPE = {"host": 0, "unicast": 0, "broadcast": 1, "multicast": 2, "other": 3}
NF_PROTO = {"ipv4": 2, "ipv6": 10}
ETHER_TYPE = {"ip": 0x0800, "arp": 0x0806, "ip6": 0x86DD, "8021q": 0x8100, "8021ad": 0x88A8, "vlan": 0x8100}
FIB_ADDRTYPE = {
    "unspec": 0, "unicast": 1, "local": 2, "broadcast": 3, "anycast": 4, "multicast": 5, "blackhole": 6, "unreachable": 7, "prohibit": 8,
}  # fmt: skip
ICMP_TYPE = {
    "echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8, "router-advertisement": 9,
    "router-solicitation": 10, "time-exceeded": 11, "parameter-problem": 12, "timestamp-request": 13, "timestamp-reply": 14,
    "info-request": 15, "info-reply": 16, "address-mask-request": 17, "address-mask-reply": 18,
}  # fmt: skip
ICMP_CODE = {
    "net-unreachable": 0, "host-unreachable": 1, "prot-unreachable": 2, "port-unreachable": 3, "frag-needed": 4,
    "net-prohibited": 9, "host-prohibited": 10, "admin-prohibited": 13,
}  # fmt: skip
ICMPV6_TYPE = {
    "destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4, "echo-request": 128, "echo-reply": 129,
    "mld-listener-query": 130, "mld-listener-report": 131, "mld-listener-done": 132, "mld-listener-reduction": 132,
    "nd-router-solicit": 133, "nd-router-advert": 134, "nd-neighbor-solicit": 135, "nd-neighbor-advert": 136, "nd-redirect": 137,
    "router-renumbering": 138, "ind-neighbor-solicit": 141, "ind-neighbor-advert": 142, "mld2-listener-report": 143,
}  # fmt: skip
ICMPV6_CODE = {
    "no-route": 0, "admin-prohibited": 1, "addr-unreachable": 3, "port-unreachable": 4, "policy-fail": 5, "reject-route": 6,
}  # fmt: skip
ICMPX_CODE = {"no-route": 0, "port-unreachable": 1, "host-unreachable": 2, "admin-prohibited": 3}
DSCP = {
    "cs0": 0, "cs1": 8, "cs2": 16, "cs3": 24, "cs4": 32, "cs5": 40, "cs6": 48, "cs7": 56, "be": 0, "lephb": 1,
    "af11": 10, "af12": 12, "af13": 14, "af21": 18, "af22": 20, "af23": 22, "af31": 26, "af32": 28, "af33": 30,
    "af41": 34, "af42": 36, "af43": 38, "va": 44, "ef": 46,
}  # fmt: skip
IFACE_TYPE = {"ether": 1, "ppp": 512, "ipip": 768, "ipip6": 769, "loopback": 772, "sit": 776, "ipgre": 778}
IGMP_TYPE = {
    "membership-query": 17, "membership-report-v1": 18, "membership-report-v2": 22, "membership-report-v3": 34, "leave-group": 23,
}  # fmt: skip
MH_TYPE = {
    "binding-refresh-request": 0, "home-test-init": 1, "careof-test-init": 2, "home-test": 3, "careof-test": 4, "binding-update": 5,
    "binding-acknowledgement": 6, "binding-error": 7, "fast-binding-update": 8, "fast-binding-acknowledgement": 9,
    "fast-binding-advertisement": 10, "experimental-mobility-header": 11, "home-agent-switch-message": 12,
}  # fmt: skip
DCCP_PKTTYPE = {
    "request": 0, "response": 1, "data": 2, "ack": 3, "dataack": 4, "closereq": 5, "close": 6, "reset": 7, "sync": 8, "syncack": 9,
}  # fmt: skip
DAY = {"Sunday": 0, "Monday": 1, "Tuesday": 2, "Wednesday": 3, "Thursday": 4, "Friday": 5, "Saturday": 6}
CLASSID = {"root": 0xFFFFFFFF, "none": 0}
DEVGROUP = {"default": 0}
REALM = {"cosmos": 0}
CT_EVENT = {
    "new": 1, "related": 2, "destroy": 4, "reply": 8, "assured": 16, "protoinfo": 32, "helper": 64, "mark": 128, "seqadj": 256,
    "secmark": 512, "label": 1024,
}  # fmt: skip
CT_LABEL = {str(bit): 1 << bit for bit in range(128)}  # names would come from a file; here labels have none
ECN = {"not-ect": 0, "ect1": 1, "ect0": 2, "ce": 3}

NAMES: Mapping[str, Mapping[str, int]] = {
    "inet_proto": PROTOCOLS, "ct_state": CT_STATE, "ct_status": CT_STATUS, "ct_dir": CT_DIR, "tcp_flag": TCP_FLAG, "pkt_type": PKT_TYPE,
    "nf_proto": NF_PROTO, "ether_type": ETHER_TYPE, "fib_addrtype": FIB_ADDRTYPE, "icmp_type": ICMP_TYPE, "icmp_code": ICMP_CODE,
    "icmpv6_type": ICMPV6_TYPE, "icmpv6_code": ICMPV6_CODE, "icmpx_code": ICMPX_CODE, "dscp": DSCP, "ecn": ECN,
    "iface_type": IFACE_TYPE, "igmp_type": IGMP_TYPE, "mh_type": MH_TYPE, "dccp_pkttype": DCCP_PKTTYPE, "day": DAY, "classid": CLASSID,
    "devgroup": DEVGROUP, "realm": REALM, "ct_event": CT_EVENT, "ct_label": CT_LABEL,
}  # fmt: skip
BITMASKS = frozenset(("ct_state", "ct_status", "tcp_flag", "ct_event", "ct_label"))


def name_of(datatype: str, value: int) -> str | None:
    """The first name of `value` in `datatype`, or None."""
    return next((name for name, number in NAMES.get(datatype, {}).items() if number == value), None)


def names_of(datatype: str, bits: int) -> list[str]:
    """The names of the bits set in `bits`, in the order of the table."""
    return [name for name, number in NAMES[datatype].items() if bits & number]
