"""Inputs go to JSON and back, and nothing else passes for one."""

from __future__ import annotations

from typing import Any

import pytest

from sim.errors import UsageError
from sim.inputs import (
    Attempt,
    Crafted,
    Input,
    Key,
    Line,
    LinkChange,
    RulesChange,
    RulesKept,
    from_json,
    link_change,
    to_json,
    typed,
)


@pytest.mark.parametrize(
    "value",
    [
        Line("t", "ls"),
        Key("t", "^C"),
        LinkChange("a--b", loss=0.5),
        LinkChange("a--b", up=False),
        Crafted("m", "tcp …"),
        Attempt("m", "server", "tcp", 22),
        RulesChange("m", iptables="*filter\nCOMMIT\n", timer=30_000_000),
        RulesChange("m", nft=""),
        RulesKept("m"),
    ],
)
def test_an_input_comes_back_from_json_as_it_was(value: Input) -> None:
    assert from_json(to_json(value)) == value


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"type": "lines", "terminal": "t", "text": ""}, "did you mean 'line'"),
        ({}, "an input's type is one of"),
        ({"type": "line", "terminal": "t"}, "needs 'text'"),
        ({"type": "line", "terminal": 1, "text": ""}, "'terminal' is not of the right kind"),
        ({"type": "line", "terminal": "t", "text": "a\nb"}, "one line"),
        ({"type": "line", "terminal": "t", "text": "x" * 5000}, "one line"),
        ({"type": "line", "terminal": "t", "text": "", "sudo": True}, "has no 'sudo'"),
        ({"type": "key", "terminal": "t", "key": "^Z"}, "the keys that can be sent"),
        ({"type": "link", "link": "l", "loss": 2}, "a chance from 0 to 1"),
        ({"type": "link", "link": "l", "delay": True}, "not of the right kind"),
        ({"type": "attempt", "machine": "m", "to": "n", "protocol": "sctp", "port": 1}, "by tcp, udp or ping"),
        ({"type": "link", "link": "l", "delay": -1}, "a delay is from"),
        ({"type": "rules", "machine": "m"}, "one of iptables, ip6tables, nft"),
        ({"type": "rules", "machine": "m", "nft": "x" * 70_000}, "at most 65536"),
        ({"type": "rules", "machine": "m", "nft": "", "timer": 10}, "on trial for 1 s to 1 d"),
        ({"type": "rules", "nft": ""}, "needs 'machine'"),
    ],
)
def test_what_is_no_input_is_refused_with_a_sentence(data: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        from_json(data)


def test_a_line_that_is_a_key_is_that_key() -> None:
    assert [typed("t", text) for text in ("^C", " ^D ", "echo ^C")] == [Key("t", "^C"), Key("t", "^D"), Line("t", "echo ^C")]


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("down", LinkChange("l", up=False)),
        ("up, delay 200ms, loss 10%", LinkChange("l", delay=200_000, loss=0.1, up=True)),
        ("loss 0.5", LinkChange("l", loss=0.5)),
    ],
)
def test_a_link_is_changed_in_words(words: str, change: LinkChange) -> None:
    assert link_change("l", words) == change


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("dwn", "did you mean 'down'"), ("delay", "not 'delay'"), ("loss many", "a chance like 10%"), ("down, up", "says twice"),
        ("loss 101%", "a chance from 0 to 1"), ("loss nan", "a chance from 0 to 1"), ("delay 2h", "from 0 to 60 s"), ("", "not ''"),
    ],
)  # fmt: skip
def test_words_that_change_no_link_are_refused(words: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        link_change("l", words)
