"""Helpers: what they expect, what they drop and what is RELATED for it, packet by packet as the kernel has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.conntrack import show
from sim.edges.capture import read_capture
from sim.edges.kernel import KernelFirewall
from sim.edges.replay import load_rules
from sim.edges.replay.arrival import ByAddress
from sim.edges.replay.wall import Wall
from sim.ruleset.iptables import tool as iptables
from sim.ruleset.nft import tool as nft
from tests.kernel.comparing import Fed, compare, packets
from tests.kernel.conftest import DEVICES
from tests.kernel.expecting import same, shown
from tests.kernel.helped import FOUR, FTP, FTP6, IRC, SIP, SIP6, SIP_TCP, SIX, TFTP, Packets
from tests.kernel.test_captures_against_kernel import files


def differences(kernel: KernelFirewall, wall: Wall, packets: Packets) -> list[str]:
    """Packet by packet: what the two say of it, and what each expects then."""
    found: list[str] = []
    for number, (dev, data) in enumerate(packets, 1):
        found += [str(each) for each in compare([Fed(number, dev, data)], wall, kernel)]
        theirs, ours = kernel.expectations(), [shown(one, wall.now) for one in wall.ip.tracker.expectations.entries()]
        if not same(theirs, ours):
            found.append(f"packet {number}: expectations: ctlab {ours}, kernel {theirs}")
    return found


@pytest.fixture(scope="module")
def helping() -> Iterator[KernelFirewall]:
    """The kernel with the rules above; each test begins with an empty table."""
    with KernelFirewall(DEVICES, iptables=FOUR, ip6tables=SIX) as kernel:
        yield kernel


def check(kernel: KernelFirewall, packets: Packets) -> None:
    kernel.flush()
    wall = Wall(DEVICES)
    load_rules(wall.ip.rules, FOUR, "rules")
    load_rules(wall.ip.rules, SIX, "rules", ipv6=True)
    assert differences(kernel, wall, packets) == []


@pytest.mark.parametrize("name", FTP)
def test_ftp_in_ipv4(helping: KernelFirewall, name: str) -> None:
    check(helping, FTP[name])


@pytest.mark.parametrize("name", FTP6)
def test_ftp_in_ipv6(helping: KernelFirewall, name: str) -> None:
    check(helping, FTP6[name])


@pytest.mark.parametrize("name", TFTP)
def test_tftp(helping: KernelFirewall, name: str) -> None:
    check(helping, TFTP[name])


@pytest.mark.parametrize("name", IRC)
def test_irc(helping: KernelFirewall, name: str) -> None:
    check(helping, IRC[name])


@pytest.mark.parametrize("name", SIP)
def test_sip_over_udp(helping: KernelFirewall, name: str) -> None:
    check(helping, SIP[name])


@pytest.mark.parametrize("name", SIP6)
def test_sip_in_ipv6(helping: KernelFirewall, name: str) -> None:
    check(helping, SIP6[name])


@pytest.mark.parametrize("name", SIP_TCP)
def test_sip_over_tcp(helping: KernelFirewall, name: str) -> None:
    check(helping, SIP_TCP[name])


BOTH = """table inet filter {{
 ct helper f {{ type "ftp" protocol tcp; }}
 ct helper six {{ type "ftp" protocol tcp; l3proto ip6; }}
 {}
}}
"""
ASSIGNED: dict[str, str] = {
    "in prerouting": "chain p { type filter hook prerouting priority 0; tcp dport 21 ct helper set \"f\"; }",
    "in forward": "chain p { type filter hook forward priority 0; tcp dport 21 ct helper set \"f\"; }",
    "ahead of conntrack": "chain p { type filter hook prerouting priority raw; tcp dport 21 ct helper set \"f\"; }",
    "to all": "chain p { type filter hook prerouting priority 0; ct helper set \"f\"; }",
    "too late": "chain p { type filter hook prerouting priority 0; tcp dport 21 ct state established ct helper set \"f\"; }",
    "for the other family": "chain p { type filter hook prerouting priority 0; tcp dport 21 ct helper set \"six\"; }",
    "behind notrack": (
        "chain r { type filter hook prerouting priority raw; notrack; }\n"
        "chain p { type filter hook prerouting priority 0; tcp dport 21 ct helper set \"f\"; }"
    ),
    "and the packet dropped behind it": (
        "chain p { type filter hook prerouting priority 0; tcp dport 21 ct helper set \"f\"; }\n"
        "chain q { type filter hook postrouting priority 301; ip saddr 192.168.1.10 tcp flags psh,ack drop; }"
    ),
    "and asked for": (
        "chain p { type filter hook prerouting priority 0; tcp dport 21 ct helper set \"f\"; }\n"
        "chain q { type filter hook forward priority 1; counter ct helper \"ftp\" counter; ct helper != \"ftp\" counter; "
        "ct helper \"sip\" drop; ct helper { \"ftp\", \"irc\" } counter; ct status expected counter; }"
    ),
}  # fmt: skip
ACTIVE = FTP["PORT and its connection"]


@pytest.mark.parametrize("name", ASSIGNED)
def test_nft_assigns_helpers_and_asks_for_them_as_the_kernel_does(name: str) -> None:
    rules = BOTH.format(ASSIGNED[name])
    wall = Wall(DEVICES)
    load_rules(wall.ip.rules, rules, "rules")
    with KernelFirewall(DEVICES, nft=rules) as kernel:
        assert differences(kernel, wall, ACTIVE) == []
        listed = kernel.counters("nft")
    assert nft.run(["nft", "list", "ruleset"], wall.ip.rules).out == listed


SAVED: dict[str, str] = {
    "asked for": (
        "*raw\n-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp\nCOMMIT\n*filter\n-A FORWARD -m helper --helper ftp\n"
        "-A FORWARD -m helper ! --helper ftp\n-A FORWARD -m helper --helper ftp-2121\n-A FORWARD -m helper --helper sip\n"
        "-A FORWARD -m helper --helper \"\"\n-A FORWARD -m helper ! --helper sip\n-A FORWARD -m helper ! --helper \"\"\nCOMMIT\n"
    ),
    "CT first, then NOTRACK": "*raw\n-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp\n-A PREROUTING -j NOTRACK\nCOMMIT\n",
    "CT without a word, then NOTRACK": "*raw\n-A PREROUTING -j CT\n-A PREROUTING -j NOTRACK\nCOMMIT\n",
    "NOTRACK first": "*raw\n-A PREROUTING -j NOTRACK\n-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp\nCOMMIT\n",
    "two helpers": "*raw\n-A PREROUTING -p tcp -j CT --helper irc\n-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp\nCOMMIT\n",
}  # fmt: skip


@pytest.mark.parametrize("name", SAVED)
def test_iptables_assigns_helpers_and_asks_for_them_as_the_kernel_does(name: str) -> None:
    wall = Wall(DEVICES)
    load_rules(wall.ip.rules, SAVED[name], "rules")
    with KernelFirewall(DEVICES, iptables=SAVED[name]) as kernel:
        assert differences(kernel, wall, ACTIVE) == []
        listed = kernel.counters()
    ours = iptables.run(["iptables-save", "-c"], wall.ip.rules).out
    assert [line for line in ours.splitlines() if line.startswith("[")] == [line for line in listed.splitlines() if line.startswith("[")]


def test_the_real_conntrack_lists_expectations_and_their_connections_as_ours_does(helping: KernelFirewall) -> None:
    helping.flush()
    wall = Wall(DEVICES)
    load_rules(wall.ip.rules, FOUR, "rules")
    spoken = [*ACTIVE[:-4], *TFTP["read"][:1], *IRC["DCC SEND and its connection"][:-1],
    *SIP["a call before the registrar has said yes"][:1]]
    assert differences(helping, wall, spoken) == []
    listed = helping.command(["conntrack", "-L", "expect"]).splitlines()
    tracker = wall.ip.tracker
    ours = [show.expect_line(one, wall.now) for one in tracker.expectations.entries()]
    assert len(ours) == 4
    assert sorted(_after_time(line) for line in ours) == sorted(_after_time(line) for line in listed if "proto" in line)


def _after_time(line: str) -> str:
    return line.strip().partition(" ")[2]


HEARD = [path for path in files() if path.parent.name in ("ftp", "sip") or path.name.startswith(("irc", "ftp", "globus", "tftp"))]
NAMED = "\n".join([*FOUR.splitlines()[:-1], *(f"-A PREROUTING -p tcp -m tcp --dport {port} -j CT --helper irc" for port in (6660, 6669)),
"COMMIT\n"])


@pytest.mark.parametrize("path", HEARD, ids=lambda path: path.name)
@pytest.mark.parametrize("checked", ["1", "0"], ids=["as they are", "checksums unread"])
def test_captures_with_helpers_assigned_get_the_kernels_labels_and_expectations(path: Path, checked: str) -> None:
    sysctls = {"net.netfilter.nf_conntrack_checksum": checked}
    heard = list(packets(read_capture(path), ByAddress(DEVICES)))
    wall = Wall(DEVICES)
    wall.ip.sysctls.set("net.netfilter.nf_conntrack_checksum", checked)
    load_rules(wall.ip.rules, NAMED, "rules")
    load_rules(wall.ip.rules, SIX, "rules", ipv6=True)
    with KernelFirewall(DEVICES, iptables=NAMED, ip6tables=SIX, sysctls=sysctls) as kernel:
        assert differences(kernel, wall, [(packet.dev or "lan", packet.data) for packet in heard[:400]]) == []
