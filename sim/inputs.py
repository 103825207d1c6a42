"""What a person can do to a simulation, as frozen values with JSON both ways. A session is (scenario, seed, inputs)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, ClassVar

from sim.errors import UsageError, did_you_mean
from sim.units import DAY, SECOND, parse_time, show_time

MAX_TEXT = 4096
MAX_RULES = 65_536
LONGEST_DELAY = 60_000_000  # µs
KEYS = ("^C", "^D")
POWER = {"off": "no power", "on": "power again", "reset": "reset"}
_LINK_WORDS = ("down", "up", "delay", "loss")
_RULES = ("iptables", "ip6tables", "nft")


@dataclass(frozen=True, slots=True)
class Line:
    """A line typed at a terminal: to its shell, or to the program in front."""

    type: ClassVar[str] = "line"
    terminal: str
    text: str

    def say(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Key:
    """A key that is no text: ^C (interrupt) or ^D (end of input)."""

    type: ClassVar[str] = "key"
    terminal: str
    key: str

    def say(self) -> str:
        return self.key


@dataclass(frozen=True, slots=True)
class LinkChange:
    """A link gets another delay (µs) or loss (0 to 1), or is cut (`up` false) or mended."""

    type: ClassVar[str] = "link"
    link: str
    delay: int | None = None
    loss: float | None = None
    up: bool | None = None

    def say(self) -> str:
        changes = [
            f"delay {self.delay} µs" if self.delay is not None else "",
            f"loss {self.loss:.0%}" if self.loss is not None else "",
        ]
        changes.append({True: "mended", False: "cut", None: ""}[self.up])
        return f"{self.link}: " + ", ".join(change for change in changes if change)


@dataclass(frozen=True, slots=True)
class Crafted:
    """A packet in the words of craft.py, sent by a machine as it is (no OUTPUT hook asks whose it is)."""

    type: ClassVar[str] = "packet"
    machine: str
    packet: str

    def say(self) -> str:
        return self.packet


@dataclass(frozen=True, slots=True)
class Attempt:
    """A machine tries once to reach `to` (a machine's name, or an address) by tcp, udp or ping (port 0). Told as a Reached record."""

    type: ClassVar[str] = "attempt"
    machine: str
    to: str
    protocol: str
    port: int

    def say(self) -> str:
        return f"{self.machine} tries {self.protocol} {self.to}" + (f":{self.port}" if self.port else "")


@dataclass(frozen=True, slots=True)
class RulesChange:
    """A machine's rules become these texts, whole, by its own tools; a language that is None stays as it is.

    `timer` (µs): the old rules come back then, unless a RulesKept comes first; None: for good.
    """

    type: ClassVar[str] = "rules"
    machine: str
    iptables: str | None = None
    ip6tables: str | None = None
    nft: str | None = None
    timer: int | None = None

    @property
    def texts(self) -> dict[str, str]:
        """The texts that are given, by language."""
        given = {"iptables": self.iptables, "ip6tables": self.ip6tables, "nft": self.nft}
        return {name: text for name, text in given.items() if text is not None}

    def say(self) -> str:
        what = f"new rules for {self.machine} ({', '.join(self.texts)})"
        return what if self.timer is None else f"{what}, on trial for {show_time(self.timer)}"


@dataclass(frozen=True, slots=True)
class RulesKept:
    """The rules that are on trial on a machine stay."""

    type: ClassVar[str] = "keep"
    machine: str

    def say(self) -> str:
        return f"the new rules of {self.machine} are kept"


@dataclass(frozen=True, slots=True)
class Command:
    """A line that runs on a machine as root, with nobody at a terminal: a setting, a rule, a host that behaves otherwise."""

    type: ClassVar[str] = "command"
    machine: str
    text: str

    def say(self) -> str:
        return f"{self.machine}: {self.text}"


@dataclass(frozen=True, slots=True)
class Power:
    """A machine's current: off, on (it boots), or reset (off, and it boots at once). What it has in its memory goes, its disk stays."""

    type: ClassVar[str] = "power"
    machine: str
    power: str

    def say(self) -> str:
        return f"{self.machine}: {POWER[self.power]}"


Input = Line | Key | LinkChange | Crafted | Attempt | RulesChange | RulesKept | Command | Power
_KINDS: tuple[type[Input], ...] = (Line, Key, LinkChange, Crafted, Attempt, RulesChange, RulesKept, Command, Power)
_CLASSES = {cls.type: cls for cls in _KINDS}
_CHECKS: dict[str, type | tuple[type, ...]] = {
    "terminal": str, "text": str, "key": str, "link": str, "delay": int, "loss": (int, float), "up": bool, "machine": str, "packet": str,
    "to": str, "protocol": str, "port": int, "iptables": str, "ip6tables": str, "nft": str, "timer": int, "power": str,
}  # fmt: skip


def to_json(value: Input) -> dict[str, Any]:
    """{"type": "line", "terminal": …}."""
    return {"type": value.type} | asdict(value)


def from_json(data: Mapping[str, Any]) -> Input:
    """The input that `data` describes. Raises UsageError."""
    kind = data.get("type")
    cls = _CLASSES.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise UsageError(
            f"an input's type is one of {', '.join(_CLASSES)}, not '{kind}'. {did_you_mean(str(kind), _CLASSES)}".strip()
        )
    given = {name: value for name, value in data.items() if name != "type" and value is not None}
    for name, value in given.items():
        if name not in [field.name for field in fields(cls)]:
            raise UsageError(f"a {kind} input has no '{name}'")
        if not isinstance(value, _CHECKS[name]) or (name != "up" and isinstance(value, bool)):
            raise UsageError(f"a {kind} input's '{name}' is not of the right kind")
        _check_length(name, value)
    missing = [name for name in _required(cls) if name not in given]
    if missing:
        raise UsageError(f"a {kind} input needs '{missing[0]}'")
    made = cls(**given)
    _check_values(made)
    return made


def _check_length(name: str, value: object) -> None:
    if not isinstance(value, str):
        return
    if name in _RULES:
        if len(value) > MAX_RULES:
            raise UsageError(f"'{name}' has at most {MAX_RULES} characters")
    elif len(value) > MAX_TEXT or "\n" in value or "\r" in value:
        raise UsageError(f"'{name}' is one line of at most {MAX_TEXT} characters")


def _required(cls: type[Input]) -> list[str]:
    return [field.name for field in fields(cls) if field.default is MISSING]


def check_input(value: Any) -> None:
    """Raises UsageError for what is no input, or has in it what cannot be there."""
    if not isinstance(value, _KINDS):
        names = ", ".join(cls.__name__ for cls in _KINDS)
        raise UsageError(f"an input is wanted here, not {type(value).__name__}: one of {names}")
    from_json(to_json(value))


def _check_values(value: Input) -> None:
    if isinstance(value, Key) and value.key not in KEYS:
        raise UsageError("the keys that can be sent are ^C and ^D")
    if isinstance(value, Power) and value.power not in POWER:
        raise UsageError(f"power is off, on or reset, not '{value.power}'. {did_you_mean(value.power, POWER)}".strip())
    if isinstance(value, Attempt) and (value.protocol not in ("tcp", "udp", "ping") or not 0 <= value.port <= 65535):
        raise UsageError("an attempt is by tcp, udp or ping, to a port from 0 to 65535")
    if isinstance(value, LinkChange) and not 0 <= (value.loss or 0) <= 1:
        raise UsageError("loss is a chance from 0 to 1")
    if isinstance(value, LinkChange) and not 0 <= (value.delay or 0) <= LONGEST_DELAY:
        raise UsageError("a delay is from 0 to 60 s")
    if isinstance(value, RulesChange):
        if not value.texts:
            raise UsageError(f"new rules come in one of {', '.join(_RULES)}")
        if value.timer is not None and not SECOND <= value.timer <= DAY:
            raise UsageError("rules are on trial for 1 s to 1 d")


# ---- in words, as lessons and scenarios write them -------------------------------------------------------------------


def typed(terminal: str, text: str) -> Line | Key:
    """A line typed at a terminal; `^C` or `^D` alone is that key."""
    if not isinstance(text, str):
        raise UsageError(f"a line is text, not {type(text).__name__}")
    return Key(terminal, text.strip()) if text.strip() in KEYS else Line(terminal, text)


def link_change(link: str, text: str) -> LinkChange:
    """What happens to a link, in words: "down", "up", "delay 200ms", "loss 10%", or several with commas. Raises UsageError."""
    said: dict[str, int | float | bool] = {}
    for part in text.split(","):
        word, _, value = part.strip().partition(" ")
        key = "up" if word == "down" else word
        if word not in _LINK_WORDS or bool(value.strip()) != (word in ("delay", "loss")):
            hint = did_you_mean(word, _LINK_WORDS) if word not in _LINK_WORDS else ""
            raise UsageError(f"a link is changed by down, up, delay 200ms or loss 10%, not '{part.strip()}'. {hint}".strip())
        if key in said:
            raise UsageError(f"'{text}' says twice what becomes of {'the cable' if key == 'up' else key}")
        said[key] = word == "up" if key == "up" else parse_time(value) if word == "delay" else _chance(value)
    change = LinkChange(link, **said)  # type: ignore[arg-type]
    _check_values(change)
    return change


def _chance(text: str) -> float:
    """0.1 of "10%" and of "0.1"."""
    word = text.strip()
    try:
        return float(word.removesuffix("%")) / (100 if word.endswith("%") else 1)
    except ValueError as error:
        raise UsageError(f"loss is a chance like 10% or 0.1, not '{word}'") from error


def power(machine: str, text: str) -> Power:
    """What becomes of a machine's current, in a word: off, on, reset. Raises UsageError."""
    value = Power(machine, text.strip())
    _check_values(value)
    return value
