"""Lesson and scenario files gone wrong, by seed: the real ones with lines, words and values changed, zips of
them, and what a malicious author writes."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from random import Random
from typing import NamedTuple

from lessons.course import HERE
from lessons.load import find

NUMBERS = (
    "0", "-1", "1", "65536", "99999999999999999999999", "1e999", "-1e999", ".nan", ".inf", "-.inf", "nan", "0x7fffffff", "1_000", "0o17",
    "1.5", "9" * 400, "1:30", "2147483648", "18446744073709551616", "٣", "²", "1e5", "+7",
)  # fmt: skip
WORDS = (
    "", "~", "null", "true", "yes", "[]", "{}", "''", '""', "[[[[]]]]", "{a: {b: {c: {d: 1}}}}", "a" * 300, "é", "\u2028", "\u0085", "\x0b",
    "\x0c", "\ufeff", "\u202e", "x: y", "- x", "? x", "&a", "*a", "!!python/object/apply:os.system [id]",
    "!!binary aGk=", "<<: {a: 1}",
    "2026-11-23", "|", ">-", "%s%n", "../../etc/passwd", "/dev/zero", "laptop", "server",
    "10.0.0.1/33", "10.0.0.1/0", "0.0.0.0/0", "::/0",
    "fd00::1/64", "lo", "has ", "not not has x", "30s", "999999999999999d", "iptables", "nft", "default", "255.255.255.255/32",
    "127.0.0.1/8",
    "<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](http://evil.test/x.png)", "<img src=x onerror=alert(1)>",
    "$(reboot)",
)  # fmt: skip
LINES = (
    "---", "```", "```run laptop", "```expect", "```goal g", "```packet laptop", "```link x", "```predict p", "# ", "- [x] ", "- [ ] a",
    "- label: {count: 0}", "checks: []", "  a: &x [*x]", "\t- tab", "...", "%YAML 1.1", "a: b: c", "? {a: b}", "^C", "budget: {records: 1}",
    "budget: {time: 0}", "budget: {memory: 1}", "seed: -5", "seed: 1e9", "conntrack: always", "- {at: 0s, terminal: laptop, type: ^D}",
    "traffic: [{at: 0, machine: laptop, packet: hex 00}]", "hosts: {a: 127.0.0.1}", "ping -f -i 0 server", "cat /etc/passwd | cat | cat",
    "yes", "while true; do echo x; done", "seq 1 99999999", "iptables -A INPUT -j INPUT", ":(){ :|:& };:", "sleep 99999999999",
    "nc -l 1 | nc server 1",
    "<svg onload=alert(1)>", "[a]: javascript:alert(1)", "|a|b|\n|-|-|\n|<b>|`NEW`|", "> " * 90 + "x", "- " * 90 + "x",
    "[" * 300 + "]" * 300,
    # what varies, predictions, what-ifs, hints, ways, judges, and commands that go on by themselves
    "vary:", "  port: {pick: [80, 8080]}", "  n: {number: [1, 1000000000]}", "  n: {number: [5, 1]}", "  who: {shuffle: [a, b, c]}",
    "  x: {pick: [1], number: [1, 2]}", "{{port}} {{who.1}} {{nobody}}", "{{{{port}}}}", "{{" * 200, "kind: drill", "kind: challenge",
    "begin: 1h", "end: 0s", "end: 999d", "```judge", "- may: {from: laptop, to: server, tcp: 22}", "- may: {from: x, to: 10.0.0.1, udp: 0}",
    "- may-not: {from: laptop, to: nowhere.example, ping: yes}", "- lives: {from: laptop, name: x}", "- cut: {from: laptop}",
    "- holds: {policy: {machine: server, chain: INPUT, is: DROP}}", "```way w", "title: t", "why: w", "reached: maybe", "points: [100, 0]",
    "points: [0, 1, 2]", "lost: -1", "fails: x", "```solution laptop way=w", "```solution packet laptop", "```solution link x",
    "```whatif w before=ping", "```whatif w", "> server: conntrack -F", "> laptop: ^C", "> nobody: x", "> ", "> link x: down",
    "> sysctl server: a = b", "```expect whatif=w", "```hint", "- [x] right {known-is-let-in}", "- [ ] wrong {no-such-one}",
    "  why" * 50, "```run laptop wait=999d", "```run laptop wait=0s lang=nft", "```output laptop", "watch -n 0.1 conntrack -L",
    "watch -n 0.1 watch -n 0.1 ls", "echo ls | at now", "at -f /tmp/a now", "nohup ping server &", "timeout 0 ping server",
    "cat /tmp/a /tmp/a > /tmp/b; cat /tmp/b /tmp/b > /tmp/a", "bash -c 'bash -c \"bash -c ls\"'", "iptables-apply -t 1 /etc/new.rules",
    "grep -E '(a*)*b' /etc/hosts", "hping3 --flood -S -p 80 server", "nft add rule x y z", "conntrack -E", "reboot", "poweroff",
    "ssh server", "for i in 1 2 3; do ping server; done", "iptables -I INPUT -m string --algo bm --string x -j DROP",
)  # fmt: skip


class Seeds(NamedTuple):
    """The real files: lessons as (folder, text), scenarios as texts."""

    lessons: list[tuple[Path, str]]
    scenarios: list[str]


def seeds() -> Seeds:
    """All of the course, and the templates of `ctlab lesson new`."""
    scenarios = [path.read_text("utf-8") for path in sorted((HERE / "scenarios").glob("*.yaml"))]
    return Seeds([(path / "lesson.md", (path / "lesson.md").read_text("utf-8")) for path in find(HERE)], scenarios)


def mutated(texts: list[str], random: Random) -> Iterator[tuple[int, str]]:
    """Without end: (which text, the same with one to six things done to it)."""
    lines = [line for text in texts for line in text.split("\n")]
    while True:
        which = random.randrange(len(texts))
        text = texts[which]
        for _ in range(random.choice((1, 1, 1, 2, 2, 3, 6))):
            text = random.choice(_WAYS)(text, lines, random)
        yield which, text


def _at_line(change: Callable[[list[str], int, list[str], Random], None]) -> Callable[[str, list[str], Random], str]:
    def changed(text: str, lines: list[str], random: Random) -> str:
        own = text.split("\n")
        change(own, random.randrange(len(own)), lines, random)
        return "\n".join(own)

    return changed


def _drop(own: list[str], at: int, lines: list[str], random: Random) -> None:
    del own[at]


def _swap(own: list[str], at: int, lines: list[str], random: Random) -> None:
    other = random.randrange(len(own))
    own[at], own[other] = own[other], own[at]


def _value(own: list[str], at: int, lines: list[str], random: Random) -> None:
    """Another value behind a `key: `, or another word."""
    head, colon, _ = own[at].partition(": ")
    odd = random.choice(NUMBERS if random.random() < 0.4 else WORDS)
    own[at] = f"{head}{colon}{odd}" if colon else " ".join([*own[at].split(" ")[:-1], odd])


def _word(own: list[str], at: int, lines: list[str], random: Random) -> None:
    words = own[at].split(" ")
    words[random.randrange(len(words))] = random.choice(NUMBERS + WORDS)
    own[at] = " ".join(words)


def _indent(own: list[str], at: int, lines: list[str], random: Random) -> None:
    own[at] = " " * random.randrange(12) + own[at].lstrip(" ")


def _character(text: str, lines: list[str], random: Random) -> str:
    at = random.randrange(len(text) + 1)
    odd = ("", "\n", "\r", "\0", "`", '"', "{", "}", "[", "&", "*", "\u2028", "\x85", "é", "\t", ":")
    return text[:at] + random.choice(odd) + text[at + random.randrange(3) :]


def _cut(text: str, lines: list[str], random: Random) -> str:
    return text[: random.randrange(len(text) + 1)]


def _replace(own: list[str], at: int, lines: list[str], random: Random) -> None:
    own[at] = random.choice(lines)


_WAYS: tuple[Callable[[str, list[str], Random], str], ...] = (
    _at_line(_drop),
    _at_line(lambda own, at, lines, random: own.insert(at, own[at])),
    _at_line(lambda own, at, lines, random: own.insert(at, random.choice(lines))),
    _at_line(lambda own, at, lines, random: own.insert(at, random.choice(LINES))),
    _at_line(_replace), _at_line(_swap), _at_line(_value), _at_line(_value), _at_line(_value),
    _at_line(_word), _at_line(_word), _at_line(_indent),
    _character, _character, _cut,
)  # fmt: skip


# ---- zips ------------------------------------------------------------------------------------------------------------

NAMES = (
    "lesson.md", "../x.md", "/x.md", "a/../../x.md", "a\\..\\x.md", "C:x.md", "a" * 300 + ".md", "x\0.md", "01-x/lesson.md/lesson.md",
    "01-x", "01-x/", ".md", "é/lesson.md", "\u202e.md", "scenarios/x.yaml", "01-x/LESSON.MD", "01-x/./lesson.md", "a//lesson.md", "con.md",
)  # fmt: skip


def packed(files: dict[str, bytes], random: Random) -> bytes:
    """A zip of lessons gone wrong: a file under another name, of another kind, swollen, or the archive's own bytes changed."""
    names = list(files)
    odd = random.choice(names)
    buffer = BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of names that stand there twice
        for name, data in files.items():
            renamed = random.choice(NAMES) if name == odd and random.random() < 0.6 else name
            entry = zipfile.ZipInfo(renamed)
            entry.external_attr = random.choice((0o100644, 0o120777, 0o060644, 0o040755, 0)) << 16 if name == odd else 0o100644 << 16
            archive.writestr(entry, data * random.choice((1, 1, 2000)) if name == odd else data, zipfile.ZIP_DEFLATED)
    return _spoilt(bytearray(buffer.getvalue()), random)


def _spoilt(data: bytearray, random: Random) -> bytes:
    for _ in range(random.choice((0, 0, 1, 2, 8))):
        data[random.randrange(len(data))] = random.randrange(256)
    return bytes(data[: random.randrange(len(data))] if random.random() < 0.1 else data)
