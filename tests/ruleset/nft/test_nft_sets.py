"""nft's sets, maps and objects as packets and time change them; what is refused of them, and that all of it survives other commands."""

from __future__ import annotations

import pytest

from sim.craft import craft
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.ruleset.match import Finder
from sim.ruleset.model import CatchAll, Prefix, Range
from sim.ruleset.nft.tool import run
from tests.ruleset.firewall import Firewall

SECOND = 1_000_000


class Lab:
    """A firewall with nft's rules and a clock of its own."""

    def __init__(self, rules: str) -> None:
        self.firewall, self.now = Firewall(), 0
        self.firewall.state.clock = lambda: self.now
        assert self.nft(rules) == ""

    def nft(self, text: str) -> str:
        result = run(["nft", "-f", "-"], self.firewall.state, text + "\n")
        assert not (result.err and result.out)
        return result.err or result.out

    def send(self, line: str, at: int) -> None:
        self.now = at
        skb = Skb(Packet(craft(line)), at, "eth0")
        live = self.firewall.state
        for table in live.ruleset.tables:
            for chain in table.chains:
                live._link(table)[chain.name](skb)


DYNAMIC = """table ip t {
 set s { type ipv4_addr; flags dynamic,timeout; timeout 10s; size 2; }
 chain c { type filter hook input priority 0; add @s { ip saddr } counter; }
}"""


def elements(lab: Lab) -> list[str]:
    listing = lab.nft("list set ip t s")
    return [line.strip().removeprefix("elements = { ").rstrip(" },") for line in listing.splitlines() if "expires" in line]


def test_an_element_lives_until_the_very_microsecond_of_its_end() -> None:
    lab = Lab(DYNAMIC)
    lab.send("udp 10.0.0.1:1 > 10.0.0.9:2", at=0)
    lab.now = 10 * SECOND - 1000
    assert elements(lab) == ["10.0.0.1 expires 1ms"]
    lab.now = 10 * SECOND
    assert elements(lab) == []


def test_a_full_set_ends_the_rule_and_has_room_again_when_time_has_taken_one() -> None:
    lab = Lab(DYNAMIC)
    for host, at in ((1, 0), (2, 5), (3, 6), (3, 10)):
        lab.send(f"udp 10.0.0.{host}:1 > 10.0.0.9:2", at=at * SECOND)
    assert "counter packets 3" in lab.nft("list table ip t")


def test_other_commands_leave_what_packets_have_learnt() -> None:
    lab = Lab(DYNAMIC)
    lab.send("udp 10.0.0.1:1 > 10.0.0.9:2", at=0)
    lab.nft("add chain ip t other\nadd element ip t s { 10.0.0.7 timeout 1h }")
    assert elements(lab) == ["10.0.0.1 expires 10s, 10.0.0.7 timeout 1h expires 1h"]
    lab.nft("flush set ip t s")
    assert elements(lab) == []


def test_a_quota_tells_what_is_used_and_a_reset_begins_it_anew() -> None:
    lab = Lab("table ip t {\n quota q { over 100 bytes; }\n chain c { type filter hook input priority 0; quota name \"q\" counter; }\n}")
    for _ in range(4):
        lab.send("udp 10.0.0.1:1 > 10.0.0.9:2 len 12", at=0)
    listing = lab.nft("reset quotas")
    assert "over 100 bytes used 100 bytes" in listing
    assert "counter packets 2" in lab.nft("list table ip t")
    assert "used" not in lab.nft("list quotas")


REFUSED = [
    ("add rule ip t c ip saddr { 10.0.0.1 counter }", "'counter' is right, but not simulated here"),
    ("add rule ip t c add @s { 10.0.0.1 }", "'add' is right, but not simulated here"),
    ("delete set ip t s", "Could not process rule: Device or resource busy"),
    ("add element ip t s { 10.0.0.1 counter }", "missing statement in set declaration"),
    ("add element ip t s { 10.0.0.1, 10.0.0.2, 10.0.0.3 }", "Could not process rule: Too many open files in system"),
    ("add rule ip t c update @s { ip saddr limit rate 1/second counter quota 5 bytes }", "Could not process rule: Argument list too long"),
]


@pytest.mark.parametrize(("command", "message"), REFUSED, ids=[command for command, _ in REFUSED])
def test_what_is_refused_says_so_and_changes_nothing(command: str, message: str) -> None:
    lab = Lab(DYNAMIC)
    before = lab.nft("list ruleset")
    assert message in lab.nft(command)
    assert lab.nft("list ruleset") == before


def test_many_concatenations_with_ranges_are_found_by_their_fields() -> None:
    items = [((Prefix(bytes((10, number, 0, 0)), 16), Range(number, number + 5)), number) for number in range(200)]
    finder = Finder([*items, (CatchAll(), 999)])
    assert finder.find((bytes((10, 7, 3, 3)), 9)) == 7
    assert finder.find((bytes((10, 7, 3, 3)), 13)) == 999
    assert finder.find((bytes((9, 7, 3, 3)), 9)) == 999
