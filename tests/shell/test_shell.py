"""The shell and its terminal, as a person meets them."""

from __future__ import annotations

import pytest

from sim.shell.complete import complete
from sim.shell.registry import commands
from sim.trace import TerminalState
from sim.units import SECOND
from tests.shell.one_machine import OneMachine


@pytest.fixture
def root() -> OneMachine:
    return OneMachine()


@pytest.fixture
def admin() -> OneMachine:
    return OneMachine("admin")


def test_the_prompt_says_who_and_where(root: OneMachine, admin: OneMachine) -> None:
    assert (root.prompt, admin.prompt) == ("root@server:~# ", "admin@server:~$ ")


def test_a_typed_line_comes_out_behind_its_prompt_and_then_what_it_prints(admin: OneMachine) -> None:
    admin.type("echo hello")
    assert admin.screen() == "admin@server:~$ echo hello\nhello\n"


def test_output_is_whole_lines_and_the_rest_is_the_prompt(root: OneMachine) -> None:
    root.type("echo -n abc")
    assert root.prompt == "abcroot@server:~# "
    assert root.screen().endswith("\n")


def test_the_terminal_tells_what_runs_in_front(root: OneMachine) -> None:
    root.type("sleep 5")
    states = [event for event in root.events if isinstance(event, TerminalState)]
    assert (states[-1].state, states[-1].program, states[-1].user_at) == ("running", "sleep", "root@server")
    root.env.run(until=6 * SECOND)
    assert [event for event in root.events if isinstance(event, TerminalState)][-1].state == "prompt"


def test_control_c_ends_what_runs_and_leaves_130_behind(root: OneMachine) -> None:
    root.type("sleep 100")
    assert root.key("^C") == "^C\n"
    assert root.type("echo $?") == "130\n"


def test_an_interrupted_sleep_leaves_nothing_to_wait_for(root: OneMachine) -> None:
    root.type("sleep 100")
    root.key("^C")
    assert root.env.peek() in (root.env.now, float("inf"))


def test_control_c_at_the_prompt_gives_a_new_prompt(root: OneMachine) -> None:
    assert root.key("^C") == "root@server:~# ^C\n"
    assert root.type("echo $?") == "130\n"


def test_control_d_logs_out_and_the_next_key_logs_in(root: OneMachine) -> None:
    assert root.key("^D") == "root@server:~# logout\n"


def test_a_line_typed_ahead_is_run_when_the_shell_is_back(root: OneMachine) -> None:
    root.type("sleep 1")
    root.tty.line("echo ahead")
    root.env.run(until=3 * SECOND)
    assert root.screen().endswith("sleep 1\necho ahead\nroot@server:~# echo ahead\nahead\n")


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("true && echo yes", "yes\n"),
        ("false && echo yes", ""),
        ("false || echo no", "no\n"),
        ("false; echo $?", "1\n"),
        ("echo a; echo b", "a\nb\n"),
        ("echo one two | wc -w", "2\n"),
        ("echo a | cat | cat -n", "     1\ta\n"),
        ("cat /etc/hosts | grep laptop | wc -l", "1\n"),
        ("cat /etc/hosts | head -1", "127.0.0.1\tlocalhost\n"),
        ("cat /etc/hosts | tail -n1", "192.168.1.20\tserver\n"),
        ("grep -c 192 /etc/hosts", "2\n"),
        ("grep -E 'lap|loc' /etc/hosts | wc -l", "2\n"),
        ("grep 'lap\\|loc' /etc/hosts | wc -l", "2\n"),
        ("grep nobody /etc/hosts; echo $?", "1\n"),
        ("grep x /nosuch; echo $?", "grep: /nosuch: No such file or directory\n2\n"),
        ("lsx; echo $?", "-bash: lsx: command not found\n127\n"),
        ("cat /nosuch", "cat: /nosuch: No such file or directory\n"),
        ("cat /proc", "cat: /proc: Is a directory\n"),
        ("whoami; hostname; pwd", "root\nserver\n/root\n"),
        ("hostname -I", "192.168.1.20 fd00::20 \n"),
        ("echo )", "-bash: syntax error near unexpected token `)'\n"),
        ("date", "Mon Nov 23 09:00:00 UTC 2026\n"),
        ("sleep", "sleep: missing operand\nTry 'sleep --help' for more information.\n"),
        ("sleep x", "sleep: invalid time interval 'x'\nTry 'sleep --help' for more information.\n"),
        ("bash -c 'echo inner; false'; echo $?", "inner\n1\n"),
        ("vim /etc/hosts", "vim: right, but not simulated here. 'help' lists what is.\n"),
    ],
)
def test_a_line_prints_what_a_server_s_shell_would(root: OneMachine, line: str, printed: str) -> None:
    assert root.type(line) == printed


def test_sudo_changes_the_user_and_not_the_place() -> None:
    ann = OneMachine(user="ann")
    ann.type("echo mine > notes; echo theirs | sudo tee /root/notes")
    assert ann.type("sudo cat notes ~/notes") == "mine\nmine\n"
    said = "nohup: ignoring input and appending output to 'nohup.out'"
    assert ann.type("sudo pwd; sudo nohup echo hi; cat nohup.out") == f"/home/ann\n{said}\nhi\n"
    assert ann.type("sudo -u bob cat notes") == "mine\n"


def test_files_are_written_appended_and_read_back(root: OneMachine) -> None:
    root.type("echo one > notes; echo two >> notes")
    assert root.type("cat notes ~/notes /root/notes | wc -l") == "6\n"
    assert root.type("wc -l < notes") == "2\n"
    assert root.type("echo x > /nosuch/file") == "-bash: /nosuch/file: No such file or directory\n"
    assert root.type("cat < nothing") == "-bash: nothing: No such file or directory\n"


def test_a_sysctl_can_be_set_through_its_file(root: OneMachine) -> None:
    root.type("echo 1 > /proc/sys/net/ipv4/ip_forward")
    assert root.type("cat /proc/sys/net/ipv4/ip_forward") == "1\n"
    assert root.type("echo x > /proc/sys/net/ipv4/ip_forward") == "-bash: echo: write error: Invalid argument\n"


def test_an_open_quote_goes_on_in_the_next_line(root: OneMachine) -> None:
    root.type("echo 'a")
    assert root.prompt == "> "
    assert root.type("b'") == "a\nb\n"


def test_without_root_the_tools_say_what_they_say(admin: OneMachine) -> None:
    assert admin.type("conntrack -L") == (
        "conntrack v1.4.7 (conntrack-tools): Operation failed: sorry, you must be root or get CAP_NET_ADMIN capability to do this\n"
    )
    assert admin.type("iptables -L; echo $?") == "Fatal: can't open lock file /run/xtables.lock: Permission denied\n4\n"
    assert admin.type("sysctl -w net.ipv4.ip_forward=1") == 'sysctl: permission denied on key "net.ipv4.ip_forward"\n'
    assert admin.type("dmesg") == "dmesg: read kernel buffer failed: Operation not permitted\n"
    assert admin.type("ip route add 9.0.0.0/8 via 192.168.1.1") == "RTNETLINK answers: Operation not permitted\n"
    assert admin.type("cat /proc/net/nf_conntrack") == "cat: /proc/net/nf_conntrack: Permission denied\n"
    assert admin.type("echo 1 > /etc/hosts") == "-bash: /etc/hosts: Permission denied\n"
    assert (
        admin.type("echo 1 > /proc/sys/net/ipv4/ip_forward")
        == "-bash: /proc/sys/net/ipv4/ip_forward: Permission denied\n"
    )


def test_sudo_runs_the_rest_as_root(admin: OneMachine) -> None:
    assert admin.type("sudo whoami") == "root\n"
    assert admin.type("sudo sysctl -w net.ipv4.ip_forward=1") == "net.ipv4.ip_forward = 1\n"
    assert admin.type("echo 0 | sudo tee /proc/sys/net/ipv4/ip_forward; cat /proc/sys/net/ipv4/ip_forward") == "0\n0\n"
    assert admin.type("sudo lsx") == "sudo: lsx: command not found\n"


def test_sudo_i_is_a_shell_of_its_own(admin: OneMachine) -> None:
    admin.type("sudo -i")
    assert admin.prompt == "root@server:~# "
    assert admin.key("^C") == "root@server:~# ^C\n"
    assert admin.type("exit") == "logout\n"
    assert admin.prompt == "admin@server:~$ "


def test_head_ends_a_command_that_never_would(root: OneMachine) -> None:
    root.type("conntrack -E | head -1")
    assert root.prompt != "root@server:~# "
    root.receive(bytes.fromhex("4500001c000040004001b772c0a8010ac0a801140800f7ff00000000"))
    root.key("^C")
    assert root.prompt == "root@server:~# "


def test_clear_wipes_the_screen(root: OneMachine) -> None:
    root.type("clear")
    assert root.screen().endswith("\x1b[H\x1b[2J")


def test_help_lists_every_command_that_is_not_hidden(root: OneMachine) -> None:
    text = root.type("help")
    for command in commands().values():
        assert (f"\n{command.name} " in f"\n{text}") != command.hidden, command.name
    assert root.type("help conntrack").startswith("conntrack -L|")
    assert root.type("help contrack") == "help: no help for 'contrack'. did you mean 'conntrack'?\n"


def test_history_lists_the_lines(root: OneMachine) -> None:
    root.type("echo a")
    assert root.type("history") == "    1  echo a\n    2  history\n"


@pytest.mark.parametrize(
    ("line", "start", "some"),
    [
        ("connt", 0, ["conntrack"]),
        ("sudo connt", 5, ["conntrack"]),
        ("conntrack -L -p u", 16, ["udp", "udplite"]),
        ("conntrack -L -p tcp --state EST", 28, ["ESTABLISHED"]),
        ("conntrack -L -p tcp --dp", 20, ["--dport"]),
        ("iptables -A INP", 12, ["INPUT"]),
        ("sudo iptables -A INP", 17, ["INPUT"]),
        ("iptables -A INPUT -m conntrack --ctstate EST", 41, ["ESTABLISHED", "ESTABLISHED,RELATED"]),
        ("ping lap", 5, ["laptop"]),
        ("ssh admin@lap", 4, ["admin@laptop"]),
        ("sysctl net.ipv4.ip_for", 7, ["net.ipv4.ip_forward"]),
        ("cat /etc/ho", 4, ["/etc/hostname", "/etc/hosts"]),
        ("cat /etc/hosts | gr", 17, ["grep"]),
        ("ip route add default dev e", 25, ["eth0"]),
        ("nosuch a", 7, []),
    ],
)
def test_tab_offers_what_fits_there(root: OneMachine, line: str, start: int, some: list[str]) -> None:
    assert complete(root, line, len(line)) == (start, some)  # type: ignore[arg-type]
