"""The tracker around the protocols: table, expiry, events, listeners, limits, expectations."""

from __future__ import annotations

import pytest

from sim.conntrack import show
from sim.conntrack.conn import Conn
from sim.conntrack.expect import PERMANENT, Expectation
from sim.conntrack.settings import Settings, SysctlError
from sim.conntrack.tracker import Tracked, Tracker
from sim.conntrack.tuples import tuple_of
from sim.conntrack.words import LABEL, Status, Told
from sim.craft import craft
from sim.packet import Packet, Tuple
from sim.trace import EntryCreated, EntryDestroyed, EntryExpired, EntryTold, EntryUpdated, Event, KernelLogged
from sim.trace import Expectation as ExpectationEvent
from sim.units import DAY, SECOND, parse_address

CLIENT, SERVER = "192.168.1.10", "203.0.113.9"
SYN = f"tcp {CLIENT}:1000 > {SERVER}:80 S seq 1"
SYNACK = f"tcp {SERVER}:80 > {CLIENT}:1000 S. seq 100 ack 2"
ACK = f"tcp {CLIENT}:1000 > {SERVER}:80 . seq 2 ack 101"
ASK, ANSWER = f"udp {CLIENT}:5000 > {SERVER}:53 data x", f"udp {SERVER}:53 > {CLIENT}:5000 data x"


def settings(**values: int) -> Settings:
    made = Settings()
    for key, value in values.items():
        made.set(f"nf_conntrack_{key}", str(value))
    return made


def feed(tracker: Tracker, text: str, now: int = 0, through: bool = True, zone: int = 0) -> Tracked:
    packet = Packet(craft(text), 1)
    tracked = tracker.track(packet, 0, now, zone)
    if tracked.conn is not None and through:
        tracker.confirm(tracked.conn, packet, now, tracked.ctinfo)
    return tracked


def test_an_entry_is_in_the_table_only_once_its_packet_got_through() -> None:
    tracker = Tracker()
    assert LABEL[feed(tracker, SYN, through=False).ctinfo] == "NEW"
    assert not tracker.entries() and tracker.next_expiry() is None
    assert LABEL[feed(tracker, SYN).ctinfo] == "NEW"
    assert len(list(tracker.entries())) == 1


def test_the_time_out_counts_from_the_confirmation_and_ends_at_its_very_instant() -> None:
    tracker = Tracker()
    packet = Packet(craft(SYN))
    tracked = tracker.track(packet, 0, 0)
    assert tracked.conn is not None
    tracker.confirm(tracked.conn, packet, 7)
    assert tracker.next_expiry() == 120 * SECOND + 7
    tracker.expire(120 * SECOND + 6)
    assert tracker.entries()
    tracker.expire(120 * SECOND + 7)
    assert not tracker.entries() and tracker.next_expiry() is None


def test_a_time_out_that_shrinks_and_one_that_grows_both_end_when_they_should() -> None:
    tracker = Tracker()
    for now, text in enumerate((SYN, SYNACK, ACK)):
        feed(tracker, text, now)
    assert tracker.next_expiry() == 5 * DAY + 2
    feed(tracker, f"tcp {SERVER}:80 > {CLIENT}:1000 R seq 101", 10)
    assert tracker.next_expiry() == 10 * SECOND + 10
    feed(tracker, f"tcp {CLIENT}:1000 > {SERVER}:80 . seq 2 ack 101", SECOND)
    assert tracker.next_expiry() == 11 * SECOND


def test_entries_that_end_together_end_in_the_order_of_time_and_then_of_age() -> None:
    heard: list[Event] = []
    tracker = Tracker(emit=heard.append)
    for number in (3, 1, 2):
        feed(tracker, f"udp {CLIENT}:{number} > {SERVER}:53", number * SECOND if number == 1 else 0)
    tracker.expire(100 * SECOND)
    assert [event.conn for event in heard if isinstance(event, EntryExpired)] == [1, 3, 2]


def test_the_trace_tells_creation_change_expiry_and_end_in_this_order() -> None:
    heard: list[Event] = []
    tracker = Tracker(emit=heard.append)
    feed(tracker, ASK)
    feed(tracker, ANSWER, SECOND)
    feed(tracker, ASK, 3 * SECOND)
    tracker.expire(123 * SECOND)
    told = [event for event in heard if not isinstance(event, EntryTold)]
    assert [type(event) for event in told] == [EntryCreated, EntryUpdated, EntryUpdated, EntryExpired, EntryDestroyed]
    assert [event.event for event in heard if isinstance(event, EntryTold)] == ["NEW", "UPDATE", "UPDATE", "DESTROY"]
    created, replied, stream, _, destroyed = told
    assert isinstance(created, EntryCreated) and created.entry["unreplied"] and created.entry["timeout"] == 30 * SECOND
    assert isinstance(replied, EntryUpdated) and replied.changed == ("unreplied", "status", "expires") and replied.told
    assert isinstance(stream, EntryUpdated) and stream.changed == ("assured", "status", "expires") and stream.reason.code == "udp-stream"
    assert isinstance(destroyed, EntryDestroyed) and destroyed.reason.code == "expired"


def test_a_packet_that_only_refreshes_is_not_told() -> None:
    heard: list[Event] = []
    tracker = Tracker(emit=heard.append)
    feed(tracker, ASK)
    feed(tracker, ASK, SECOND)
    update = heard[-1]
    assert isinstance(update, EntryUpdated) and update.changed == ("expires",) and not update.told


def test_nothing_is_emitted_about_an_entry_after_its_end() -> None:
    heard: list[Event] = []
    tracker = Tracker(emit=heard.append)
    feed(tracker, SYN)
    feed(tracker, f"tcp {SERVER}:80 > {CLIENT}:1000 R. seq 0 ack 2", 1)
    assert isinstance(heard[-2], EntryDestroyed) and heard[-2].entry["state"] == "CLOSE"
    assert isinstance(heard[-1], EntryTold) and heard[-1].event == "DESTROY"


def test_listeners_hear_what_conntrack_e_prints() -> None:
    tracker, lines = Tracker(), list[str]()
    tracker.listeners.append(lambda event, conn, now: lines.append(show.event_line(event, conn, now)))
    for now, text in enumerate((SYN, SYNACK, ACK, ACK)):
        feed(tracker, text, now)
    tracker.delete(next(iter(tracker.entries())), SECOND)
    tuples = f"src={CLIENT} dst={SERVER} sport=1000 dport=80"
    back = f"src={SERVER} dst={CLIENT} sport=80 dport=1000"
    assert lines == [
        f"    [NEW] tcp      6 120 SYN_SENT {tuples} [UNREPLIED] {back}",
        f" [UPDATE] tcp      6 60 SYN_RECV {tuples} {back}",
        f" [UPDATE] tcp      6 432000 ESTABLISHED {tuples} {back} [ASSURED]",
        f"[DESTROY] tcp      6 431999 ESTABLISHED {tuples} {back} [ASSURED]",
    ]


def test_who_starts_to_listen_later_hears_nothing_of_older_entries() -> None:
    tracker, heard = Tracker(), list[str]()
    feed(tracker, ASK)
    tracker.listeners.append(lambda event, conn, now: heard.append(event))
    feed(tracker, ANSWER, 1)
    tracker.flush(2)
    assert heard == []
    always = Tracker(settings(events=1))
    feed(always, ASK)
    always.listeners.append(lambda event, conn, now: heard.append(event))
    feed(always, ANSWER, 1)
    assert heard == ["UPDATE"]


def test_an_update_waits_for_a_packet_that_gets_through() -> None:
    tracker, heard = Tracker(), list[str]()
    tracker.listeners.append(lambda event, conn, now: heard.append(event))
    feed(tracker, ASK)
    feed(tracker, ANSWER, 1, through=False)
    assert heard == ["NEW"]
    feed(tracker, ASK, 2)
    assert heard == ["NEW", "UPDATE"]


def test_a_full_table_drops_what_is_new_and_says_so_ten_times_in_five_seconds() -> None:
    heard: list[Event] = []
    tracker = Tracker(settings(max=2), emit=heard.append)
    for port in range(1, 3):
        feed(tracker, f"udp {CLIENT}:{port} > {SERVER}:53")
    for port in range(10, 30):
        assert feed(tracker, f"udp {CLIENT}:{port} > {SERVER}:53", port).verdict == 0
    lines = [event.text for event in heard if isinstance(event, KernelLogged)]
    assert lines == ["nf_conntrack: table full, dropping packet"] * 10
    assert feed(tracker, f"udp {CLIENT}:1 > {SERVER}:53", 40).verdict == 1
    assert tracker.stats["drop"] == 20


def test_in_a_full_table_a_neighbour_that_is_not_assured_makes_way() -> None:
    heard: list[Event] = []
    tracker = Tracker(settings(max=300, buckets=512), emit=heard.append)
    for port in range(1, 301):
        feed(tracker, f"udp {CLIENT}:{port} > {SERVER}:53")
    feed(tracker, f"udp {CLIENT}:9999 > {SERVER}:53", 1)
    gone = [event for event in heard if isinstance(event, EntryDestroyed)]
    assert gone and {event.reason.code for event in gone} == {"early_drop"}
    assert tracker.stats["early_drop"] == len(gone) and len(list(tracker.entries())) == 301 - len(gone)


def test_zones_keep_equal_tuples_apart() -> None:
    tracker = Tracker()
    feed(tracker, ASK)
    assert LABEL[feed(tracker, ANSWER, 1, zone=5).ctinfo] == "NEW"
    assert LABEL[feed(tracker, ANSWER, 2).ctinfo] == "ESTABLISHED"
    found = tracker.find(tuple_of(Packet(craft(ANSWER))) or (), 5)  # type: ignore[arg-type]
    assert found is not None and found[1] == 0 and found[0].zone == 5


def test_accounting_counts_packets_and_bytes_of_entries_made_while_it_is_on() -> None:
    tracker = Tracker(settings(acct=1))
    feed(tracker, ASK)
    feed(tracker, ANSWER, 1)
    feed(tracker, ASK, 2)
    (conn,) = tracker.entries()
    assert conn.acct == [2, 58, 1, 29]


def test_conntrack_u_changes_mark_and_time_out_and_is_told_as_update() -> None:
    tracker, heard = Tracker(), list[tuple[str, int]]()
    tracker.listeners.append(lambda event, conn, now: heard.append((event, tracker.portid)))
    feed(tracker, ASK)
    (conn,) = tracker.entries()
    tracker.change(conn, 1, mark=7, timeout=5 * SECOND, portid=42)
    assert conn.mark == 7 and tracker.next_expiry() == 5 * SECOND + 1
    assert heard == [("NEW", 0), ("UPDATE", 42)]


def test_two_packets_that_open_the_same_connection_at_once_share_it_or_the_second_is_dropped() -> None:
    tracker = Tracker()
    first, second = Packet(craft(ASK)), Packet(craft(ASK))
    one, two = tracker.track(first, 0, 0), tracker.track(second, 0, 0)
    assert one.conn is not None and two.conn is not None and one.conn is not two.conn
    assert tracker.confirm(one.conn, first, 1) == 1
    assert tracker.confirm(two.conn, second, 1) == 1 and tracker.conn is one.conn
    three, four = tracker.track(Packet(craft(SYN)), 0, 2), tracker.track(Packet(craft(SYN)), 0, 2)
    assert three.conn is not None and four.conn is not None
    assert tracker.confirm(three.conn, Packet(craft(SYN)), 3) == 1
    assert tracker.confirm(four.conn, Packet(craft(SYN)), 3) == 0


def test_when_only_the_original_tuples_clash_the_second_waits_one_second_for_its_answer() -> None:
    tracker = Tracker()
    packet = Packet(craft(ASK))
    one, two = tracker.track(packet, 0, 0), tracker.track(packet, 0, 0)
    assert one.conn is not None and two.conn is not None
    two.conn.reply = two.conn.reply._replace(dport=6000)
    assert tracker.confirm(one.conn, packet, 1) == tracker.confirm(two.conn, packet, 1) == 1
    assert two.conn.status & Status.NAT_CLASH and tracker.next_expiry() == 1 + SECOND
    answer = feed(tracker, f"udp {SERVER}:53 > {CLIENT}:6000 data x", 2)
    assert answer.conn is two.conn and LABEL[answer.ctinfo] == "ESTABLISHED"
    assert feed(tracker, ASK, 3).conn is one.conn


def test_the_kernel_says_how_many_warnings_it_kept_to_itself() -> None:
    lines: list[str] = []
    tracker = Tracker(settings(max=1))
    tracker.on_warning = lines.append
    feed(tracker, ASK)
    for port in range(1, 15):
        feed(tracker, f"udp {CLIENT}:{port} > {SERVER}:53", port)
    feed(tracker, f"udp {CLIENT}:99 > {SERVER}:53", 6 * SECOND)
    full = "nf_conntrack: table full, dropping packet"
    assert lines == [full] * 10 + ["net_ratelimit: 4 callbacks suppressed", full]


def test_a_mark_set_by_a_rule_is_told_with_the_packet_that_set_it() -> None:
    tracker, told = Tracker(), list[tuple[str, int]]()
    tracker.listeners.append(lambda event, conn, now: told.append((event, conn.telling & Told.MARK)))
    feed(tracker, ASK)
    packet = Packet(craft(ASK))
    tracked = tracker.track(packet, 0, 1)
    assert tracked.conn is not None
    tracked.conn.set_mark(5)
    tracker.confirm(tracked.conn, packet, 1, tracked.ctinfo)
    assert told == [("NEW", 0), ("UPDATE", Told.MARK)]


def test_sysctls_say_enoent_eacces_and_einval_as_the_kernel_does() -> None:
    made = Settings()
    for key, text, code in (
        ("nf_conntrack_nonsense", "1", "ENOENT"), ("net.ipv4.nf_conntrack_max", "1", "ENOENT"), ("nf_conntrack_count", "1", "EACCES"),
        ("nf_conntrack_udp_timeout", "soon", "EINVAL"), ("nf_conntrack_udp_timeout", "09", "EINVAL"),
        ("nf_conntrack_tcp_loose", "2", "EINVAL"),
    ):  # fmt: skip
        with pytest.raises(SysctlError) as caught:
            made.set(key, text)
        assert caught.value.code == code
    made.set("net.netfilter.nf_conntrack_udp_timeout", "0x20\n")
    assert made.get("nf_conntrack_udp_timeout") == "32" and made.udp == 32 * SECOND


def test_a_packet_made_by_reject_does_not_confirm_the_entry_of_what_was_rejected() -> None:
    tracker = Tracker()
    packet = Packet(craft(SYN))
    tracked = tracker.track(packet, 0, 0)
    assert tracked.conn is not None
    assert tracker.confirm(tracked.conn, packet, 0, 4) == 1
    assert not tracker.entries()


def _master(tracker: Tracker) -> Conn:
    feed(tracker, f"tcp {CLIENT}:1000 > {SERVER}:21 S seq 1")
    (conn,) = tracker.entries()
    conn.helper, conn.mark = "ftp", 9
    return conn


def _expected(master: Conn, dport: int = 20000, **more: object) -> Expectation:
    data = Tuple(parse_address(CLIENT), parse_address(SERVER), 0, dport, 6)
    return Expectation(master, data, **more)  # type: ignore[arg-type]


def test_an_expected_connection_is_related_to_its_master_and_inherits_its_mark() -> None:
    heard: list[Event] = []
    tracker = Tracker(emit=heard.append)
    master = _master(tracker)
    assert tracker.expectations.expect(_expected(master), 0)
    data = feed(tracker, f"tcp {CLIENT}:1234 > {SERVER}:20000 S seq 1", 1)
    assert LABEL[data.ctinfo] == "RELATED" and data.conn is not None
    assert data.conn.master is master and data.conn.mark == 9 and data.conn.status & Status.EXPECTED
    assert master.children == 1 and tracker.expectations.count == 0
    assert [event.action for event in heard if isinstance(event, ExpectationEvent)] == ["created", "used"]
    assert LABEL[feed(tracker, f"tcp {CLIENT}:1235 > {SERVER}:20000 S seq 1", 2).ctinfo] == "NEW"


def test_an_expectation_runs_out_goes_with_its_master_and_may_be_permanent() -> None:
    heard: list[Event] = []
    tracker = Tracker(emit=heard.append)
    master = _master(tracker)
    tracker.expectations.expect(_expected(master, 1, timeout=10 * SECOND, limit=3), 0)
    tracker.expectations.expect(_expected(master, 2, limit=3), 0)
    tracker.expectations.expect(_expected(master, 3, limit=3, flags=PERMANENT), 0)
    assert tracker.next_expiry() == 10 * SECOND
    tracker.expire(10 * SECOND)
    for port in (5, 6):
        assert LABEL[feed(tracker, f"tcp {CLIENT}:{port} > {SERVER}:3 S seq 1", 11 * SECOND).ctinfo] == "RELATED"
    tracker.delete(master, 12 * SECOND)
    assert tracker.expectations.count == 0
    actions = [event.action for event in heard if isinstance(event, ExpectationEvent)]
    assert actions == ["created", "created", "created", "expired", "removed", "removed"]


def test_a_helper_may_expect_so_many_and_the_oldest_makes_way() -> None:
    tracker = Tracker()
    master = _master(tracker)
    for port in (1, 2, 3):
        assert tracker.expectations.expect(_expected(master, port, limit=2), port)
    assert sorted(one.tuple.dport for one in tracker.expectations.entries()) == [2, 3]
    assert tracker.expectations.expect(_expected(master, 3, limit=2), 9) and tracker.expectations.count == 2
