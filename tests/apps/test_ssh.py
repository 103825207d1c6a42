"""ssh: a shell on another machine through the simulated network; how it freezes, and how it ends."""

from __future__ import annotations

import pytest

from sim.trace import PacketSent, SocketChanged
from sim.units import MINUTE, SECOND
from tests.apps.lab import Lab


@pytest.fixture
def lab() -> Lab:
    return Lab(ssh={})


def test_a_login_says_when_the_last_one_was_and_prompts_from_the_far_machine(lab: Lab) -> None:
    assert lab.type("ssh server") == "Last login: Mon Nov 23 08:13:00 2026 from 192.168.1.10\n"
    state = lab.state()
    assert (state.state, state.prompt, state.program, state.user_at) == (
        "prompt",
        "admin@server:~$ ",
        "ssh",
        "admin@server",
    )
    lab.type("exit")
    assert lab.type("ssh server") == "Last login: Mon Nov 23 09:00:00 2026 from 192.168.1.10\n"


def test_what_is_typed_there_runs_there_as_the_user_asked_for(lab: Lab) -> None:
    lab.type("ssh -l root server")
    assert lab.type("whoami; hostname") == "root\nserver\n"
    assert lab.state().prompt == "root@server:~# "


def test_a_line_typed_is_one_segment_and_its_echo_with_the_answer_another(lab: Lab) -> None:
    lab.type("ssh server")
    before = len(lab.labels())
    lab.type("hostname")
    assert lab.labels()[before:] == ['l PSH "hostname"', 's PSH "hostname" and the prompt', "l ACK"]


def test_exit_closes_the_connection_from_the_client_and_leaves_its_status(lab: Lab) -> None:
    lab.type("ssh server")
    assert lab.type("exit 3") == "logout\nConnection to server closed.\n"
    assert lab.type("echo $?") == "3\n"
    assert [label for label in lab.labels() if "FIN" in label] == ["l FIN", "s FIN"]


def test_a_command_runs_without_a_terminal_and_gives_its_status(lab: Lab) -> None:
    assert lab.type("ssh server 'hostname; false'") == "server\n"
    assert lab.type("echo $?") == "1\n"


def test_control_c_goes_to_the_far_side(lab: Lab) -> None:
    lab.type("ssh server")
    lab.type("sleep 100")
    assert lab.key("^C") == "^C\n"
    assert lab.state().prompt == "admin@server:~$ "
    assert lab.key("^D") == "admin@server:~$ logout\nConnection to server closed.\n"


def test_an_ssh_session_in_an_ssh_session_goes_through_both(lab: Lab) -> None:
    lab.type("ssh server")
    lab.type("ssh server")
    assert lab.state().prompt == "admin@server:~$ "
    assert lab.type("exit") == "logout\nConnection to server closed.\n"
    assert lab.state().program == "ssh"


def test_a_firewall_that_swallows_everything_freezes_the_terminal(lab: Lab) -> None:
    lab.type("ssh server")
    lab.root("iptables -P INPUT DROP")
    assert lab.type("ls", 10 * SECOND) == ""
    assert lab.state().state == "running"
    socket = [r.event for r in lab.trace if isinstance(r.event, SocketChanged) and r.event.program == "ssh"][-1]
    assert socket.unacked == "ls"
    assert socket.tries >= 4
    assert socket.retry_at is not None


def test_what_was_typed_into_the_silence_is_run_once_the_way_is_open(lab: Lab) -> None:
    lab.type("ssh server")
    lab.root("iptables -P INPUT DROP")
    lab.type("hostname")
    lab.type("whoami")
    lab.root("iptables -P INPUT ACCEPT")
    printed = lab.type("echo end", 30 * SECOND)
    assert printed.startswith("server\nadmin@server:~$ whoami\n")
    assert printed.endswith("admin\nadmin@server:~$ echo end\nend\n")


def test_what_is_typed_while_it_logs_in_is_run_on_the_far_side(lab: Lab) -> None:
    for line in ("ssh server", "hostname", "whoami"):
        lab.type(line, 1)
    lab.run(SECOND)
    assert "admin@server:~$ hostname\n" in lab.screen()
    assert lab.screen().endswith("server\nadmin@server:~$ whoami\nadmin\n")


def test_after_a_quarter_of_an_hour_the_client_gives_up(lab: Lab) -> None:
    lab.type("ssh server")
    lab.root("iptables -P INPUT DROP")
    began = lab.now
    lab.type("ls", 14 * MINUTE)
    assert lab.state().program == "ssh"
    lab.run(6 * MINUTE)
    assert lab.screen().endswith("admin@server:~$ client_loop: send disconnect: Broken pipe\n")
    assert lab.state().prompt == "admin@laptop:~$ "
    last = max(r.time for r in lab.trace if isinstance(r.event, PacketSent) and r.machine == "laptop")
    assert 13 * MINUTE < last - began < 16 * MINUTE


def test_a_reset_ends_the_session_at_once_and_its_programs_on_the_server(lab: Lab) -> None:
    lab.type("ssh root@server")
    lab.type("nc -l 9000")
    assert ":9000" in lab.root("ss -tln")
    lab.root("iptables -A INPUT -p tcp --dport 22 -j REJECT --reject-with tcp-reset")
    assert lab.type("hello").endswith("client_loop: send disconnect: Broken pipe\n") or "Broken pipe" in lab.screen()
    lab.root("iptables -F")
    lab.type("echo here")
    lab.run(20 * MINUTE)
    assert lab.state().prompt == "admin@laptop:~$ "


def test_the_escape_closes_a_frozen_session_from_this_side(lab: Lab) -> None:
    lab.type("ssh server")
    lab.root("iptables -P INPUT DROP")
    lab.type("ls")
    lab.type("~.")
    assert lab.screen().endswith("admin@server:~$ Connection to server closed.\n")
    assert lab.state().prompt == "admin@laptop:~$ "


@pytest.mark.parametrize(
    ("rule", "wait", "said"),
    [
        ("", 1, "ssh: connect to host server port 2222: Connection refused\n"),
        ("iptables -A INPUT -p tcp -j REJECT", 1, "ssh: connect to host server port 2222: Connection refused\n"),
        (
            "iptables -A INPUT -p tcp -j REJECT --reject-with icmp-host-prohibited",
            1,
            "ssh: connect to host server port 2222: No route to host\n",
        ),
        ("iptables -P INPUT DROP", 200, "ssh: connect to host server port 2222: Connection timed out\n"),
    ],
)
def test_a_connection_that_does_not_come_about_is_explained_as_openssh_does(
    lab: Lab, rule: str, wait: int, said: str
) -> None:
    lab.root(rule)
    assert lab.type("ssh -p 2222 server", wait * SECOND) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ssh nosuch", "ssh: Could not resolve hostname nosuch: Temporary failure in name resolution\n"),
        ("ssh 10.9.9.9", "ssh: connect to host 10.9.9.9 port 22: Network is unreachable\n"),
        ("ssh -p x server", "Bad port 'x'\n"),
        ("ssh -o ServerAliveInterval=x server", "command-line line 0: invalid time value.\n"),
        ("ssh -o ServerAliveCountMax=x server", "command-line line 0: integer value invalid.\n"),
        ("ssh -L 80:a:80 server", "ssh: -L 80:a:80: right, but not simulated here\n"),
    ],
)
def test_a_wrong_command_line_says_so(lab: Lab, line: str, said: str) -> None:
    assert lab.type(line) == said


def test_the_same_seed_gives_the_same_trace_byte_for_byte() -> None:
    def play() -> str:
        lab = Lab(seed=7, ssh={})
        lab.type("ssh server")
        lab.type("hostname")
        lab.type("exit")
        return lab.trace.dumps()

    assert play() == play()


def test_keepalives_ask_a_silent_server_and_are_answered(lab: Lab) -> None:
    lab.type("ssh -o ServerAliveInterval=10 server")
    since = len(lab.labels())
    lab.run(35 * SECOND)
    assert [label for label in lab.labels()[since:] if "ACK" not in label] == ["l keepalive", "s alive"] * 3


def test_a_server_that_answers_no_keepalive_is_given_up_after_the_third(lab: Lab) -> None:
    lab.type("ssh -o ServerAliveInterval=10 -o ServerAliveCountMax=2 server")
    lab.root("iptables -P INPUT DROP")
    lab.run(29 * SECOND)
    assert "not responding" not in lab.screen()
    lab.run(3 * SECOND)
    assert "Timeout, server server not responding.\n" in lab.screen()


def test_connect_timeout_is_for_the_first_word_of_the_other_side_as_well() -> None:
    """What OpenSSH 9.2 prints where the connection opens and nobody says anything on it."""
    lab = Lab(sink={"port": 22})
    lab.run(MINUTE)
    assert lab.type("ssh -o ConnectTimeout=2 server", 3 * SECOND) == (
        "Connection timed out during banner exchange\nConnection to 192.168.1.20 port 22 timed out\n"
    )
    assert lab.type("echo $?") == "255\n"
    assert lab.type("ssh server", 3 * MINUTE) == ""
