"""What leaves a session and comes back: links, files, captures, traces; and that nothing hostile comes in with them."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sim.edges.capture import read_capture
from sim.edges.replay import Replay
from web import experiment
from web.app import create_app
from web.export import ALONE
from web.sessions import Sessions
from web.store import Store

OWN = """
title: Two of my own
firewall: b
machines:
  a: {interfaces: {eth0: 10.0.0.1/24}}
  b: {interfaces: {eth0: 10.0.0.2/24}, conntrack: always}
links: [{between: [a.eth0, b.eth0]}]
terminals: [{id: a, machine: a}]
budget: {records: 1000000}
"""
PING = {"type": "line", "terminal": "a", "text": "ping -c 2 10.0.0.2"}


@pytest.fixture
def http(tmp_path: Path) -> Iterator[Any]:
    yield from _http(tmp_path / "one.sqlite")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Any]:
    """Another machine's lab, with a store of its own."""
    yield from _http(tmp_path / "two.sqlite")


def _http(path: Path) -> Iterator[Any]:
    store = Store(path)
    yield create_app(store)[0].test_client()
    store.close()


def made(http: Any, **what: Any) -> str:
    answer = http.post("/api/sessions", json=what)
    assert answer.status_code == 200, answer.get_json()
    return str(answer.get_json()["key"])


def refused(http: Any, **what: Any) -> str:
    answer = http.post("/api/sessions", json=what)
    assert answer.status_code in (400, 404), answer.get_json()
    return str(answer.get_json()["error"])


def shared(**changes: Any) -> str:
    return json.dumps({"ctlab": 1, "own": OWN, "inputs": [[1000, PING]], "position": {"t": 2_000_000, "step": 0}} | changes)


def get(http: Any, key: str, path: str) -> Any:
    answer = http.get(f"/api/sessions/{key}/{path}")
    assert answer.status_code == 200, answer.get_json()
    return answer


def test_a_link_and_a_file_bring_the_same_experiment_to_another_lab(http: Any, elsewhere: Any) -> None:
    key = made(http, file=shared())
    trace = get(http, key, "trace").get_json()
    assert trace["records"][-1]["n"] == len(trace["records"]) - 1
    link = get(http, key, "link?t=77&step=0").get_json()["link"]
    for there in (made(elsewhere, link=f"http://localhost:8022/#{link}"), made(elsewhere, file=get(http, key, "experiment?t=77").text)):
        assert get(elsewhere, there, "trace").get_json() == trace
        assert get(elsewhere, there, "experiment").get_json()["position"] == {"t": 77, "step": 0}
        assert get(elsewhere, there, "experiment?t=78&n=5").get_json()["position"] == {"t": 78, "step": 0, "n": 5}
    for bad in ("t=-1", "t=x", "t=1&n=-2", "step=1001"):
        assert "t is a time" in http.get(f"/api/sessions/{key}/experiment?{bad}").get_json()["error"]


def test_marks_go_along_in_a_link_a_file_and_the_page_that_plays_and_on_from_there(http: Any, elsewhere: Any) -> None:
    key, marks = made(http, file=shared()), [{"n": 3, "t": 1000}, {"n": 0, "t": 2000}]
    named = "t=77&marks=1000.3,2000.0"
    for what in ({"link": get(http, key, f"link?{named}").get_json()["link"]}, {"file": get(http, key, f"experiment?{named}").text}):
        there = made(elsewhere, **what)
        assert get(elsewhere, there, "experiment").get_json()["marks"] == marks
        assert "marks" not in get(elsewhere, there, "experiment?marks=").get_json()
    if (ALONE / "alone.js").is_file():
        held = re.search(r'id="recording"[^>]*>([^<]+)<', get(http, key, f"page?{named}").text)
        assert held and json.loads(zlib.decompress(base64.b64decode(held.group(1))))["hello"]["marks"] == marks


@pytest.mark.parametrize("marks", ["1", "1.2.3", "x.1", "-1.0", "1.-1", "9" * 30 + ".1", "1.1," * 201])
def test_marks_that_are_none_or_too_many_are_refused(http: Any, marks: str) -> None:
    key = made(http, file=shared())
    for path in ("link", "experiment"):
        answer = http.get(f"/api/sessions/{key}/{path}?marks={marks}")
        assert answer.status_code in range(400, 500) and "marks are" in answer.get_json()["error"]


def test_a_scenario_and_a_lesson_that_both_labs_have_are_named_and_another_is_refused(http: Any, elsewhere: Any) -> None:
    for what in ({"scenario": "laptop-and-server"}, {"lesson": "four-labels"}):
        said = get(http, made(http, **what), "experiment").get_json()
        assert {name: said.get(name) for name in what} == what and "own" not in said
        made(elsewhere, file=json.dumps(said))
    assert "there is no lesson 'never-written'" in refused(elsewhere, file=json.dumps({"ctlab": 1, "lesson": "never-written"}))


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("", "it is not JSON"), ("[" * 100_000, "it is not JSON"), ("[]", "begins with its version"),
        ('{"ctlab": 9, "lesson": "x"}', "of version '9'"), ('{"ctlab": 1}', "one of them only"),
        (shared(lesson="four-labels"), "one of them only"), (shared(surprise=1), "surprise"),
        (shared(inputs=[[5, PING], [4, PING]]), "input 2"), (shared(inputs=[[True, PING]]), "input 1"),
        (shared(inputs=[[0, {"type": "rm"}]]), "input 1"), (shared(inputs=[[0, PING]] * 2001), "inputs"),
        (shared(inputs=[[0, PING | {"terminal": "nowhere"}]]), "there is no terminal 'nowhere'"),
        (shared(own="a: &a [*a]"), "your scenario"), (shared(own="title: 7"), "your scenario"),
        (shared(marks=[{"t": 1}]), "marks.0.n"), (shared(marks=[{"n": -1, "t": 1}]), "marks.0.n"), (shared(marks=[7]), "marks.0"),
        (shared(marks=[{"n": 1, "t": 1}] * 201), "marks"), (shared(marks={"n": 1}), "marks"),
        (shared(position={"t": -1}), "position.t"), (shared(position={"t": 1e400}), "position.t"), (" " * 650_000, "characters"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_with_a_sentence(http: Any, file: str, said: str) -> None:
    assert said in refused(http, file=file)


def test_a_link_that_is_cut_off_bent_or_a_bomb_is_refused(http: Any) -> None:
    link = get(http, made(http, file=shared()), "link").get_json()["link"]
    bomb = base64.urlsafe_b64encode(zlib.compress(b" " * 50_000_000, 9)).decode()
    for text in (link[:-9], link[2:], link.replace("x=", "x=A"), "x=" + bomb, "x=", "x=é", ""):
        assert "carries no experiment" in refused(http, link=text)


def test_a_scenario_of_ones_own_has_no_larger_budget_than_any() -> None:
    read = experiment.parse(shared())
    assert read.own and "1000000" in read.own  # what it asks for; what it gets:
    store = Store(Path(":memory:"))
    sessions = Sessions(lambda: pytest.fail("no course is needed"), store)
    assert sessions.open(read.data()).scenario.budget.records == 200_000
    store.close()


def test_a_capture_of_an_interface_a_machine_or_all_is_read_by_tcpdump_and_by_ctlab(http: Any, tmp_path: Path) -> None:
    key = made(http, file=shared())
    counts = {}
    for where in ("", "?machine=a&dev=eth0", "?machine=b"):
        file = tmp_path / "c.pcapng"
        file.write_bytes(get(http, key, f"capture{where}").data)
        frames = list(read_capture(file))
        counts[where] = [sum(frame.interface == name for frame in frames) for name in ("a.eth0", "b.eth0", "eth0")]
        printed = subprocess.run(["tcpdump", "-nr", str(file)], capture_output=True, text=True, check=True)
        assert len(printed.stdout.splitlines()) == len(frames), printed.stderr
        assert "10.0.0.1 > 10.0.0.2: ICMP echo request" in printed.stdout
        assert {frame.outgoing for frame in frames} == {True, False}
    assert counts == {"": [4, 4, 0], "?machine=b": [0, 0, 4], "?machine=a&dev=eth0": [0, 0, 4]}
    labels = [outcome.label for outcome in Replay({"eth0": ["10.0.0.2/24"]}).run(frames) if hasattr(outcome, "label")]
    assert labels[0] == "NEW"
    answer = http.get(f"/api/sessions/{key}/capture?machine=c")
    assert (answer.status_code, "called 'c'" in answer.get_json()["error"]) == (404, True)


def test_the_page_in_one_file_has_no_key_in_it(http: Any) -> None:
    if not (ALONE / "alone.js").is_file():
        pytest.skip("the page has not been built")
    key = made(http, scenario="laptop-and-server")
    answer = get(http, key, "page?t=5")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert key not in answer.text and "Content-Security-Policy" in answer.text


def test_a_session_that_is_not_there_gives_nothing(http: Any) -> None:
    for path in ("link", "experiment", "capture", "trace", "page"):
        assert http.get(f"/api/sessions/guessed/{path}").status_code == 404
