"""JSON Schemas for editors, made from the very models and tables that read the files: they cannot differ from them.

A scenario file names its schema in its first line; an editor with a YAML language server then completes and checks while one types.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final

from lessons.expect import fields_of
from lessons.load import FrontMatter
from sim.apps.services import SERVICES
from sim.asking import STATES
from sim.scenario import Scenario
from sim.scenario.words import TIME_PATTERN
from sim.trace import EVENTS
from sim.units import show_time

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SCENARIO_FILE: Final = "scenario.schema.json"
_SAID: Final = (  # what a docstring says to who reads the code, and what it says to who writes a scenario
    (" (see craft.py)", " (in the words of `ctlab lesson words packets`)"),
    (" (see simulation.py)", ""),
    (" (sim/apps/clients.py)", ""),
    (" is its whole view: see conntrack/show.py.", " has all that stands in the table about it."),
    (" see ruleset/show.py `view`:", ""),
    (" or None", " or null"),
    (" is None ", " is null "),
    (", None.", ", null."),
)
_TYPES: Final[Mapping[str, str]] = {"str": "string", "int": "integer", "bool": "boolean", "None": "null"}


def scenario_schema() -> dict[str, Any]:
    """What a scenario file may say."""
    schema = Scenario.model_json_schema()
    schema["$defs"]["Service"] = _service()
    return _said({"$schema": DIALECT, "$comment": "Made by `ctlab lesson schema scenario`."} | schema)


def front_matter_schema() -> dict[str, Any]:
    """What stands between the two lines of --- at the top of a lesson.md."""
    return _said({"$schema": DIALECT} | FrontMatter.model_json_schema())


def checks_schema() -> dict[str, Any]:
    """What an `expect` block may say, and the `checks:` of a goal."""
    kinds = {kind: _check(kind) for kind in [*EVENTS, *STATES]}
    one = {"type": "object", "properties": kinds, "additionalProperties": False, "minProperties": 1, "maxProperties": 1}
    return _said({"$schema": DIALECT, "title": "Checks on a trace", "type": "array", "items": one, "minItems": 1})


SCHEMAS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "scenario": scenario_schema, "front-matter": front_matter_schema, "checks": checks_schema,
}  # fmt: skip


def _said(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same schema, its descriptions in an instructor's words, its times as one writes them."""
    said = {key: _reworded(one) if key == "description" else _within(one) for key, one in schema.items()}
    default = said.get("default")
    return said | {"default": show_time(default)} if type(default) is int and _is_time(said) else said


def _is_time(schema: Mapping[str, Any]) -> bool:
    """Whether a text like 30s is taken: a bare number is seconds then, and a default in microseconds would mislead."""
    return any(isinstance(one, dict) and one.get("pattern") == TIME_PATTERN for one in schema.get("anyOf") or ())


def _within(value: Any) -> Any:
    if isinstance(value, list):
        return [_within(one) for one in value]
    return _said(value) if isinstance(value, dict) else value


def _reworded(text: Any) -> Any:
    if not isinstance(text, str):  # a property that is called so
        return _within(text)
    for code, plain in _SAID:
        text = text.replace(code, plain)
    return text


def _service() -> dict[str, Any]:
    """A service in its three forms: a word, {word: options}, {name, options}."""
    options = {name: _options(kind.options) | {"description": kind.summary} for name, kind in SERVICES.items()}
    long = {
        "type": "object", "required": ["name"], "additionalProperties": False,
        "properties": {"name": {"enum": list(SERVICES)}, "options": {"type": "object"}},
    }  # fmt: skip
    short = {"type": "object", "properties": options, "additionalProperties": False, "minProperties": 1, "maxProperties": 1}
    return {"title": "Service", "anyOf": [{"enum": list(SERVICES)}, short, long]}


def _options(names: tuple[str, ...]) -> dict[str, Any]:
    return {"type": ["object", "null"], "properties": {name: {} for name in names}, "additionalProperties": False}


def _check(kind: str) -> dict[str, Any]:
    hints = {field.name: field for field in dataclasses.fields(EVENTS[kind])} if kind in EVENTS else {}
    fields: dict[str, Any] = {name: _field(hints.get(name)) for name in fields_of(kind)}
    fields["packet"] = {"type": "object", "description": "Of the packet that the record is about: protocol, flags, src, dport …"}
    fields["count"] = {"type": "integer", "minimum": 0, "description": "How often; without it: at least once."}
    description = (EVENTS[kind].__doc__ or "").split("\n")[0] if kind in EVENTS else "What holds at the end."
    return {"type": ["object", "null"], "properties": fields, "additionalProperties": False, "description": description}


def _field(field: dataclasses.Field[Any] | None) -> dict[str, Any]:
    """A field's value, or a text like "has X", "not X", "30s"."""
    names = set(str(field.type).replace(" ", "").split("|")) if field is not None else set()
    known = sorted({_TYPES[name] for name in names if name in _TYPES} | ({"string"} if names & set(_TYPES) else set()))
    return {"type": known} if known and not names - set(_TYPES) else {}
