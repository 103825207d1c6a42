"""All that is wrong with a scenario's text, also what shows only when it is built: rules and settings that a machine's tools refuse.

Each mistake stands at its line of the file, those in rules at their line of the rules. Not in here: what a scenario may say.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path as FilePath

from sim.assembly import Unbuildable
from sim.document import Document, Path, contents, read
from sim.errors import CtlabError, ScenarioError, Span
from sim.ruleset.study import Finding, study
from sim.scenario import Scenario
from sim.simulation import Simulation

_BLOCK = re.compile(r"[|>][-+0-9]*\s*$")
_LANGUAGES = {"iptables": "iptables", "ip6tables": "iptables", "nft": "nft"}
MOST = 50
"""Mistakes that are told of one scenario."""


def problems(text: str, file: str = "scenario.yaml") -> list[ScenarioError]:
    """All mistakes; those that only building shows are told once the text has no others."""
    return Scenario.problems(text, file) or _unbuilt(Scenario.from_text(text, file), read(text, file))


def _unbuilt(scenario: Scenario, document: Document) -> list[ScenarioError]:
    """What is refused is told, left out, and the rest is built."""
    found: list[ScenarioError] = []
    while len(found) < MOST:
        try:
            Simulation(scenario)
            break
        except Unbuildable as error:
            found += _refused(error, scenario, document)
            rest = _without(scenario, error.path)
            if rest is None:
                break
            scenario = rest
        except CtlabError as error:
            return [*found, ScenarioError(f"{document.file}: {error}")]
    return found


def _without(scenario: Scenario, path: Path) -> Scenario | None:
    """The scenario without what stands at `path`: a machine's rules, sysctl, route or client; None where that is none of them."""
    _, name, what, which = [*path, "", "", ""][:4]
    spec = scenario.machines.get(str(name))
    if spec is None or what not in ("rules", "sysctls", "routes", "clients"):
        return None
    value = getattr(spec, what)
    rest: object
    if what == "rules":
        rest = value.model_copy(update={which: ""})
    elif what == "clients":
        rest = [client for index, client in enumerate(value) if index != which]
    else:
        rest = {key: each for key, each in value.items() if key != which}
    changed = spec.model_copy(update={what: rest})
    return None if changed == spec else scenario.model_copy(update={"machines": {**scenario.machines, name: changed}})


def _refused(error: Unbuildable, scenario: Scenario, document: Document) -> list[ScenarioError]:
    """The mistake at its key; those in rules each at its word."""
    if error.path[2:3] != ("rules",):
        return [document.mistake(error.message, error.path, error.hint)]
    name, doc = str(error.path[1]), str(error.path[3])
    text = getattr(scenario.machines[name].rules, doc)
    findings = [one for one in study({doc: text}, _LANGUAGES[doc]).mistakes if one.doc == doc]
    return [_placed(_before_the_end(one, text), error.path, document) for one in findings] or [document.mistake(error.message, error.path)]


def file_problems(path: FilePath) -> list[ScenarioError]:
    """The same of a file, which may be no file at all."""
    try:
        return problems(contents(path), str(path))
    except ScenarioError as error:
        return [error]


def _placed(finding: Finding, path: Path, document: Document) -> ScenarioError:
    """At its word, where the rules stand as a block of lines; else at their key, with the line of the rules."""
    place = document.places.get(path)
    begins = place.line - document.first_line if place else 0
    block = document.lines[begins + 1 :]
    if place is None or not _BLOCK.search(document.lines[begins]) or finding.line > len(block):
        where = f"line {finding.line}, column {finding.column} of these rules"
        return document.mistake(f"{finding.doc}: {where}: {finding.message}", path, finding.hint)
    indent = _indent(next((line for line in block if line.strip()), ""))
    span = Span(document.file, place.line + finding.line, indent + finding.column, finding.length)
    return ScenarioError(f"{finding.doc}: {finding.message}", span, block[finding.line - 1], finding.hint)


def _before_the_end(finding: Finding, text: str) -> Finding:
    """What stands behind the last line of the rules is shown at that line's end."""
    lines = text.rstrip().splitlines()
    if finding.line <= len(lines):
        return finding
    return replace(finding, line=len(lines), column=len(lines[-1]) + 1, length=1, hint=finding.hint or "is a bracket not closed?")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
