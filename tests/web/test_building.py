"""Scenarios that are being built: text and data are the same, and every mistake has its path and its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from lessons.course import HERE
from sim.scenario import Scenario
from web.app import create_app
from web.building import as_text, examined, plain
from web.store import Store

SCENARIOS = sorted((HERE / "scenarios").glob("*.yaml"))
HOST = {"interfaces": {"eth0": "10.0.0.1/24"}}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    store = Store(tmp_path / "sessions.sqlite")
    yield create_app(store)[0].test_client()
    store.close()


def data(**changes: Any) -> dict[str, Any]:
    return {"title": "Two", "firewall": "b", "machines": {"a": HOST, "b": {"interfaces": {"eth0": "10.0.0.2/24"}}},
            "links": [{"between": ["a.eth0", "b.eth0"], "delay": "5ms"}]} | changes  # fmt: skip


def paths(**changes: Any) -> list[tuple[str, str]]:
    return [(".".join(map(str, each["path"])), each["message"]) for each in examined(as_text(data(**changes)))["problems"]]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_of_the_course_goes_through_the_form_and_back(path: Path) -> None:
    read = examined(path.read_text(encoding="utf-8"))
    assert read["problems"] == []
    scenario = Scenario.from_file(path)
    assert Scenario.from_text(as_text(read["data"]), path.name) == scenario
    assert Scenario.from_text(as_text(plain(scenario)), path.name) == scenario


def test_a_mistake_is_told_by_the_path_of_its_field_and_its_line() -> None:
    assert paths() == []
    assert paths(firewall="c") == [("firewall", "no machine is called 'c'")]
    assert paths(machines={"a": {"interfaces": {"eth0": "10.0.0/24"}}, "b": HOST})[0][0].startswith("machines.a.interfaces.eth0")
    assert paths(links=[{"between": ["a.eth0", "b.eth1"]}])[0][0] == "links.0.between.1"
    assert paths(links=[{"between": ["a.eth0", "b.eth0"], "delay": "soon"}])[0][0] == "links.0.delay"
    assert paths(traffic=[{"at": "1s", "machine": "a", "packet": "tpc x"}])[0][0].startswith("traffic.0")
    assert paths(machines={"a": HOST, "b": HOST | {"servces": ["ssh"]}})[0] == ("machines.b.servces", "unknown key 'servces'")
    assert examined("title: [")["data"] is None and examined("title: [")["problems"][0]["line"] >= 1


def test_rules_and_settings_that_the_machine_would_refuse_are_told_before_anybody_runs_them() -> None:
    wrong = HOST | {"rules": {"iptables": "*filter\n-A INPUT -p tcp --dprt 22 -j ACCEPT\nCOMMIT\n"}}
    found = examined(as_text(data(machines={"a": HOST, "b": wrong})))["problems"]
    assert [(each["path"], each["hint"]) for each in found] == [(["machines", "b", "rules", "iptables"], "did you mean '--dport'?")]
    assert paths(machines={"a": HOST, "b": HOST | {"sysctls": {"net.nonsense": 1}}})[0][0] == "machines.b"


@pytest.mark.parametrize("value", ["no", "5d", "a: b", "x # y", "line\nline\n", "  led\n by blanks", "tab\there", "ä ü", "0123", "", "&x"])
def test_any_word_survives_the_way_to_text_and_back(value: str) -> None:
    assert examined(as_text(data(summary=value, title="t" + value)))["data"] == data(summary=value, title="t" + value)


def test_a_file_is_opened_by_its_name_or_by_the_session_that_runs_it_and_what_was_built_runs(client: FlaskClient) -> None:
    opened = client.get("/api/build/file?scenario=laptop-and-server").get_json()
    assert opened["data"]["firewall"] == "server" and opened["problems"] == []
    key = client.post("/api/sessions", json={"own": opened["text"]}).get_json()["key"]
    assert client.get(f"/api/build/file?key={key}").get_json()["text"] == opened["text"]
    assert client.get("/api/build/file?scenario=../../secrets").status_code == 404
    built = client.post("/api/build", json={"data": data()}).get_json()
    assert built["problems"] == [] and built["data"] == data()
    assert client.post("/api/build", json={}).status_code == 404
