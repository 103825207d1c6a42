"""A capture of one's own in the lab: it is walked through, nothing can be done in it, and nothing hostile comes in with it."""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sim.craft import craft
from sim.edges.capture import Frame, write_pcap
from tests.web.test_lab import Learner
from web.app import create_app
from web.store import Store
from web.walk import MOST_UNPACKED

RULES = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -p udp --dport 53 -j ACCEPT\nCOMMIT\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "sessions.sqlite")
    yield store
    store.close()


@pytest.fixture
def capture(tmp_path: Path) -> bytes:
    words = ("udp 192.168.1.10:4000 > 198.51.100.7:53", "tcp 192.168.1.10:4000 > 198.51.100.7:80 S")
    write_pcap(tmp_path / "two.pcap", [Frame(n, 1_700_000_000_000_000 + n, None, craft(text), "") for n, text in enumerate(words, 1)])
    return (tmp_path / "two.pcap").read_bytes()


def asked(store: Store, data: bytes | str, **more: str) -> tuple[int, dict[str, Any]]:
    text = data if isinstance(data, str) else base64.b64encode(data).decode()
    answer = create_app(store)[0].test_client().post("/api/sessions", json={"capture": {"name": "two.pcap", "data": text} | more})
    return answer.status_code, answer.get_json()


def test_a_capture_and_rules_are_walked_through_and_found_again_after_a_restart(store: Store, capture: bytes) -> None:
    status, made = asked(store, gzip.compress(capture), rules=RULES)
    assert status == 200, made
    app, socket = create_app(store)  # a lab that has just been started
    learner = Learner(app, socket, made["key"])
    assert learner.heard["hello"]["scenario"]["title"] == "two.pcap"
    assert learner.heard["trace"]["more"] is False
    assert [(r["packet"], r["label"]) for r in learner.records if r["kind"] == "label"] == [(1, "NEW"), (2, "NEW")]
    assert [r["packet"] for r in learner.records if r["kind"] == "dropped"] == [2]
    first = next(r["n"] for r in learner.records if r["kind"] == "sent")
    learner.say("position", {"t": 5, "step": 0})
    learner.say("dissect", {"n": first})
    assert "refused" not in learner.heard
    for name in ("restart", "more"):
        learner.say(name, {})
        assert "refused" not in learner.heard
    http = app.test_client()
    assert http.get(f"/api/sessions/{made['key']}/page").status_code in (200, 404)  # 404: the page has not been built


def test_a_small_capture_with_its_rules_and_moment_travels_in_a_link_and_in_a_file(store: Store, capture: bytes) -> None:
    for data in (capture, gzip.compress(capture)):
        _, made = asked(store, data, rules=RULES, addresses="lan=192.168.1.1/24")
        http = create_app(store)[0].test_client()
        link = http.get(f"/api/sessions/{made['key']}/link?t=7").get_json()["link"]
        file = http.get(f"/api/sessions/{made['key']}/experiment?t=7").get_data(as_text=True)
        assert len(link) < 2_000
        for shared in ({"link": f"http://localhost:8080/#{link}"}, {"file": file}):
            app, socket = create_app(store)
            there = Learner(app, socket, app.test_client().post("/api/sessions", json=shared).get_json()["key"])
            assert there.heard["hello"]["position"]["t"] == 7 and there.heard["hello"]["scenario"]["title"] == "two.pcap"
            assert [r["packet"] for r in there.records if r["kind"] == "dropped"] == [2]


def test_a_large_capture_travels_in_no_link_and_the_way_out_is_said(store: Store, tmp_path: Path) -> None:
    noise = random.Random(7)
    frames = [
        Frame(n, 1_700_000_000_000_000 + n, None, craft(f"udp 10.0.0.1:{n} > 10.0.0.2:53 data 0x{noise.randbytes(900).hex()}"), "")
        for n in range(1, 600)
    ]
    write_pcap(tmp_path / "large.pcap", frames)
    _, made = asked(store, gzip.compress((tmp_path / "large.pcap").read_bytes()))
    http = create_app(store)[0].test_client()
    for path in ("link", "experiment"):
        answer = http.get(f"/api/sessions/{made['key']}/{path}")
        assert answer.status_code == 404 and "Share it as the page that plays by itself" in answer.get_json()["error"]


@pytest.mark.parametrize(
    "more", [{"inputs": [[1, {"type": "key", "terminal": "a", "key": "^C"}]]}, {"lesson": "x"}, {"capture": {"data": 7}}]
)
def test_a_shared_capture_in_which_something_is_wrong_is_refused(store: Store, capture: bytes, more: dict[str, Any]) -> None:
    said = {"ctlab": 1, "capture": {"data": base64.b64encode(capture).decode()}} | more
    answer = create_app(store)[0].test_client().post("/api/sessions", json={"file": json.dumps(said)})
    assert answer.status_code == 404 and answer.get_json()["error"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("input", {"at": 5, "input": {"type": "line", "terminal": "lan", "text": "id"}}), ("restore", {"branch": 1}),
        ("complete", {"terminal": "lan", "line": "", "cursor": 0}), ("rules", {"machine": "firewall", "at": 5}),
        ("study", {"machine": "firewall", "source": "nft", "texts": {}}),
    ],
)  # fmt: skip
def test_nothing_can_be_done_in_it(store: Store, capture: bytes, name: str, data: dict[str, Any]) -> None:
    learner = Learner(*create_app(store), asked(store, capture)[1]["key"])
    learner.say(name, data)
    assert "lab itself" not in learner.heard["refused"]["error"]


def test_what_is_no_capture_or_too_large_or_has_wrong_rules_is_refused_with_a_sentence(store: Store, capture: bytes) -> None:
    small, large = gzip.compress(capture)[:-20], gzip.compress(bytes(MOST_UNPACKED + 9))
    said = [
        *(asked(store, data) for data in (b"GIF89a" * 9, "no base64!", small, large, capture[:24], "")),
        asked(store, capture, rules="*filter\n-A FORWARD -j NOWHERE\nCOMMIT\n"),
        *(asked(store, capture, addresses=text) for text in ("lan", "lan=1.2.3.4/24 bad!name=5.6.7.8/24", "lo=127.0.0.1/8")),
    ]
    wanted = ["no capture", "whole", "whole", "too large", "no IP packet", "data", "your rules:2", "DEV=ADDRESS", "bad!name", "besides lo"]
    for (status, answer), words in zip(said, wanted, strict=True):
        assert status in (400, 404) and words in answer["error"], answer
