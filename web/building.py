"""Scenarios that are being built: text to data and back, every mistake with its path and place, files as they stand.

A scenario's own model judges (sim/scenario), then its rules are read and its world is built once, so that what passes here runs. Not in
here: the form (ui/src/build), beginning a session of it (share.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import yaml
from flask import Flask, jsonify, request
from pydantic import Field

from lessons.course import Course
from sim.document import MAX_CHARACTERS, Document, read
from sim.errors import ScenarioError, UsageError
from sim.ruleset.study import study
from sim.scenario import Scenario
from sim.simulation import Simulation
from web.messages import Incoming, check
from web.session import Session
from web.sessions import Sessions

LANGUAGES = {"iptables": ("iptables", "ip6tables"), "nft": ("nft",)}


class Building(Incoming):
    """One of the two: a scenario's text, or its data as the form has it."""

    text: Annotated[str, Field(max_length=200_000)] | None = None
    data: dict[str, Any] | None = None


def routes(app: Flask, sessions: Sessions, course: Callable[[], Course]) -> None:
    """Adds /api/build and /api/build/file."""

    @app.post("/api/build")
    def build() -> Any:
        asked: Building = check(Building, request.get_json())
        if (asked.text is None) == (asked.data is None):
            raise UsageError("the page sent what makes no sense: a scenario comes as text or as data")
        return jsonify(examined(asked.text if asked.text is not None else as_text(asked.data or {})))

    @app.get("/api/build/file")
    def file() -> Any:
        key, name = request.args.get("key"), request.args.get("scenario")
        return jsonify(examined(_of_session(sessions.find(key)) if key else as_text(plain(course().scenario(name or "")))))


def _of_session(session: Session) -> str:
    return session.own or as_text(plain(session.scenario))


def plain(scenario: Scenario) -> dict[str, Any]:
    """A scenario as the data that its file would hold, without what goes without saying."""
    data = scenario.model_dump(mode="json", exclude_defaults=True, exclude={"id"})
    for name, spec in scenario.machines.items():
        if spec.services:
            data["machines"][name]["services"] = [{each.name: dict(each.options)} if each.options else each.name for each in spec.services]
    return data


# ---- text and data ---------------------------------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):
    """Lines of a text below each other; small things in one line."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _string)


def as_text(data: Mapping[str, Any]) -> str:
    """A scenario's data as YAML that reads back to the same."""
    whole = yaml.dump(dict(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)
    if _plain(whole) == data:
        return whole
    return yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True)


def _plain(text: str) -> Any:
    try:
        return read(text, "scenario.yaml").data
    except ScenarioError:
        return None


def examined(text: str) -> dict[str, Any]:
    """{text, data, problems}: `data` is None for what is no YAML; a problem is {path, line, column, message, hint}."""
    if len(text) > MAX_CHARACTERS:
        raise UsageError(f"a scenario has at most {MAX_CHARACTERS} characters")
    try:
        document = read(text, "scenario.yaml")
    except ScenarioError as error:
        return {"text": text, "data": None, "problems": [_problem(error)]}
    return {"text": text, "data": document.data, "problems": list(_problems(text, document))}


def _problem(error: ScenarioError) -> dict[str, Any]:
    line, column = (error.span.line, error.span.column) if error.span else (1, 1)
    return {"path": list(error.path), "line": line, "column": column, "message": error.message, "hint": error.hint}


def _problems(text: str, document: Document) -> Iterator[dict[str, Any]]:
    found = [_problem(error) for error in Scenario.problems(text)]
    if found:
        yield from found
        return
    scenario = Scenario.from_text(text)
    found = [_problem(error) for error in _rules(scenario, document)]
    yield from found or _built(scenario, document)


def _rules(scenario: Scenario, document: Document) -> Iterator[ScenarioError]:
    """Mistakes in the machines' rules, at the line of the file where that can be told."""
    for name, spec in scenario.machines.items():
        texts = {language: getattr(spec.rules, language) for language in ("iptables", "ip6tables", "nft")}
        for source, mine in LANGUAGES.items():
            written = {each: texts[each] for each in mine if texts[each]}
            for mistake in study(written, source).mistakes if written else ():
                where = f"line {mistake.line}, column {mistake.column} of these rules"
                yield document.mistake(f"{where}: {mistake.message}", ("machines", name, "rules", mistake.doc), mistake.hint)


def _built(scenario: Scenario, document: Document) -> Iterator[dict[str, Any]]:
    """What only comes out when the world is built: sysctls, routes, sets that rules need."""
    try:
        Simulation(scenario)
    except ScenarioError as error:
        name = error.message.partition(":")[0]
        path = ("machines", name) if name in scenario.machines else ()
        yield _problem(document.mistake(error.message, path, error.hint))
