"""The German page: every sentence in which the simulation gives a reason or a remark has its German one (web/ui/src/german)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from sim import Scenario, Simulation
from sim.conntrack.tcp_why import WHY
from sim.trace import Noted, Reason, RuleTried

ROOT = Path(__file__).resolve().parents[2]
GERMAN = ROOT / "web" / "ui" / "src" / "german"
SAYING = [
    "conntrack", "netfilter", "machine", "network.py", "build.py", "assembly.py", "simulation.py", "apps/clients.py", "apps/tty.py",
    "ruleset/explain.py",
]  # fmt: skip
PARTS = {
    "The client says CONNECT {}{}: the server will open a connection to that port.", "{} It is not for this machine.",
    "{} bytes {} not fit into {}'s MTU of {}.", "There was nothing to keep: no rules are on trial.",
    "Nobody kept the new rules within {}: the old ones are back.", "Rule {} of {} decided: {}. This packet is gone, and {}.",
}  # fmt: skip
"""Parts of sentences, which the table has whole: with each of their endings, or with the machine's name before them."""
ASSEMBLED = {
    "A fragment of {} bytes does not fit into {}'s MTU of {}.", "The packet's {} bytes do not fit into {}'s MTU of {}.",
    "There is no way to {}. It is not for this machine.", "{}: There was nothing to keep: no rules are on trial.",
    "{}: Nobody kept the new rules within {}: the old ones are back.", "rp_filter: the way to the source {} leads nowhere.",
    "rp_filter: the way to the source {} leads to {}, not back to {}.", "No socket is at {}.",
    "No socket is at {}. It is answered with a reset.", "Rule {} of {} decided: {}. This packet is gone, and nobody is told.",
    "Rule {} of {} decided: {}. This packet is gone, and the sender is told.", "no rules were saved, so there are none",
    "the rules of {} are those that were saved", "{} refuses the rules it finds ({})",
    "The client says CONNECT {}: the server will open a connection to that port.",
}  # fmt: skip
"""Those wholes, and what is said within a sentence."""


def pairs(name: str) -> list[tuple[str, str]]:
    lines = (GERMAN / f"{name}.ts").read_text(encoding="utf-8").split("`")[1].strip().splitlines()
    assert len(lines) % 2 == 0 and all(line.startswith("= ") == bool(at % 2) for at, line in enumerate(lines)), name
    return [(english, german[2:]) for english, german in zip(lines[::2], lines[1::2], strict=True)]


REASONS = dict(pairs("tcp") + pairs("reasons") + pairs("helpers"))
BECAUSE = dict(pairs("because"))


def text_of(node: ast.AST) -> str:
    """A text or an f-string, {} where a value stands."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"\{[a-z]+\}", "{}", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


def sentences(path: Path) -> Iterator[str]:
    """Every whole sentence in a module that is no docstring and no error's."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            passed.update(map(id, node.values))
        error = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Error")
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if docstring or error or isinstance(node, ast.Raise):
            passed.update(map(id, ast.walk(node)))
    for node in ast.walk(tree):
        text = text_of(node) if id(node) not in passed else ""
        if re.fullmatch(r"[A-Z{01:][^\n]* [^\n]*\.", text):
            yield text


@cache
def said() -> frozenset[str]:
    rooms = [ROOT / "sim" / place for place in SAYING]
    files = [path for room in rooms for path in ([room] if room.is_file() else room.rglob("*.py"))]
    return frozenset(text for path in files for text in sentences(path)) | frozenset(WHY.values())


def test_every_sentence_that_gives_a_reason_is_there_in_german() -> None:
    assert len(said()) > 200
    assert sorted(said() - REASONS.keys() - PARTS) == [], "a line in web/ui/src/german says each of these in German"


def test_no_german_sentence_is_for_what_is_never_said() -> None:
    whole = {english for english in REASONS if english not in said()}
    assert sorted(english for english in whole if english not in ASSEMBLED) == []


@pytest.mark.parametrize("table", [REASONS, BECAUSE], ids=["reasons", "because"])
def test_values_stand_in_both_languages(table: dict[str, str]) -> None:
    assert [english for english, german in table.items() if english.count("{}") != german.count("{}")] == []
    assert [english for english, german in table.items() if english == german and english != "in @{}"] == []


def test_what_a_lab_really_says_is_in_the_tables() -> None:
    patterns = [re.compile(".+?".join(map(re.escape, english.split("{}")))) for english in REASONS]
    words = [re.compile(".+?".join(map(re.escape, english.split("{}")))) for english in BECAUSE]
    scenario = Scenario.from_file(ROOT / "lessons" / "scenarios" / "laptop-and-server.yaml")
    simulation = Simulation(scenario)
    for line in ("ssh server", "ping -c 1 server", "exit", "curl http://server:81/", "dig @server www.example.com", "nc -u server 9", "x"):
        simulation.type("laptop", line)
    events = [record.event for record in simulation.records]
    reasons = {event.reason.text for event in events if isinstance(getattr(event, "reason", None), Reason)}  # type: ignore[attr-defined]
    reasons |= {event.text for event in events if isinstance(event, Noted)}
    because = {one.words for event in events if isinstance(event, RuleTried) for one in event.because}
    assert len(reasons) > 10
    assert [text for text in reasons if not any(one.fullmatch(text) for one in patterns)] == []
    assert [text for text in because if not any(one.fullmatch(text) for one in words) and " " in text] == []
