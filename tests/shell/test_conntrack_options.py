"""conntrack's command line: what the tool takes, and its complaints, word for word."""

from __future__ import annotations

import pytest

from sim.conntrack.conn import TcpConn
from sim.conntrack.tuples import pack
from sim.packet import Tuple
from sim.shell.conntrack_check import check, check_masks
from sim.shell.conntrack_filter import tests as checks_of
from sim.shell.conntrack_options import parse
from sim.shell.conntrack_values import Complaint, number
from sim.units import parse_address


def complaint(line: str) -> str:
    with pytest.raises(Complaint) as caught:
        request = parse(line.split(), [])
        check(request)
        check_masks(request)
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("conntrack -L --dport 80", "unknown option `--dport'"),
        ("conntrack -L --dport 80 -p tcp", "unknown option `--dport'"),
        ("conntrack -L -p icmp --dport 8", "unknown option `--dport'"),
        ("conntrack -L -p udp --state ESTABLISHED", "unknown option `--state'"),
        ("conntrack -L -p tcp --state established", "unknown TCP state `established'"),
        ("conntrack -L -p tcp --sport", "option `--sport' requires an argument"),
        ("conntrack -L -o", "option `-o' requires an argument"),
        ("conntrack -L -x", "unknown option `-x'"),
        ("conntrack -L --orig 1.2.3.4", "unknown option `--orig'"),
        ("conntrack -L -p bogus", "`bogus' unsupported protocol"),
        ("conntrack -L -p 256", "`256' unsupported protocol"),
        ("conntrack -L -f bogus", "`bogus' unsupported protocol"),
        ("conntrack -L -s bogus", "Invalid IP address `bogus'"),
        ("conntrack -L -s 1.2.3.4/33", "Invalid netmask"),
        ("conntrack -L -s ::1 -d 1.2.3.4", "mismatched address family"),
        ("conntrack -L -u BOGUS", "Bad parameter `BOGUS'"),
        ("conntrack -E -e BOGUS", "Bad parameter `BOGUS'"),
        ("conntrack -L -D", "Invalid commands combination"),
        ("conntrack -L --dump", "Invalid commands combination"),
        ("conntrack -L bogus", "unknown type `bogus'"),
        ("conntrack -L -t 3", "Illegal option `--timeout' with this command"),
        ("conntrack -L -e NEW", "Illegal option `--event-mask' with this command"),
        ("conntrack -F -p tcp", "Illegal option `--protonum' with this command"),
        ("conntrack -F expect -f ipv4", "Illegal option `--family' with this command"),
        ("conntrack -p tcp", "Illegal option `--protonum' with this command"),
        ("conntrack -G", "You need to supply the `--protonum' option for this command"),
        ("conntrack -D expect -s 1.1.1.1", "You need to supply the `--dst' option for this command"),
        ("conntrack -L --mask-src 255.0.0.0", "Can't use --mask-src without --src"),
    ],
)
def test_a_wrong_command_line_is_refused_in_the_tool_s_words(line: str, said: str) -> None:
    assert complaint(line) == said


def test_values_may_stick_to_letters_and_long_names_may_be_cut_short() -> None:
    request = parse(["conntrack", "-L", "-zpicmp", "--orig-s", "192.168.1.10", "--icmp-type=8"], [])
    assert (request.command, request.protonum, request.ends, request.special) == (
        "L", 1, {"src": bytes((192, 168, 1, 10))}, {"icmp-type": 8},
    )  # fmt: skip


def test_comma_lists_take_any_case_and_beginnings() -> None:
    assert parse(["conntrack", "-L", "-u", "ass,SEEN_REPLY"], []).status == 6


def test_a_status_may_be_denied() -> None:
    request = parse(["conntrack", "-L", "-u", "SEEN_REPLY,!ASSURED"], [])
    assert (request.status, request.status_off) == (2, 4)


@pytest.mark.parametrize(("text", "value"), [("80", 80), ("0x10", 16), ("010", 8), ("x", 0), ("80abc", 80), ("", 0)])
def test_numbers_are_read_as_strtoul_reads_them(text: str, value: int) -> None:
    assert number(text) == value


def entry(status: int = 6, reply: Tuple | None = None) -> TcpConn:
    """An established connection to a web server."""
    client, server = parse_address("192.168.1.10"), parse_address("192.168.1.20")
    original = Tuple(client, server, 40001, 80, 6)
    conn = TcpConn(1, pack(original), pack(reply or Tuple(server, client, 80, 40001, 6)), 0)
    conn.state, conn.status = 3, status
    return conn


@pytest.mark.parametrize(
    ("options", "matches"),
    [
        ("-p tcp --dport 80 --orig-src 192.168.1.10", True),
        ("-p tcp --dport 443", False),
        ("-p udp", False),
        ("-s 192.168.1.0/24", True),
        ("-s 192.168.1.11", False),
        ("-s 1.2.3.4/", True),
        ("-s 192.168.1.99 --mask-src 255.255.255.0", True),
        ("-r 192.168.1.20 -q 192.168.1.10", True),
        ("-r 192.168.1.10", False),
        ("-p tcp --reply-port-src 80", True),
        ("-p tcp --state TIME_WAIT", False),
        ("-u UNREPLIED", False),
        ("-u ASSURED,SEEN_REPLY", True),
        ("-m 0/1", True),
        ("-m 1/0", False),
        ("-m x", True),
        ("-w 65536", True),
        ("-f ipv6", False),
        ("-n 1.2.3.4", False),
    ],
)
def test_filters_pick_the_entries_that_the_tool_would_pick(options: str, matches: bool) -> None:
    request = parse(["conntrack", "-L", *options.split()], [])
    assert all(check(entry()) for check in checks_of(request)) == matches


def test_source_nat_shows_in_where_the_reply_goes() -> None:
    natted = entry(6 | 128 | 256, Tuple(parse_address("192.168.1.20"), parse_address("203.0.113.2"), 80, 40001, 6))
    for options, matches in (
        ("-n 203.0.113.2", True),
        ("-n 203.0.113.3", False),
        ("-g 203.0.113.2", False),
        ("-j 203.0.113.2", True),
        ("-n", True),
        ("-g", False),
    ):
        request = parse(["conntrack", "-L", *options.split()], [])
        assert all(check(natted) for check in checks_of(request)) == matches, options
