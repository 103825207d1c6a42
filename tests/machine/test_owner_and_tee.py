"""iptables' owner, TRACE and TEE on a machine: whose socket sends, what the kernel's log tells, where the copy goes."""

from __future__ import annotations

from sim.craft import craft
from sim.machine.ip import IpLayer
from sim.packet import Packet
from sim.ruleset.iptables import tool


class Router:
    """An IP layer between lan and wan that keeps what leaves and what the log says."""

    def __init__(self, *rules: str) -> None:
        self.out: list[tuple[str, object, bytes]] = []
        self.events: list[object] = []
        self.ip = IpLayer("fw", lambda: 0, self._transmit, lambda skb: None, self.events.append)
        self.ip.add_interface("lan", ["192.168.1.1/24"])
        self.ip.add_interface("wan", ["203.0.113.2/24"])
        self.ip.forward(True)
        for rule in rules:
            assert tool.run(["iptables", *rule.split(" ")], self.ip.rules).err == ""

    def _transmit(self, dev: str, via: object, packet: Packet) -> None:
        self.out.append((dev, via, packet.data))

    @property
    def log(self) -> list[str]:
        return [text for _, text in self.ip.kernel_log_lines]


def test_a_traced_packet_is_told_at_each_rule_that_it_matches_and_at_the_policy() -> None:
    router = Router("-t raw -A PREROUTING -p udp -j TRACE", "-A FORWARD -p tcp", "-A FORWARD -p udp", "-A FORWARD -i lan -j ACCEPT")
    router.ip.receive(craft("udp 192.168.1.9:5 > 203.0.113.9:53"), "lan", 1)
    places = [line.split(" ")[1] for line in router.log if line.startswith("TRACE:")]
    assert places == ["raw:PREROUTING:policy:2", "filter:FORWARD:rule:2", "filter:FORWARD:rule:3"]


def test_a_copy_goes_to_the_gateway_and_the_packet_on_its_way() -> None:
    router = Router("-t mangle -A PREROUTING -j TEE --gateway 192.168.1.77")
    router.ip.receive(craft("udp 192.168.1.9:5 > 203.0.113.9:53 ttl 9"), "lan", 1)
    copy, packet = router.out
    assert copy[0] == "lan" and copy[1] == bytes((192, 168, 1, 77)) and copy[2][8] == 8
    assert packet[0] == "wan" and packet[2][8] == 8


def test_what_a_program_sends_belongs_to_its_user() -> None:
    router = Router("-P OUTPUT DROP", "-A OUTPUT -m owner --uid-owner www-data -j ACCEPT")
    for acting, left in (("www-data", 1), ("root", 1), (None, 1)):
        router.ip.acting = acting
        router.ip.owner_of = lambda packet: router.ip.acting
        router.ip.send(craft("icmp 203.0.113.2 > 203.0.113.9 echo-request id 1 seq 1"))
        assert len(router.out) == left


def test_without_a_socket_only_what_is_negated_matches() -> None:
    router = Router("-P OUTPUT DROP", "-A OUTPUT -m owner ! --socket-exists -j ACCEPT")
    router.ip.send(craft("icmp 203.0.113.2 > 203.0.113.9 echo-request id 1 seq 1"))
    assert len(router.out) == 1
