"""Links and machines: packets arrive when they should, in order, or not at all, and keep their names."""

from __future__ import annotations

import pytest

from sim.craft import craft
from sim.errors import UsageError
from sim.machine.routes import Route
from sim.trace import EntryExpired, PacketArrived, PacketLost, PacketSent
from tests.machine.lab import Lab


def flood(lab: Lab, count: int = 200) -> None:
    for number in range(count):
        lab.left.send_crafted(craft(f"udp 192.168.1.10:{number + 1} > 192.168.1.20:9"))


def test_a_packet_arrives_after_the_links_delay_under_its_own_number() -> None:
    lab = Lab(delay=7_000)
    lab.left.send_crafted(craft("udp 192.168.1.10:1 > 192.168.1.20:9"))
    lab.run()
    (_, sent), (at, arrived) = lab.events(PacketSent, "left")[0], lab.events(PacketArrived, "right")[0]
    assert (sent.packet, sent.arrives, sent.to, sent.to_dev) == (arrived.packet, 7_000, "right", "eth0") and at == 7_000


def test_a_link_loses_about_as_many_as_it_is_told_and_says_which() -> None:
    lab = Lab(loss=0.25)
    flood(lab, 400)
    lost = {event.packet for _, event in lab.events(PacketLost)}
    assert 70 <= len(lost) <= 130
    assert lost == {event.packet for _, event in lab.events(PacketSent, "left") if event.arrives is None}


def test_a_shorter_delay_does_not_let_packets_overtake() -> None:
    lab = Lab(delay=50_000)
    flood(lab, 1)
    lab.link.change(delay=1_000)
    flood(lab, 1)
    lab.run()
    assert [time for time, _ in lab.events(PacketArrived, "right")] == [50_000, 50_000]


def test_a_cut_link_carries_nothing_until_it_is_mended() -> None:
    lab = Lab()
    lab.link.change(up=False)
    flood(lab, 2)
    assert [event.reason.code for _, event in lab.events(PacketLost)] == ["down", "down"]
    lab.link.change(up=True)
    flood(lab, 1)
    lab.run()
    assert len(lab.events(PacketArrived, "right")) == 1


def test_chance_on_one_link_does_not_depend_on_what_goes_over_another() -> None:
    lost = []
    for extra in (0, 50):
        lab = Lab(loss=0.3)
        other, far = lab.machine("other", "10.0.0.1/24"), lab.machine("far", "10.0.0.2/24")
        lab.network.connect(other, "eth0", far, "eth0", loss=0.5)
        for _ in range(extra):
            other.send_crafted(craft("udp 10.0.0.1:1 > 10.0.0.2:9"))
        flood(lab)
        lost.append([lab.events(PacketSent, "left")[n][1].arrives is None for n in range(200)])
    assert lost[0] == lost[1]


def test_a_packet_keeps_its_number_through_a_router() -> None:
    lab = Lab()
    router = lab.machine("router", "10.1.0.1/24", kind="router")
    router.ip.add_interface("eth1", ["10.2.0.1/24"])
    one, two = lab.machine("one", "10.1.0.2/24"), lab.machine("two", "10.2.0.2/24")
    lab.network.connect(one, "eth0", router, "eth0")
    lab.network.connect(router, "eth1", two, "eth0")
    one.ip.routes.add(Route.through("default", "10.1.0.1"))
    one.send_crafted(craft("udp 10.1.0.2:1 > 10.2.0.2:9"))
    lab.run()
    assert len({event.packet for _, event in lab.events(PacketSent) if event.about.startswith("empty")}) == 1
    assert len(lab.events(PacketArrived, "two")) == 1


def test_entries_expire_at_their_very_instant() -> None:
    lab = Lab()
    lab.right.ip.track_always = True
    lab.right.ip.arrange_conntrack()
    lab.right.udp.open(9)
    flood(lab, 1)
    lab.run()
    assert [time for time, _ in lab.events(EntryExpired, "right")] == [30_005_000]
    assert lab.env.now == 30_005_000


def test_a_device_that_is_not_there_and_a_name_given_twice_are_refused_with_a_hint() -> None:
    lab = Lab()
    with pytest.raises(UsageError, match=r"right has no interface 'eth9'\. did you mean 'eth0'"):
        lab.network.connect(lab.left, "eth0", lab.right, "eth9")
    with pytest.raises(UsageError, match="already"):
        lab.network.add_machine("left")


def test_a_mistake_in_a_program_comes_out_of_the_simulation() -> None:
    lab = Lab()

    def program():  # type: ignore[no-untyped-def]
        yield lab.env.timeout(1)
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError):
        lab.run(program())
