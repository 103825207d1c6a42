"""What if: one thing changed in the past with all that came later done again, and the least time-out that would have done."""

from __future__ import annotations

import pytest

from lessons.course import read_course
from sim.errors import UsageError
from sim.inputs import Command, Line, LinkChange
from sim.trace import EntryDestroyed, Noted, PacketLost
from sim.units import SECOND
from web.session import Session


def udp_session() -> Session:
    """A datagram and its echo, 45 s of silence, and the same client again: the entry (30 s) has been forgotten by then."""
    session = Session("k", read_course().scenario("laptop-and-server"), None)
    session.take(SECOND, [Line("laptop", "nc -u -p 4000 192.168.1.20 5060"), Line("laptop", "one")])
    session.take(46 * SECOND, [Line("laptop", "two")])
    return session


def expired(session: Session) -> list[int]:
    return [r.event.conn for r in session.simulation.records if isinstance(r.event, EntryDestroyed) and r.machine == "server"
            and r.event.reason.code == "expired"]  # fmt: skip


def test_the_least_time_out_is_found_by_running_and_one_second_less_is_too_little() -> None:
    session = udp_session()
    found = session.survival("server", expired(session)[0])
    assert found.key == "net.netfilter.nf_conntrack_udp_timeout" and found.now == 30
    assert dict(found.runs)[found.least] and not dict(found.runs)[found.least - 1]
    assert 40 <= found.least <= 46
    session.change(found.at, Command("server", f"sysctl -w {found.key}={found.least}"))
    first = next(r for r in session.simulation.records if isinstance(r.event, EntryDestroyed) and r.machine == "server")
    assert first.time > 46 * SECOND


def test_an_entry_that_nobody_missed_is_refused_with_a_sentence() -> None:
    session = udp_session()
    with pytest.raises(UsageError, match="nobody went on"):
        session.survival("server", expired(session)[-1])
    with pytest.raises(UsageError, match="has not run out of time"):
        session.survival("server", 99)


def test_a_change_in_the_past_keeps_what_was_done_later_and_the_present_as_a_branch() -> None:
    session = udp_session()
    before, given = session.simulation.records, list(session.inputs)
    start = session.change(20 * SECOND, LinkChange("laptop.eth0--server.eth0", up=False))
    assert [pair for pair in session.inputs if pair in given] == given
    assert session.simulation.records[:start] == before[:start]
    assert any(isinstance(r.event, PacketLost) for r in session.simulation.records[start:])
    (branch,) = session.public_branches()[-1:]
    assert branch["text"].startswith("without laptop.eth0")
    session.restore(branch["id"])
    again = session.simulation.records
    assert again == before[: len(again)] and len(again) > start


def test_a_lessons_what_if_is_a_future_beside_the_present_which_stays() -> None:
    session = udp_session()
    before, given = list(session.simulation.records), list(session.inputs)
    for _ in range(2):
        session.aside(20 * SECOND, LinkChange("laptop.eth0--server.eth0", up=False))
    assert session.inputs == given and list(session.simulation.records) == before
    (branch,) = session.public_branches()
    assert branch["text"].startswith("laptop.eth0"), "asked twice it is kept once"
    other = session.future(branch["id"])
    assert any(isinstance(r.event, PacketLost) for r in other) and branch["records"] == len(other)
    with pytest.raises(UsageError, match="there is no machine 'nowhere'"):
        session.aside(0, Command("nowhere", "ls"))


def test_a_command_that_fails_is_told_in_its_own_words() -> None:
    session = udp_session()
    session.change(20 * SECOND, Command("server", "iptables -A NOWHERE -j DROP"))
    told = [r.event.text for r in session.simulation.records if isinstance(r.event, Noted)]
    assert any("No chain/target/match by that name" in text for text in told)


def test_a_change_of_what_is_not_there_changes_nothing() -> None:
    session = udp_session()
    records = session.simulation.records
    with pytest.raises(UsageError, match="there is no machine 'nowhere'"):
        session.change(0, Command("nowhere", "ls"))
    assert session.simulation.records is records
