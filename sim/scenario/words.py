"""The small words of a scenario file: names, times, addresses, short forms, and how an editor's schema tells them.

Each is a type for the models in model.py. Not in here: machines, links, or what they mean together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from sim.document import form
from sim.errors import UsageError
from sim.units import DAY, parse_address, parse_interface, parse_time, show_time

LONGEST = 1000 * DAY
"""µs: no scenario lasts longer."""
TIME_PATTERN = r"^\s*\d{1,15}(\.\d{1,12})?\s*(us|µs|ms|s|min|m|h|d)?(\s*\d{1,15}(\.\d{1,12})?\s*(us|µs|ms|s|min|m|h|d))*\s*$"


def checked(reader: Callable[[str], object], text: str, where: str = "") -> str:
    """The text itself, once `reader` has taken it. Raises ValueError, as pydantic wants it."""
    try:
        reader(text)
    except UsageError as error:
        raise ValueError(f"{where}{error}") from error
    return text


def _microseconds(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("a time is wanted here: 30s, 200ms, 5m, 1h30m or 5d")
    try:
        found = parse_time(value)
    except UsageError as error:
        raise ValueError(str(error)) from error
    if not 0 <= found <= LONGEST:
        raise ValueError(f"'{value}' is not a time from 0 to 1000 days")
    return found


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _service(value: Any) -> Any:
    """`ssh` is short for {name: ssh}; {http: {port: 80}} for {name: http, options: {port: 80}}."""
    if isinstance(value, str):
        return {"name": value, "options": {}}
    if isinstance(value, dict) and len(value) == 1:
        name, options = next(iter(value.items()))
        return {"name": name, "options": options or {}}
    return value


WORD = form(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,40}$", "a name: letters, digits, _ . and -, a letter or a digit first, 41 at most")
FILE_PATH = form(
    r"^/(etc|home|root|tmp|usr|var)/[A-Za-z0-9._/-]{1,100}$",
    "a file's whole path below /etc, /home, /root, /tmp, /usr or /var, in letters, digits, _ . / and -",
)
Word = Annotated[str, Field(pattern=WORD)]
Line = Annotated[str, Field(max_length=4096, pattern=form(r"^[^\r\n]*$", "one line"))]
Text = Annotated[str, Field(max_length=2000)]
FilePath = Annotated[str, Field(pattern=FILE_PATH)]
FileText = Annotated[str, Field(max_length=65536)]
RulesText = Annotated[str, Field(max_length=262_144)]
Time = Annotated[
    int,
    BeforeValidator(_microseconds),
    PlainSerializer(show_time, when_used="json"),
    WithJsonSchema({
        "anyOf": [{"type": "string", "pattern": TIME_PATTERN}, {"type": "number", "minimum": 0}],
        "description": "30s, 200ms, 1h30m; a bare number is seconds",
    }),
]
Address = Annotated[str, AfterValidator(lambda text: checked(parse_address, text))]
Prefixed = Annotated[str, Field(max_length=64)]
Interfaces = Annotated[
    Annotated[list[Prefixed], Field(max_length=64)],
    BeforeValidator(_as_list),
    WithJsonSchema({
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "maxItems": 64}],
        "description": "192.168.1.20/24, or a list of such",
    }),
]
Routed = Annotated[str, AfterValidator(lambda text: text if text == "default" else checked(parse_interface, text))]
ServiceForm = BeforeValidator(_service)
