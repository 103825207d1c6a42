"""A new lesson: a folder with a lesson.md and its scenario that work at once, to be edited from there.

The texts are templates/*.md and *.yaml, with $names for what the author says. Not in here: asking (web/commands).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Final

from lessons.load import NAME
from lessons.schema import SCENARIO_FILE, scenario_schema
from sim.errors import UsageError

TEMPLATES: Final = Path(__file__).parent / "templates"
KINDS: Final[Mapping[str, str]] = {
    "host": "a laptop, and a server with a firewall of its own",
    "router": "a laptop, a router with a firewall, a server outside",
    "drill": "a lockout drill: rules for a server that is reached by ssh alone, two ways through it, judged",
    "challenge": "a task with names, addresses and a port drawn for each learner, judged",
}
_LATIN: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "þ": "th"})
LONGEST_TEXT: Final = 200


def slug(title: str) -> str:
    """What a folder is called after a title: small letters, digits, dashes."""
    latin = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", title).casefold().translate(_LATIN))
    plain = "".join(letter for letter in latin if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")


def next_number(folder: Path) -> int:
    """The number after the last lesson's in `folder`."""
    numbers = [int(found[1]) for path in folder.glob("*/lesson.md") if (found := re.match(r"(\d{1,4})-", path.parent.name))]
    return max(numbers, default=0) + 1


def write_lesson(
    folder: Path, title: str, *, kind: str = "host", name: str = "", part: str = "Lessons", summary: str = "", minutes: int = 6,
) -> Path:  # fmt: skip
    """Write the lesson into `folder`, which is made if need be. Gives the lesson.md. Raises UsageError, and then nothing is written."""
    name = name or slug(title)
    if not name:
        raise UsageError(f"nothing of '{title[:60]}' can stand in a folder's name: say one with --name, in a to z, 0 to 9 and dashes")
    if not re.fullmatch(NAME, name):
        raise UsageError(f"'{name}' is no name for a lesson: small letters, digits and dashes are wanted; give it with --name")
    texts = {"title": title, "part": part, "summary": summary or f"{title}."}
    said = {key: _quoted(key, text) for key, text in texts.items()} | {"name": name, "minutes": str(minutes)}
    if any(path.parent.name.partition("-")[2] == name for path in folder.glob("*/lesson.md")):
        raise UsageError(f"{folder}: there is a lesson '{name}' already: give another name with --name")
    place = folder / f"{next_number(folder):02}-{name}"
    place.mkdir(parents=True)
    schema = folder / SCENARIO_FILE
    schema.write_text(json.dumps(scenario_schema(), indent=1) + "\n", encoding="utf-8")
    for suffix, file in ((".yaml", place / f"{name}.yaml"), (".md", place / "lesson.md")):
        text = Template((TEMPLATES / f"{kind}{suffix}").read_text(encoding="utf-8")).substitute(said)
        file.write_text(text, encoding="utf-8")
    return place / "lesson.md"


def _quoted(key: str, text: str) -> str:
    """The text as YAML has it between quotes."""
    if not text.strip() or not text.isprintable() or len(text) > LONGEST_TEXT:
        raise UsageError(f"the {key} is one line of at most {LONGEST_TEXT} characters: {text[:60]!r}")
    return json.dumps(text.strip(), ensure_ascii=False)
