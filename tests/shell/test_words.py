"""Lines to commands: quotes, operators, redirections, and what is refused."""

from __future__ import annotations

import pytest

from sim.errors import SyntaxMistake, Unsupported
from sim.shell.words import Incomplete, parse


def words(line: str, **variables: str) -> list[list[str]]:
    return [command.argv for pipeline in parse(line, variables) for command in pipeline.commands]


@pytest.mark.parametrize(
    ("line", "argv"),
    [
        ("iptables -A INPUT -j ACCEPT", ["iptables", "-A", "INPUT", "-j", "ACCEPT"]),
        ("echo 'a  b' \"c d\"", ["echo", "a  b", "c d"]),
        ("echo a'b'\"c\"", ["echo", "abc"]),
        (r"echo a\ b \"", ["echo", "a b", '"']),
        ("echo ''", ["echo", ""]),
        (
            "nft add rule ip filter input tcp dport { 22, 80 } accept",
            "nft add rule ip filter input tcp dport { 22, 80 } accept".split(),
        ),
        ("ss -tn # a comment", ["ss", "-tn"]),
        (
            'nft add rule ip filter input log prefix "a # b"',
            ["nft", "add", "rule", "ip", "filter", "input", "log", "prefix", "a # b"],
        ),
    ],
)
def test_a_line_falls_into_words_as_bash_splits_it(line: str, argv: list[str]) -> None:
    assert words(line) == [argv]


def test_variables_stand_for_their_values_but_not_in_single_quotes() -> None:
    assert words("echo $USER \"$USER!\" '$USER' ${USER}s $?", USER="admin", **{"?": "0"}) == [
        ["echo", "admin", "admin!", "$USER", "admins", "0"]
    ]


def test_a_semicolon_and_its_like_join_pipelines_and_a_bar_joins_commands() -> None:
    found = parse("a; b && c | d || e")
    assert [(pipeline.joint, [command.argv for command in pipeline.commands]) for pipeline in found] == [
        ("", [["a"]]), (";", [["b"]]), ("&&", [["c"], ["d"]]), ("||", [["e"]]),
    ]  # fmt: skip


def test_redirections_are_taken_out_of_the_words_wherever_they_stand() -> None:
    (pipeline,) = parse("iptables-restore < rules.v4 > out 2>&1 -n")
    (command,) = pipeline.commands
    assert (command.argv, command.source, command.out, command.append) == (
        ["iptables-restore", "-n"],
        "rules.v4",
        "out",
        False,
    )
    assert command.errors == "&1"


def test_two_arrows_append() -> None:
    assert parse("echo a >> f")[0].commands[0].append


@pytest.mark.parametrize("line", ["echo 'a", 'echo "a', "ls |", "ls &&", "echo a\\"])
def test_an_open_line_waits_for_its_rest(line: str) -> None:
    with pytest.raises(Incomplete):
        parse(line)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("&& x", "syntax error near unexpected token `&&'"),
        ("a;; b", "syntax error near unexpected token `;;'"),
        ("echo )", "syntax error near unexpected token `)'"),
        ("echo >", "syntax error near unexpected token `newline'"),
        ("| a", "syntax error near unexpected token `|'"),
        ("()", "syntax error near unexpected token `)'"),
        ("(a &&)", "syntax error near unexpected token `)'"),
        ("(a) b", "syntax error near unexpected token `b'"),
        ("& a", "syntax error near unexpected token `&'"),
    ],
)
def test_a_mistake_is_named_as_bash_names_it(line: str, said: str) -> None:
    with pytest.raises(SyntaxMistake) as caught:
        parse(line)
    assert str(caught.value) == said


def test_an_ampersand_sends_the_whole_list_before_it_into_the_background() -> None:
    found = parse("a && b & c")
    assert [(each.joint, each.text, each.background) for each in found] == [("", "a", False), ("&&", "b", True), ("&", "c", False)]


def test_parentheses_hold_a_line_of_their_own() -> None:
    (pipeline,) = parse("(sleep 60; iptables -F) > log &")
    (command,) = pipeline.commands
    assert pipeline.background and command.out == "log" and command.argv == []
    assert [each.commands[0].argv for each in command.inside or []] == [["sleep", "60"], ["iptables", "-F"]]


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("echo $(date)", 6),
        ("echo `date`", 6),
        ("cat <<EOF", 5),
        ("for i in 1; do x; done", 1),
    ],
)
def test_what_bash_has_and_this_shell_has_not_is_refused_where_it_stands(line: str, column: int) -> None:
    with pytest.raises(Unsupported) as caught:
        parse(line)
    assert caught.value.span is not None
    assert caught.value.span.column == column
    assert "not simulated" in str(caught.value)
