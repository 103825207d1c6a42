"""The schemas for editors say what the readers take: every scenario and check of the course fits, and what is refused fits not."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from lessons.course import HERE
from lessons.schema import DIALECT, SCENARIO_FILE, checks_schema, front_matter_schema, scenario_schema
from sim.asking import STATES
from sim.document import read
from sim.scenario.model import LinkSpec
from sim.trace import EVENTS
from sim.trial import problems

SCENARIO = scenario_schema()
FILES = sorted((HERE / "scenarios").glob("*.yaml"))
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None),
}  # fmt: skip


def wrong(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """What JSON Schema has against a value: the keywords that ours use."""
    if "$ref" in schema:
        yield from wrong(root["$defs"][schema["$ref"].rpartition("/")[2]], value, root, path)
    if "anyOf" in schema and all(list(wrong(one, value, root, path)) for one in schema["anyOf"]):
        yield f"{path}: fits none of {schema['anyOf']}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value} is none of {schema['enum']}"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(isinstance(value, TYPES[kind]) and not (isinstance(value, bool) and kind != "boolean") for kind in kinds):
        yield f"{path}: {value!r} is no {kinds}"
    elif isinstance(value, dict):
        yield from wrong_keys(schema, value, root, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            prefix = schema.get("prefixItems", [])
            yield from wrong(prefix[index] if index < len(prefix) else schema.get("items", {}), item, root, f"{path}[{index}]")
        if len(value) > schema.get("maxItems", 1 << 30) or len(value) < schema.get("minItems", 0):
            yield f"{path}: {len(value)} items"
    elif isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{path}: {value!r} is not {schema['pattern']}"
    elif isinstance(value, int | float) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{path}: {value} is out of bounds"


def wrong_keys(schema: Mapping[str, Any], value: Mapping[str, Any], root: Mapping[str, Any], path: str) -> Iterator[str]:
    known, patterns, others = schema.get("properties", {}), schema.get("patternProperties", {}), schema.get("additionalProperties", True)
    yield from (f"{path}: {name} is missing" for name in schema.get("required", []) if name not in value)
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", 1 << 30):
        yield f"{path}: {len(value)} keys"
    for key, item in value.items():
        fitting = known.get(key) or next((one for pattern, one in patterns.items() if re.search(pattern, key)), None)
        if key not in known and fitting is None and others is False:
            yield f"{path}.{key}: unknown"
        elif fitting is not None or isinstance(others, dict):
            yield from wrong(others if fitting is None else fitting, item, root, f"{path}.{key}")


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_every_scenario_of_the_course_fits_the_schema(file: Any) -> None:
    assert list(wrong(SCENARIO, read(file.read_text("utf-8"), str(file)).data, SCENARIO)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [("firewall:", "firewal:"), ("delay: 2ms", "delay: 2 parsecs"), ("- http: {port", "- htp: {port"), ("kind: firewall", "kind: wall"),
     ("at: [0.5, 0.5]", "at: [0.5, 2]"), ("- ssh", "- sssh"), ("{port: 80}", "{prt: 80}")],
)  # fmt: skip
def test_what_the_reader_refuses_does_not_fit_either(old: str, new: str) -> None:
    text = (HERE / "scenarios" / "home-router.yaml").read_text("utf-8")
    assert old in text
    assert list(wrong(SCENARIO, read(text.replace(old, new, 1), "x").data, SCENARIO))


def test_checks_and_front_matter_of_the_course_fit_their_schemas() -> None:
    checks, front = checks_schema(), front_matter_schema()
    count = 0
    for file in sorted(HERE.glob("*/lesson.md")):
        text = file.read_text("utf-8")
        assert list(wrong(front, read(text.split("---\n")[1], "x").data, front)) == []
        for body in re.findall(r"^```expect[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            assert list(wrong(checks, read(body, "x").data, checks)) == [], file
            count += 1
    assert count > 50
    assert list(wrong(checks, [{"label": {"lable": "NEW"}}], checks)) and list(wrong(checks, [], checks))


def test_the_schema_that_the_course_s_scenarios_name_is_the_one_that_is_made() -> None:
    """`ctlab lesson schema > lessons/scenario.schema.json` makes it anew."""
    assert json.loads((HERE / SCENARIO_FILE).read_text("utf-8")) == SCENARIO
    named = [file for file in FILES if file.read_text("utf-8").startswith("# yaml-language-server: $schema=../scenario.schema.json\n")]
    assert len(named) > 10


def test_the_schemas_name_their_dialect() -> None:
    assert {schema()["$schema"] for schema in (scenario_schema, checks_schema, front_matter_schema)} == {DIALECT}


def test_the_readme_s_scenario_and_blocks_are_what_they_teach() -> None:
    text = (HERE / "README.md").read_text("utf-8")
    indented = textwrap.dedent(text.partition("## Scenarios\n")[2].partition("\nServices:")[0])
    assert problems(indented, "README.md") == []
    assert list(wrong(SCENARIO, read(indented, "x").data, SCENARIO)) == []
    for block in re.findall(r"^    - (\w[\w-]*: \{.*\})", text, re.MULTILINE):
        kind = block.partition(":")[0]
        if kind in EVENTS or kind in STATES:
            assert list(wrong(checks_schema(), read(f"- {block}", "x").data, {})) == [], block


def test_no_schema_speaks_of_python_to_an_instructor() -> None:
    texts = [json.dumps(schema()) for schema in (scenario_schema, checks_schema, front_matter_schema)]
    assert [text for text in texts if ".py" in text or "None" in text] == []


def test_a_default_that_is_a_time_stands_as_one_would_write_it_and_is_the_one_that_is_taken() -> None:
    for name, field, text in (("ClientSpec", "every", "5s"), ("ClientSpec", "until", "5m"), ("LinkSpec", "delay", "5ms")):
        assert SCENARIO["$defs"][name]["properties"][field]["default"] == text
    link = {"between": ["a.eth0", "b.eth0"]}
    assert LinkSpec.model_validate(link) == LinkSpec.model_validate(link | {"delay": "5ms"})
    assert SCENARIO["properties"]["seed"]["default"] == 0
