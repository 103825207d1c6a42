"""YAML read strictly, each value's place remembered, mistakes reported at file, line and column.

Stricter than YAML on purpose: no duplicate keys, no anchors or aliases (a stranger's file could swell without end), `no` and `on`
are words and not booleans, no tags. What a document may say is a pydantic model's business; `load` puts both together.
Not in here: what scenarios and lessons mean.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path as FilePath
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from sim.errors import ScenarioError, Span, did_you_mean

MAX_CHARACTERS = 1_000_000
DEEPEST = 40
MOST_PARTS = 100_000
"""Values, keys and brackets: reading so many takes a second or so."""
Path = tuple[str | int, ...]
_INT = re.compile(r"[-+]?\d+")
_FLOAT = re.compile(r"[-+]?(\d+\.\d*|\.\d+)([eE][-+]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


class Strict(BaseModel):
    """Base of all that is read from a file: unknown keys are mistakes, values never change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=BaseModel)


class Document(NamedTuple):
    """What was read: plain `data`, and for each path into it the `places` it stood at."""

    data: Any
    places: dict[Path, Span]
    file: str
    lines: list[str]
    first_line: int

    def mistake(self, message: str, path: Path = (), hint: str = "") -> ScenarioError:
        """A ScenarioError that points at `path`, or at the nearest thing around it."""
        whole = path
        while path and path not in self.places:
            path = path[:-1]
        span = self.places.get(path) or Span(self.file, self.first_line, 1)  # a file without anything in it has no places
        index = span.line - self.first_line
        source = self.lines[index] if 0 <= index < len(self.lines) else ""
        error = ScenarioError(message, span, source, hint)
        error.path = tuple(part for part in whole if part != "<key>")
        return error


def contents(path: FilePath) -> str:
    """The text of a file that a stranger may have written, its lines ended by \\n.

    Raises ScenarioError: no such file, too large, no text.
    """
    try:
        if not path.is_file():  # reading a pipe or a device might never end
            raise ScenarioError(f"{path}: cannot read this file: there is no such file")
        with path.open("rb") as opened:
            data = opened.read(MAX_CHARACTERS * 4 + 1)
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from error
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{path}: cannot read this file: {error}") from error
    if len(text) > MAX_CHARACTERS:
        raise ScenarioError(f"{path}: this file is too large: a file may have {MAX_CHARACTERS} characters")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _not_utf8(path: FilePath, error: UnicodeDecodeError) -> ScenarioError:
    before = error.object[: error.start]
    line, column = before.count(b"\n") + 1, len(before.rpartition(b"\n")[2].decode("utf-8")) + 1
    wide = error.object[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    what = "this file is UTF-16" if wide else f"the byte {error.object[error.start]:#04x} is no UTF-8 text"
    return ScenarioError(what, Span(str(path), line, column), hint="save the file as UTF-8")


def read(text: str, file: str, first_line: int = 1) -> Document:
    """Read one YAML document. `first_line` is where the text begins in `file` (front matter). Raises ScenarioError."""
    document = Document(None, {}, file, text.splitlines(), first_line)
    if len(text) > MAX_CHARACTERS:
        raise ScenarioError(f"{file}: {len(text)} characters; a file may have {MAX_CHARACTERS}")
    try:
        node = yaml.compose(_no_tricks(text, document), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise _yaml_mistake(error, document) from error
    data = _construct(node, (), document) if node is not None else None
    return document._replace(data=data)


def _no_tricks(text: str, document: Document) -> str:
    """What could swell, dive or make objects is refused before anything is built of it."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader), 1):
        if count > MOST_PARTS:
            raise _at(event, document, f"too many values: a file may have {MOST_PARTS}")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _at(event, document, "anchors and aliases (& and *) are not taken here: write the value out")
        if (tag := getattr(event, "tag", None)) is not None:
            raise _at(event, document, f"tags like {tag} are not taken here")
        if depth > DEEPEST:
            raise _at(event, document, "nested too deep")
    return text


def _at(event: Any, document: Document, message: str) -> ScenarioError:
    span = _span(event.start_mark, document, 1)
    index = span.line - document.first_line
    return ScenarioError(message, span, document.lines[index] if index < len(document.lines) else "")


def _span(mark: Any, document: Document, length: int) -> Span:
    return Span(document.file, mark.line + document.first_line, mark.column + 1, max(1, length))


def _yaml_mistake(error: yaml.YAMLError, document: Document) -> ScenarioError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    if mark is None:
        return ScenarioError(f"{document.file}: this is not YAML: {problem.splitlines()[0]}")
    span = _span(mark, document, 1)
    source = document.lines[mark.line] if mark.line < len(document.lines) else ""
    hint = _TABS if "\t" in source[: span.column] else next((hint for words, hint in _HINTS.items() if words in problem), "")
    return ScenarioError(f"this is not YAML: {problem}", span, source, hint)


_TABS = "YAML is indented by spaces, not by tabs"
_HINTS = {
    "mapping values are not allowed": "a text with a colon and a space in it stands in quotes",
    "did not find expected ','": "is a comma or a bracket missing? A text with a colon and a space in it stands in quotes",
    "did not find expected key": "do the lines of one mapping begin in the same column?",
    "could not find expected ':'": "a key is followed by a colon and a space",
}


def _construct(node: yaml.Node, path: Path, document: Document) -> Any:
    same_line = node.end_mark.line == node.start_mark.line
    length = node.end_mark.column - node.start_mark.column if same_line else 1
    document.places[path] = _span(node.start_mark, document, length)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document)
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, (*path, index), document) for index, item in enumerate(node.value)]
    return _scalar(node)


def _mapping(node: yaml.MappingNode, path: Path, document: Document) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise document.mistake("a key must be a word", path)
        key = str(key_node.value)
        if key in result:
            document.places[(*path, key)] = _span(key_node.start_mark, document, len(key))
            raise document.mistake(f"'{key}' stands here twice", (*path, key))
        result[key] = _construct(value_node, (*path, key), document)
        document.places[(*path, key, "<key>")] = _span(key_node.start_mark, document, len(key))
    return result


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if getattr(node, "style", None):  # quoted or block: always text
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INT.fullmatch(text):
        return int(text) if len(text) < 20 else text
    return float(text) if _FLOAT.fullmatch(text) else text


def problems(model: type[Model], document: Document) -> list[ScenarioError]:
    """All that is wrong with a document, each at its place; empty when the model takes it."""
    try:
        model.model_validate(document.data)
    except ValidationError as error:
        return [_problem(model, document, dict(item)) for item in _telling(error)]
    return []


def load(model: type[Model], document: Document) -> Model:
    """The document as `model`. Raises the first mistake as ScenarioError."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise _problem(model, document, dict(_telling(error)[0])) from error


def misfit(model: type[BaseModel], data: Any, error: ValidationError) -> ScenarioError:
    """The first mistake in plain data that stands in no file; its `path` says where."""
    return _problem(model, Document(data, {}, "", [], 1), dict(_telling(error)[0]))


def _telling(error: ValidationError) -> list[Any]:
    """The errors, unknown keys first: a misspelt key explains the one that is missing."""
    return sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")


_PLAIN = {
    "missing": "'{last}' is missing here",
    "extra_forbidden": "unknown key '{last}'",
    "string_type": "a text is wanted here",
    "int_type": "a whole number is wanted here",
    "int_parsing": "a whole number is wanted here",
    "float_type": "a number is wanted here",
    "float_parsing": "a number is wanted here",
    "finite_number": "a number is wanted here, and not an infinite one",
    "bool_type": "true or false is wanted here",
    "list_type": "a list is wanted here",
    "dict_type": "a mapping (key: value) is wanted here",
    "model_type": "a mapping (key: value) is wanted here",
    "too_long": "too many: there can be {max_length}",
    "too_short": "too few: there must be {min_length}",
    "string_too_long": "too long: {max_length} characters at most",
    "string_pattern_mismatch": "'{input}' is not {form}",
    "less_than_equal": "this is {le} at most",
    "greater_than_equal": "this is {ge} at least",
    "literal_error": "this is {expected}",
}


def _problem(model: type[BaseModel], document: Document, item: dict[str, Any]) -> ScenarioError:
    path: Path = tuple(item["loc"])
    last = str(path[-1]) if path else ""
    numbers = {key: value for key, value in dict(item.get("ctx", {})).items() if key not in ("error", "last", "msg", "input")}
    message = _PLAIN.get(str(item["type"]), "{msg}").format(
        **numbers, last=last, msg=str(item["msg"]).removeprefix("Value error, "), input=str(item.get("input"))[:40],
        form=_FORMS.get(numbers.get("pattern", ""), f"of the form {numbers.get('pattern')}"),
    )  # fmt: skip
    if last == "[key]":  # so pydantic names a key that is wrong itself
        path = (*path[:-1], "<key>")
    if item["type"] == "extra_forbidden":
        return document.mistake(message, (*path, "<key>"), did_you_mean(last, _known_keys(model, path[:-1])))
    return document.mistake(message, path, _hint(str(item["type"]), str(item.get("input"))))


def form(pattern: str, said: str) -> str:
    """The pattern of a text, which a mistake calls as it is `said`: "a name: letters, digits"."""
    _FORMS[pattern] = said
    return pattern


_FORMS: dict[str, str] = {}
_PERCENT = re.compile(r"\d{1,2}%")


def _hint(kind: str, given: str) -> str:
    if kind == "string_pattern_mismatch" and ":" in given:
        return "is a space missing behind the colon?"
    if kind.startswith("float") and _PERCENT.fullmatch(given):
        return f"{given} is {int(given[:-1]) / 100:g}"
    return ""


def _known_keys(model: Any, path: Path) -> list[str]:
    """The keys allowed at `path`: walks the model's annotations; [] where that is not to be had."""
    for part in path:
        model = _step(model, part)
    fields = getattr(model, "model_fields", None)
    return [field.alias or name for name, field in fields.items()] if fields else []


def _step(model: Any, part: str | int) -> Any:
    fields = getattr(model, "model_fields", {})
    by_alias = {field.alias or name: field.annotation for name, field in fields.items()}
    annotation = by_alias.get(part, model) if isinstance(part, str) else model
    return _inner_model(annotation) or annotation


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _inner_model(argument)
        if found is not None:
            return found
    return None
