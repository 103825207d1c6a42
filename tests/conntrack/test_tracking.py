"""Conntrack in the hooks: labels on the skb, the trace's Labelled, NOTRACK, loopback, REJECT's packets, families."""

from __future__ import annotations

from sim.conntrack.settings import Settings
from sim.conntrack.tracker import Tracker
from sim.conntrack.words import Ctinfo, Told
from sim.craft import craft
from sim.machine.ip import IpLayer
from sim.netfilter.hooks import Hooks
from sim.netfilter.skb import Skb
from sim.netfilter.tracking import Tracking
from sim.netfilter.words import Hook
from sim.packet import Packet
from sim.ruleset.iptables import tool
from sim.trace import EntryCreated, EntryUpdated, Event, KernelLogged, Labelled

ASK = "udp 192.168.1.10:5000 > 203.0.113.9:53 data x"
ASK6 = "udp [fd00:1::10]:5000 > [fd00:2::9]:53 data x"


def box(**values: int) -> tuple[Tracking, Hooks, list[Event]]:
    heard: list[Event] = []
    hooks, settings = Hooks(), Settings()
    for key, value in values.items():
        settings.set(f"nf_conntrack_{key}", str(value))
    tracking = Tracking(Tracker(settings, heard.append), hooks, heard.append)
    tracking.enable()
    return tracking, hooks, heard


def test_it_stands_at_minus_200_where_packets_enter_and_last_where_they_leave() -> None:
    tracking, hooks, _ = box()
    assert hooks.names(Hook.PREROUTING) == hooks.names(Hook.OUTPUT) == [(-200, "conntrack")]
    assert hooks.names(Hook.INPUT) == hooks.names(Hook.POSTROUTING) == [(0x7FFFFFFF, "conntrack")]
    tracking.disable()
    assert all(hooks.names(hook) == [] for hook in Hook) and not tracking.enabled


def test_a_packet_gets_its_label_on_the_way_in_and_its_entry_on_the_way_out() -> None:
    tracking, hooks, heard = box()
    skb = Skb(Packet(craft(ASK), 5), 100)
    assert hooks.run(Hook.PREROUTING, skb) == 1
    assert skb.ctinfo == Ctinfo.NEW and not tracking.tracker.entries()
    assert hooks.run(Hook.POSTROUTING, skb) == 1
    label, created, _told = heard
    assert isinstance(label, Labelled) and (label.label, label.direction, label.hook) == ("NEW", "original", "PREROUTING")
    assert isinstance(created, EntryCreated) and created.packet == 5 and created.reason.code == "udp-new"


def test_what_a_rule_left_untracked_stays_so() -> None:
    tracking, hooks, heard = box()
    skb = Skb(Packet(craft(ASK)), 0)
    skb.ctinfo = Ctinfo.UNTRACKED
    hooks.run(Hook.PREROUTING, skb)
    hooks.run(Hook.POSTROUTING, skb)
    assert not tracking.tracker.entries() and [type(event) for event in heard] == [Labelled]


def test_over_loopback_a_packet_is_tracked_once() -> None:
    _, hooks, heard = box()
    skb = Skb(Packet(craft(ASK)), 0)
    for hook in (Hook.OUTPUT, Hook.POSTROUTING, Hook.PREROUTING, Hook.INPUT):
        assert hooks.run(hook, skb) == 1
    assert skb.ctinfo == Ctinfo.NEW and len([event for event in heard if isinstance(event, Labelled)]) == 1


def test_what_reject_sends_is_related_the_other_way_and_makes_no_entry() -> None:
    tracking, hooks, heard = box()
    cause, made = Skb(Packet(craft(ASK)), 0), Skb(Packet(craft("icmp 192.168.1.1 > 192.168.1.10 port-unreachable"), 9), 0)
    hooks.run(Hook.PREROUTING, cause)
    tracking.attach(made, cause)
    hooks.run(Hook.OUTPUT, made)
    hooks.run(Hook.POSTROUTING, made)
    label = heard[-1]
    assert isinstance(label, Labelled) and (label.packet, label.label, label.direction) == (9, "RELATED", "reply")
    assert not tracking.tracker.entries()


def test_only_the_families_that_are_wanted_are_tracked() -> None:
    tracking, hooks, _ = box()
    tracking.use(frozenset(("ip",)))
    four, six = Skb(Packet(craft(ASK)), 0), Skb(Packet(craft(ASK6)), 0)
    hooks.run(Hook.PREROUTING, four)
    hooks.run(Hook.PREROUTING, six)
    assert four.ctinfo == Ctinfo.NEW and six.ctinfo is None


def test_a_full_table_drops_in_prerouting_and_gives_no_label() -> None:
    _, hooks, heard = box(max=1)
    for port, verdict in ((1, 1), (2, 0)):
        skb = Skb(Packet(craft(f"udp 192.168.1.10:{port} > 203.0.113.9:53")), 0)
        assert hooks.run(Hook.PREROUTING, skb) == verdict
        if verdict:
            hooks.run(Hook.POSTROUTING, skb)
    assert skb.ctinfo is None and skb.dropped is not None and skb.dropped[1].code == "table-full"
    assert len([event for event in heard if isinstance(event, Labelled)]) == 1


def test_log_invalid_names_one_protocol_or_all() -> None:
    for value, count in ((0, 0), (17, 0), (6, 1), (255, 1)):
        tracking, hooks, _ = box(log_invalid=value)
        lines: list[str] = []
        tracking.log_invalid = lambda text, skb, lines=lines: lines.append(text)
        hooks.run(Hook.PREROUTING, Skb(Packet(craft("tcp 192.168.1.10:1 > 203.0.113.9:2 SF")), 0))
        assert lines == ["nf_ct_proto_6: invalid tcp flag combination "] * count


def test_after_a_pause_windows_are_learnt_anew() -> None:
    tracking, hooks, _ = box()
    talk = ("S seq 0", "S. seq 100 ack 1", ". seq 1 ack 101")
    ends = ("192.168.1.10:1000", "203.0.113.9:80")
    for number, words in enumerate(talk):
        src, dst = ends[number % 2], ends[1 - number % 2]
        skb = Skb(Packet(craft(f"tcp {src} > {dst} {words}")), number)
        hooks.run(Hook.PREROUTING, skb)
        hooks.run(Hook.POSTROUTING, skb)
    tracking.disable()
    tracking.enable()
    skb = Skb(Packet(craft(f"tcp {ends[0]} > {ends[1]} . seq 900000 ack 101")), 10)
    hooks.run(Hook.PREROUTING, skb)
    assert skb.ctinfo == Ctinfo.ESTABLISHED


def test_a_rule_that_changes_an_entrys_mark_shows_in_the_trace_and_to_conntrack_e_once() -> None:
    heard, told = list[Event](), list[tuple[str, int]]()
    ip = IpLayer("router", lambda: 0, lambda dev, via, packet: None, lambda skb: None, heard.append)
    for dev, address in (("lan", "192.168.1.1/24"), ("wan", "203.0.113.2/24")):
        ip.add_interface(dev, [address])
    ip.forward(True)
    ip.tracker.listeners.append(lambda event, conn, now: told.append((event, conn.telling & Told.MARK)))
    rule = "iptables -t mangle -A FORWARD -m conntrack --ctstate ESTABLISHED -j CONNMARK --set-mark 7"
    assert tool.run(rule.split(), ip.rules).status == 0
    ask, answer = "udp 192.168.1.10:99 > 203.0.113.9:53", "udp 203.0.113.9:53 > 192.168.1.10:99"
    for number, (text, dev) in enumerate(((ask, "lan"), (answer, "wan"), (answer, "wan")), 1):
        ip.receive(craft(text), dev, number)
    marked = [event for event in heard if isinstance(event, EntryUpdated) and event.changed == ("mark",)]
    assert [(event.packet, event.entry["mark"], event.told) for event in marked] == [(2, 7, True)]
    assert told == [("NEW", 0), ("UPDATE", Told.MARK)]


LOGGED = (
    (
        "tcp 192.168.1.10:1000 > 203.0.113.9:80 SF seq 5",
        "nf_ct_proto_6: invalid tcp flag combination IN=lan OUT= MAC= SRC=192.168.1.10 DST=203.0.113.9 LEN=40 TOS=0x00 PREC=0x00 TTL=64 "
        "ID=0 DF PROTO=TCP SPT=1000 DPT=80 SEQ=5 ACK=0 WINDOW=64240 RES=0x00 SYN FIN URGP=0 ",
    ),
    (
        "tcp 192.168.1.1:1000 > 203.0.113.9:80 R seq 5",
        "nf_ct_proto_6: invalid new IN= OUT=wan SRC=192.168.1.1 DST=203.0.113.9 LEN=40 TOS=0x00 PREC=0x00 TTL=64 "
        "ID=0 DF PROTO=TCP SPT=1000 DPT=80 SEQ=5 ACK=0 WINDOW=64240 RES=0x00 RST URGP=0 ",
    ),
)
"""What came in and what this machine sent, and what Linux 6.18.44 wrote into its log with nf_conntrack_log_invalid=255."""


def test_what_nf_conntrack_log_invalid_asks_for_stands_in_the_machines_kernel_log_as_linux_writes_it() -> None:
    heard = list[Event]()
    ip = IpLayer("router", lambda: 7, lambda dev, via, packet: None, lambda skb: None, heard.append)
    for dev, address in (("lan", "192.168.1.1/24"), ("wan", "203.0.113.2/24")):
        ip.add_interface(dev, [address])
    ip.track_always = True
    ip.arrange_conntrack()
    came, sent = (craft(text) for text, _ in LOGGED)
    ip.receive(came, "lan", 1)
    assert ip.kernel_log_lines == []
    ip.sysctls.set("net.netfilter.nf_conntrack_log_invalid", "255")
    ip.receive(came, "lan", 1)
    ip.send(sent)
    assert [text for _, text in ip.kernel_log_lines] == [text for _, text in LOGGED]
    assert [event.text for event in heard if isinstance(event, KernelLogged)] == [text for _, text in LOGGED]
