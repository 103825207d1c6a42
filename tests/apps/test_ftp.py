"""ftp against our vsftpd: the words of both, active and passive, and what goes wrong."""

from __future__ import annotations

import pytest

from sim.units import SECOND
from tests.apps.lab import Lab

LISTED = "-rw-r--r--    1 0        0              16 Nov 23 09:00 readme.txt\n"


@pytest.fixture
def lab() -> Lab:
    return Lab(ftp={"files": {"readme.txt": "hello from afar\n"}})


@pytest.fixture
def inside(lab: Lab) -> Lab:
    lab.type("ftp -a server")
    return lab


def test_a_login_asks_for_a_name_and_a_password_that_is_not_shown(lab: Lab) -> None:
    lab.type("ftp server")
    assert lab.state().prompt == "Name (server:admin): "
    lab.type("ann")
    assert lab.state().prompt == "Password: "
    assert "geheim" not in lab.type("geheim")
    assert lab.state().prompt == "ftp> "
    assert "l USER ann" in lab.labels()


@pytest.mark.parametrize(
    ("before", "asked", "opener"),
    [
        ([], "EPSV", "l"),
        (["epsv4"], "PASV", "l"),
        (["passive off"], "EPRT |1|192.168.1.10|", "s"),
        (["epsv4", "passive off"], "PORT 192,168,1,10,", "s"),
    ],
)
def test_a_listing_comes_by_each_kind_of_data_connection(inside: Lab, before: list[str], asked: str, opener: str) -> None:
    for line in before:
        inside.type(line)
    since = len(inside.labels())
    assert LISTED + "226 Directory send OK.\n" in inside.type("ls")
    new = inside.labels()[since:]
    assert any(label.startswith(f"l {asked}") for label in new)
    assert [label[0] for label in new if label.endswith(" SYN")] == [opener]


def test_active_data_connections_come_from_port_20(inside: Lab) -> None:
    inside.type("passive off")
    inside.type("ls")
    assert any(packet.headers.get("sport") == 20 and packet.headers.get("flags") == "S" for packet in inside.sent())


def test_over_ipv6_too(lab: Lab) -> None:
    lab.type("ftp -a fd00::20")
    assert LISTED in lab.type("ls")
    lab.type("passive off")
    assert LISTED in lab.type("ls")


def test_files_go_both_ways(inside: Lab) -> None:
    assert "16 bytes received in 00:00 (" in inside.type("get readme.txt mine.txt")
    assert "16 bytes sent in 00:00 (" in inside.type("put mine.txt yours.txt")
    assert "yours.txt" in inside.type("ls")
    inside.type("bye")
    assert inside.type("cat mine.txt") == "hello from afar\n"


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("get nothing", "550 Failed to open file.\n"),
        ("put nothing", "ftp: Can't open `nothing': No such file or directory\n"),
        ("quote PORT 192,168,1,99,200,10", "500 Illegal PORT command.\n"),
        ("quote PORT 192,168,1,10,0,25", "500 Illegal PORT command.\n"),
        ("quote EPRT |1|192.168.1.99|5000|", "500 Illegal EPRT command.\n"),
        ("quote RETR readme.txt", "425 Use PORT or PASV first.\n"),
        ("quote XYZ", "500 Unknown command.\n"),
        ("pwd", "Remote directory: /\n"),
        ("cd away", "550 Failed to change directory.\n"),
        ("foo", "?Invalid command.\n"),
        ("p", "?Ambiguous command.\n"),
        ("delete readme.txt", "delete: right, but not simulated here\n"),
        ("passive perhaps", "usage: passive [ on | off | auto ]\n"),
        ("open server", "Already connected to server, use close first.\n"),
    ],
)
def test_what_is_wrong_is_said_in_ftps_words(inside: Lab, line: str, printed: str) -> None:
    assert printed in inside.type(line)
    assert inside.state().prompt == "ftp> "


def test_a_passive_connection_that_is_refused_falls_back_to_active(inside: Lab) -> None:
    inside.root("iptables -A INPUT -p tcp --syn ! --dport 21 -j REJECT")
    printed = inside.type("ls")
    assert "': Connection refused\n200 EPRT command successful. Consider using EPSV.\n150 Here" in printed


def test_a_server_that_cannot_reach_the_client_says_425(inside: Lab) -> None:
    inside.root("iptables -A OUTPUT -p tcp --sport 20 -j DROP")
    inside.type("passive off")
    assert "425 Failed to establish connection.\n" in inside.type("ls", 61 * SECOND)


def test_a_silent_session_is_ended_by_the_server_and_the_client_notices(inside: Lab) -> None:
    inside.run(301 * SECOND)
    assert "421" in inside.type("ls")
    assert "Not connected.\n" in inside.type("ls")


def test_a_server_that_is_not_there_ends_the_program(lab: Lab) -> None:
    assert lab.type("ftp server 99") == "ftp: Can't connect to `192.168.1.20:99': Connection refused\nftp: Can't connect to `server:99'\n"
    assert lab.type("echo $?") == "1\n"


def test_in_a_pipe_only_results_are_printed(lab: Lab) -> None:
    assert lab.type("echo ls | ftp -a server") == LISTED


def test_control_c_at_the_prompt_begins_a_new_line(inside: Lab) -> None:
    inside.key("^C")
    assert inside.state().prompt == "ftp> "
