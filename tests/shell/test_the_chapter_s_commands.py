"""The commands that every text on connection tracking prints, typed as they stand, on a server that is being talked to."""

from __future__ import annotations

import pytest

from sim.units import MILLISECOND, SECOND
from tests.apps.lab import Lab

RULES = [
    "iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
    "nft add rule ip filter input ct state established,related accept",
    "iptables -A INPUT -m conntrack --ctstate NEW -p tcp --dport 22 -j ACCEPT",
    "nft add rule ip filter input tcp dport 22 ct state new accept",
]


@pytest.fixture
def lab() -> Lab:
    lab = Lab(ssh={}, http={}, udp={"port": 5060, "answer": "OK"})
    lab.root(
        "nft add table ip filter; nft 'add chain ip filter input { type filter hook input priority 0; policy accept; }'"
    )
    for rule in RULES:
        assert lab.root(rule) == ""
    return lab


def test_both_languages_list_the_rules_that_were_typed(lab: Lab) -> None:
    assert lab.root("iptables -S INPUT | tail -2") == (
        "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
        "-A INPUT -p tcp -m conntrack --ctstate NEW -m tcp --dport 22 -j ACCEPT\n"
    )
    assert lab.root("nft list chain ip filter input") == (
        "table ip filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy accept;\n"
        "\t\tct state established,related accept\n\t\ttcp dport 22 ct state new accept\n\t}\n}\n"
    )


def test_conntrack_e_shows_a_connection_live_and_counts_when_it_is_interrupted(lab: Lab) -> None:
    lab.root("conntrack -E -p tcp")
    lab.type("curl -s http://server/")
    words = [line.split()[:5] for line in lab.screen("server").splitlines() if line.lstrip().startswith("[")]
    assert [(line[0], line[4]) for line in words] == [
        ("[NEW]", "SYN_SENT"), ("[UPDATE]", "SYN_RECV"), ("[UPDATE]", "ESTABLISHED"), ("[UPDATE]", "FIN_WAIT"), ("[UPDATE]", "LAST_ACK"),
        ("[UPDATE]", "TIME_WAIT"),
    ]  # fmt: skip
    assert lab.key("^C", 1, "server") == "^Cconntrack v1.4.7 (conntrack-tools): 6 flow events have been shown.\n"


def test_conntrack_e_shows_only_the_events_and_the_form_asked_for(lab: Lab) -> None:
    lab.root("conntrack -E -e DESTROY -o timestamp,extended")
    lab.type("ping -c 1 server", 40 * SECOND)
    last = lab.screen("server").splitlines()[-1]
    assert last.startswith("[17954244") and "\t[DESTROY] ipv4     2 icmp     1 src=192.168.1.10" in last


def test_conntrack_l_lists_what_there_is_and_its_filters_pick(lab: Lab) -> None:
    lab.type("ssh server")
    lab.type("~.")
    lab.type("nc -u -w 1 server 5060", 10 * MILLISECOND)
    lab.type("hello", 100 * MILLISECOND)
    assert lab.root("conntrack -L").endswith("conntrack v1.4.7 (conntrack-tools): 2 flow entries have been shown.\n")
    line, count = lab.root("conntrack -L -p udp --dport 5060").splitlines()
    assert (
        line.startswith("udp      17 29 src=192.168.1.10 dst=192.168.1.20 sport=")
        and " dport=5060 src=192.168.1.20" in line
    )
    assert count == "conntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown."


def test_conntrack_d_deletes_the_entries_it_names_and_says_which(lab: Lab) -> None:
    lab.type("curl -s http://server/")
    line, count = lab.root("conntrack -D -p tcp --dport 80 --orig-src 192.168.1.10").splitlines()
    assert line.startswith("tcp      6 ") and "dport=80 " in line
    assert count == "conntrack v1.4.7 (conntrack-tools): 1 flow entries have been deleted."
    assert lab.root("conntrack -D -p tcp --dport 80 --orig-src 192.168.1.10; echo $?").endswith(
        "0 flow entries have been deleted.\n1\n"
    )


def test_an_emptied_table_leaves_no_timer_behind(lab: Lab) -> None:
    lab.type("ping -c 1 server")
    lab.root("conntrack -F")
    assert lab.env.peek() in (lab.now, float("inf"))


def test_ss_shows_the_sockets_in_its_own_layout(lab: Lab) -> None:
    lab.type("nc server 80", SECOND)
    header, *rows = lab.root("ss -tan").splitlines()
    assert header == "State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process"
    assert rows[0] == "LISTEN 0      128          0.0.0.0:22        0.0.0.0:*           "
    assert rows[2].startswith("ESTAB  0      0       192.168.1.20:80   192.168.1.10:")
    assert lab.root("ss -tn state established | wc -l") == "2\n"
    assert lab.root("ss -tnl sport = :22 | wc -l") == "2\n"
    assert 'users:(("sshd",pid=' in lab.root("ss -tlnp")
    assert lab.root("ss -tn state bogus") == "ss: wrong state name: bogus\n"


def test_ss_o_shows_when_a_frozen_connection_tries_again(lab: Lab) -> None:
    lab.type("ssh server")
    lab.root("iptables -I INPUT -j DROP")
    lab.type("ls", 2 * SECOND)
    lab.terminals["laptop"].line("~.")
    assert "timer:(on," in lab.type("ss -tno", MILLISECOND) or "timer:(on," in lab.screen()


def test_a_terminal_that_was_left_is_logged_in_again_by_a_key(lab: Lab) -> None:
    lab.type("exit")
    assert lab.state().state == "closed"
    lab.type("", MILLISECOND)
    assert (lab.state().state, lab.state().prompt) == ("prompt", "admin@laptop:~$ ")


def test_log_rules_write_into_the_kernel_log(lab: Lab) -> None:
    lab.root('iptables -I INPUT -p icmp -j LOG --log-prefix "ping: "')
    lab.type("ping -c 1 server")
    line = lab.root("dmesg")
    assert line.startswith("[    ") and "] ping: IN=eth0 OUT= MAC= SRC=192.168.1.10 DST=192.168.1.20 LEN=84" in line
