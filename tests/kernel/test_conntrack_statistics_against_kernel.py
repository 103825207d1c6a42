"""`conntrack -S`: the counters after the same packets, the kernel's summed over its processors."""

from __future__ import annotations

import pytest

from sim.edges.kernel import KernelFirewall
from sim.edges.replay import load_rules
from sim.edges.replay.wall import Wall
from sim.edges.verify.counters import summed
from tests.kernel import helped, helped_more
from tests.kernel.conftest import DEVICES

SPOKEN = (*helped.FTP.values(), *helped.SIP.values(), *helped.TFTP.values(), *helped_more.PPTP.values(), *helped_more.AMANDA.values())
PACKETS = [packet for packets in SPOKEN for packet in packets]
SNAT = "*nat\n-A POSTROUTING -o wan -j SNAT --to-source 203.0.113.77\nCOMMIT\n"


@pytest.mark.parametrize("more", ["", SNAT], ids=["plain", "translated"])
def test_the_counters_are_the_kernel_s(more: str) -> None:
    wall = Wall(DEVICES)
    load_rules(wall.ip.rules, helped.FOUR + more, "rules")
    with KernelFirewall(DEVICES, iptables=helped.FOUR + more) as kernel:
        for number, ((dev, data), answer) in enumerate(zip(PACKETS, kernel.feed_batch(PACKETS), strict=True), 1):
            wall.advance(answer.at_us)
            wall.receive(data, dev, number)
        real, expected = (summed(kernel.command(["conntrack", "-S", *words])) for words in ([], ["expect"]))
    assert (wall.ip.tracker.stats, wall.ip.tracker.expectations.stats) == (real, expected)
