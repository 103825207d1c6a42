"""The server's side of the lab: sessions, forks, what is kept, who is let in. Through Flask's and the socket's own test clients."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_socketio import SocketIO

from sim.trace import EVENTS
from web.app import create_app
from web.messages import INCOMING
from web.serving import serve
from web.store import Store


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[Flask, SocketIO, Path]]:
    path = tmp_path / "sessions.sqlite"
    store = Store(path)
    app, socket = create_app(store)
    yield app, socket, path
    store.close()


class Learner:
    """A page without a screen: joins a session and keeps the records as the page does."""

    def __init__(self, app: Flask, socket: SocketIO, key: str | None = None, **create: str) -> None:
        http = app.test_client()
        self.key = key or http.post("/api/sessions", json=create).get_json()["key"]
        self.socket = socket.test_client(app, flask_test_client=http)
        self.records: list[dict[str, Any]] = []
        self.heard: dict[str, Any] = {}
        self.say("join", {"key": self.key})

    def say(self, name: str, data: Any) -> None:
        self.heard = {}
        self.socket.emit(name, data)
        for message in self.socket.get_received():
            argument = message["args"][0]
            self.heard[message["name"]] = argument
            if message["name"] == "trace":
                assert argument["from"] <= len(self.records)
                self.records[argument["from"] :] = argument["records"]

    def type(self, at: int, terminal: str, *lines: str) -> None:
        self.say("input", {"at": at, "input": [{"type": "line", "terminal": terminal, "text": line} for line in lines]})

    def printed(self, terminal: str) -> str:
        return "".join(r["text"] for r in self.records if r["kind"] == "output" and r["terminal"] == terminal)


def test_the_course_names_lessons_and_free_labs(lab: Any) -> None:
    course = lab[0].test_client().get("/api/course").get_json()
    assert [lesson["id"] for lesson in course["lessons"]][:2] == ["why-conversations", "four-labels"]
    assert "laptop-and-server" in [scenario["id"] for scenario in course["scenarios"]]
    assert course["mistakes"] == []


def test_a_line_typed_at_a_terminal_brings_its_packets_and_output(lab: Any) -> None:
    learner = Learner(lab[0], lab[1], scenario="laptop-and-server")
    assert learner.heard["hello"]["scenario"]["firewall"] == "server"
    learner.type(1_000_000, "laptop", "ping -c 1 192.168.1.20")
    assert "1 packets transmitted, 1 received" in learner.printed("laptop")
    assert [record["n"] for record in learner.records] == list(range(len(learner.records)))
    assert {record["kind"] for record in learner.records} <= set(EVENTS)
    labels = [r["label"] for r in learner.records if r["kind"] == "label" and r["machine"] == "server"]
    assert labels == ["NEW", "ESTABLISHED"]


def test_typing_in_the_past_cuts_off_the_future_and_keeps_it_as_a_branch(lab: Any) -> None:
    learner = Learner(lab[0], lab[1], scenario="laptop-and-server")
    learner.type(1_000_000, "laptop", "ping -c 1 192.168.1.20")
    first = list(learner.records)
    learner.type(500_000, "laptop", "ping -c 1 192.168.1.99")
    assert "1 received" not in learner.printed("laptop")
    branches = learner.heard["trace"]["branches"]
    assert [branch["text"] for branch in branches] == ["ping -c 1 192.168.1.20"]
    learner.say("restore", {"branch": branches[0]["id"]})
    assert learner.records == first


def test_lines_given_together_wait_for_each_other(lab: Any) -> None:
    learner = Learner(lab[0], lab[1], scenario="laptop-and-server")
    learner.type(0, "laptop", "ping -c 2 192.168.1.20", "ping -c 1 192.168.1.20")
    given = [record["t"] for record in learner.records if record["kind"] == "input"]
    assert len(given) == 2 and given[1] > 1_000_000


def test_lines_given_with_a_wait_come_at_that_distance(lab: Any) -> None:
    learner = Learner(lab[0], lab[1], scenario="laptop-and-server")
    lines = [{"type": "line", "terminal": "laptop", "text": "ping 192.168.1.20"}, {"type": "key", "terminal": "laptop", "key": "^C"}]
    learner.say("input", {"at": 1_000_000, "input": lines, "wait": 2_500_000})
    assert [record["t"] for record in learner.records if record["kind"] == "input"] == [1_000_000, 3_500_000]
    assert "3 packets transmitted, 3 received" in learner.printed("laptop")


def test_a_restarted_server_brings_the_learner_back(lab: Any, tmp_path: Path) -> None:
    learner = Learner(lab[0], lab[1], lesson="four-labels")
    learner.type(1_000_000, "laptop", "ping -c 1 203.0.113.22")
    learner.say("position", {"t": 1_200_000, "step": 3})
    learner.say("answer", {"prediction": "syn", "choice": 1})
    before = learner.records
    store = Store(lab[2])
    app, socket = create_app(store)
    again = Learner(app, socket, key=learner.key)
    assert again.records == before
    assert again.heard["hello"]["position"] == {"t": 1_200_000, "step": 3}
    assert again.heard["hello"]["progress"]["answers"] == {"syn": 1}
    store.close()


def test_a_goal_is_told_when_the_learner_gets_there_and_not_before(lab: Any) -> None:
    learner = Learner(lab[0], lab[1], lesson="four-labels")
    learner.say("position", {"t": 500_000, "step": 6})
    assert "progress" not in learner.heard
    learner.type(1_000_000, "stranger", "ping -c 1 -W 1 203.0.113.22")
    learner.say("position", {"t": 1_000_000, "step": 6})
    assert "progress" not in learner.heard
    learner.say("position", {"t": 3_000_000, "step": 6})
    assert learner.heard["progress"]["goals"] == {"decent-but-dropped": True}


def test_restart_goes_back_to_the_beginning(lab: Any) -> None:
    learner = Learner(lab[0], lab[1], scenario="laptop-and-server")
    beginning = list(learner.records)
    learner.type(0, "laptop", "ping -c 1 192.168.1.20")
    learner.say("restart", {})
    assert learner.records == beginning


def test_more_goes_on_to_what_is_pending(lab: Any) -> None:
    learner = Learner(lab[0], lab[1], scenario="laptop-and-server")
    learner.type(0, "laptop", "curl http://192.168.1.20/", "ping -c 1 192.168.1.20")
    for _ in range(10):
        if not learner.heard.get("trace", {}).get("more", True):
            break
        learner.say("more", {})
    assert not learner.heard["trace"]["more"]
    assert sum(r["kind"] == "entry-destroy" for r in learner.records) == sum(
        r["kind"] == "entry-new" for r in learner.records
    )


def test_completion_offers_commands_of_the_terminals_machine(lab: Any) -> None:
    learner = Learner(lab[0], lab[1], scenario="laptop-and-server")
    answer = learner.socket.emit("complete", {"terminal": "server", "line": "conntr", "cursor": 6}, callback=True)
    assert answer == {"start": 0, "words": ["conntrack"]}


def test_a_packets_inside_is_told_layer_by_layer(lab: Any) -> None:
    learner = Learner(lab[0], lab[1], scenario="laptop-and-server")
    learner.type(0, "laptop", "ping -c 1 192.168.1.20")
    n = next(record["n"] for record in learner.records if record["kind"] == "sent")
    layers = learner.socket.emit("dissect", {"n": n}, callback=True)
    assert [layer["name"] for layer in layers][:2] == ["IP", "ICMP"]


NONSENSE = [
    ("dissect", {"n": 0}, "is no packet"),
    ("dissect", {"n": 10**9}, "is no packet"),
    ("input", {"at": -1, "input": {"type": "line", "terminal": "laptop", "text": "ls"}}, "at"),
    ("input", {"at": 0, "input": {"type": "line", "terminal": "lapttop", "text": "ls"}}, "did you mean 'laptop'"),
    ("input", {"at": 0, "input": {"type": "eval", "code": "1"}}, "an input's type is one of"),
    ("input", {"at": 0, "input": []}, "input"),
    ("input", {"at": 0}, "input"),
    ("input", {"at": "now", "input": {}}, "at"),
    ("input", {"at": 0, "input": {"type": "packet", "machine": "laptop", "packet": "tcp"}}, "a packet is written like"),
    ("input", "ls", "message"),
    ("join", {"key": "guess"}, "There is no experiment at this address"),
    ("restore", {"branch": 7}, "no longer kept"),
    ("answer", {"prediction": "none", "choice": 0}, "there is no such answer"),
    ("position", {"t": 1.5, "step": 0}, "t"),
    ("complete", {"terminal": "nowhere", "line": "", "cursor": 0}, "terminal"),
]


@pytest.mark.parametrize(("name", "data", "words"), NONSENSE, ids=[f"{n[0]} {str(n[1])[:50]}" for n in NONSENSE])
def test_nonsense_is_refused_with_a_sentence_and_nothing_is_lost(lab: Any, name: str, data: Any, words: str) -> None:
    learner = Learner(lab[0], lab[1], scenario="laptop-and-server")
    before = list(learner.records)
    learner.say(name, data)
    assert words in learner.heard["refused"]["error"]
    assert "Traceback" not in learner.heard["refused"]["error"]
    learner.say("join", {"key": learner.key})
    assert learner.records == before


def test_each_incoming_message_is_refused_before_joining(lab: Any) -> None:
    client = lab[1].test_client(lab[0])
    for name in set(INCOMING) - {"join"}:
        client.emit(name, {"t": 0, "step": 0, "at": 0, "input": {}, "prediction": "x", "choice": 0, "branch": 0, "n": 0})
        assert client.get_received()[0]["name"] == "refused"


def test_a_socket_from_another_origin_is_refused(lab: Any) -> None:
    app, socket, _ = lab
    assert not socket.test_client(app, headers={"Origin": "http://evil.example"}).is_connected()
    assert socket.test_client(app, headers={"Origin": "http://localhost"}).is_connected()


def test_another_host_name_is_refused(lab: Any) -> None:
    answer = lab[0].test_client().get("/api/course", headers={"Host": "evil.example"})
    assert answer.status_code == 403 and "not served as" in answer.get_json()["error"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"lesson": "fuor-labels"}, 404, "did you mean 'four-labels'"),
        ({}, 404, "name one of them"),
        ({"lesson": 7}, 404, "lesson"),
        ({"lesson": "four-labels", "seed": 1}, 404, "seed"),
    ],
)
def test_a_session_that_makes_no_sense_is_refused(lab: Any, body: dict[str, Any], status: int, words: str) -> None:
    answer = lab[0].test_client().post("/api/sessions", json=body)
    assert answer.status_code == status
    assert words in answer.get_json()["error"]


def test_a_form_from_elsewhere_makes_no_session(lab: Any) -> None:
    answer = (
        lab[0]
        .test_client()
        .post("/api/sessions", data="lesson=four-labels", content_type="application/x-www-form-urlencoded")
    )
    assert answer.status_code == 415


def test_keys_cannot_be_guessed_and_differ(lab: Any) -> None:
    keys = {
        lab[0].test_client().post("/api/sessions", json={"scenario": "laptop-and-server"}).get_json()["key"]
        for _ in range(5)
    }
    assert len(keys) == 5 and min(map(len, keys)) >= 32


def test_answers_of_the_server_carry_a_policy_against_foreign_scripts(lab: Any) -> None:
    headers = lab[0].test_client().get("/api/course").headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_that_cannot_be_written_is_said_and_the_lab_goes_on(lab: Any) -> None:
    app, socket, path = lab
    learner = Learner(app, socket, scenario="laptop-and-server")
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE sessions")
    learner.type(0, "server", "hostname")
    assert learner.printed("server").endswith("server\n")
    assert "no such table" in learner.heard["refused"]["error"]
    assert str(path) in learner.heard["refused"]["error"]


def test_a_socket_that_goes_to_another_session_hears_no_more_of_the_first(lab: Any) -> None:
    app, socket, _ = lab
    first = Learner(app, socket, scenario="laptop-and-server")
    second = Learner(app, socket, scenario="four-labels")
    second.say("join", {"key": first.key})
    second.say("join", {"key": Learner(app, socket, scenario="udp-and-silence").key})
    first.type(0, "server", "hostname")
    assert [message["name"] for message in second.socket.get_received()] == []


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_a_lab_that_listens_to_the_network_says_so(
    host: str, warned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(SocketIO, "run", lambda *_, **__: None)
    serve(host, 0, data=tmp_path / "sessions.sqlite", open_browser=False)
    assert ("without a password" in capsys.readouterr().err) is warned


def ask(learner: Learner, name: str, data: Any) -> Any:
    """What the server acknowledges a message with."""
    return learner.socket.emit(name, data, callback=True)


def test_the_editor_gets_a_machine_s_rules_of_the_moment_and_is_told_of_mistakes(lab: Any) -> None:
    learner = Learner(lab[0], lab[1], scenario="laptop-and-server")
    rules = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
    learner.say("input", {"at": 1_000_000, "input": {"type": "rules", "machine": "server", "iptables": rules}})
    assert ask(learner, "rules", {"machine": "server", "at": 500_000})["iptables"] == ""
    assert ask(learner, "rules", {"machine": "server", "at": 2_000_000})["iptables"] == rules
    typed = {"machine": "server", "source": "iptables", "texts": {"iptables": rules.replace("DROP", "DORP")}}
    told = ask(learner, "study", typed)
    assert told["others"] is None and told["mistakes"][0]["line"] == 2
    learner.say("input", {"at": 2_000_000, "input": {"type": "rules", "machine": "server", "nft": "tabel x"}})
    assert learner.heard["refused"]["error"].startswith("nft:1:")


def test_a_packet_that_is_being_written_is_shown_with_its_layers_or_its_mistake(lab: Any) -> None:
    learner = Learner(lab[0], lab[1], scenario="laptop-and-server")
    told = ask(learner, "craft", {"packet": "udp 192.168.1.10:5000 > 192.168.1.20:53 data hi"})
    assert told["bytes"].startswith("45") and [layer["name"] for layer in told["layers"]][:2] == ["IP", "UDP"]
    assert ask(learner, "craft", {"packet": "udp 1.2.3.4 > x"})["error"] == "'x' is no IPv4 or IPv6 address"


def test_what_was_not_computed_yet_when_somebody_types_later_comes_with_what_is_typed(lab: Any) -> None:
    learner = Learner(lab[0], lab[1], lesson="the-table-is-full")
    flood = "hping3 -q -S -p 80 -a 198.51.100.77 -c 300 -i u10000 203.0.113.22"
    learner.type(0, "stranger", flood)
    assert learner.heard["trace"]["more"]
    learner.type(learner.records[-1]["t"] + 1_000_000, "server", "conntrack -C")
    assert [record["n"] for record in learner.records] == list(range(len(learner.records)))


def test_an_address_that_is_none_leads_a_person_to_the_course_page_and_tells_a_program(lab: tuple[Flask, SocketIO, Path]) -> None:
    client = lab[0].test_client()
    person, program = (client.get("/nowhere", headers={"Accept": kinds}) for kinds in ("text/html,image/png,*/*;q=0.8", "application/json"))
    assert (person.status_code, person.location, program.status_code) == (302, "/", 404)
    assert "not found" in program.get_json()["error"]
