"""`nft -j -f FILE`: commands in JSON, as libnftables-json(5) has them, said in nft's own language, which the parser then reads.

`text_of(document)` gives one line a command. What is no JSON at all is left to the parser, as the real nft leaves it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Json = Any
_VERBS = ("add", "create", "insert", "replace", "delete", "flush", "list", "reset", "rename")
_VERDICTS = ("accept", "drop", "continue", "return")
_OPERATORS = ("&", "|", "^", "<<", ">>")
_KINDS = ("ct helper", "ct timeout", "ct expectation", "table", "chain", "rule", "set", "map", "element", "counter", "quota", "limit")


class WrongJson(Exception):
    """A mistake in the document, in nft's words."""


def is_json(text: str) -> bool:
    """Whether the text is a JSON document for nft."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):  # nested too deep for libjansson, too
        return False


def text_of(document: str) -> str:
    """The commands of a document, a line each. Raises WrongJson."""
    root = json.loads(document)
    if not isinstance(root.get("nftables"), list):
        raise WrongJson('Invalid type for top-level array "nftables", expected array.')
    return "".join(f"{line}\n" for each in root["nftables"] if (line := _command(each)))


def _command(entry: Json) -> str:
    if not isinstance(entry, dict) or len(entry) != 1:
        raise WrongJson("Malformed command object in nftables array.")
    (verb, body), = entry.items()
    if verb == "metainfo":
        return ""
    if verb in _KINDS:
        verb, body = "add", {verb: body}
    if verb not in _VERBS:
        raise WrongJson(f"Unknown command object '{verb}'.")
    if not isinstance(body, dict) or len(body) != 1:
        raise WrongJson("Malformed object (too many properties): '" + json.dumps(body) + "'.")
    (kind, thing), = body.items()
    return f"{verb} {_thing(verb, kind, thing if isinstance(thing, dict) else {})}".rstrip()


def _thing(verb: str, kind: str, thing: dict[str, Json]) -> str:
    place = " ".join(str(thing[key]) for key in ("family", "table") if key in thing)
    name = str(thing.get("name", ""))
    if kind in ("ruleset", "tables", "chains", "sets", "maps", "counters", "quotas", "limits"):
        return f"{kind} {thing.get('family', '')}"
    if kind == "rule":
        return f"rule {place} {thing.get('chain', '')} {_rule(verb, thing)}"
    if kind == "element":
        return f"element {place} {name} {{ {', '.join(_element(each) for each in _many(thing.get('elem', [])))} }}"
    which = f"handle {thing['handle']}" if "handle" in thing and not name else name
    head = f"{kind} {place or thing.get('family', '')} {which}"
    if verb == "rename":
        return f"{head} {thing.get('newname', '')}"
    block = _BLOCKS[kind](thing) if verb in ("add", "create") and kind in _BLOCKS else ""
    return f"{head} {block}"


def _rule(verb: str, thing: dict[str, Json]) -> str:
    if verb == "delete":
        return f"handle {thing['handle']}" if "handle" in thing else ""
    at = f"handle {thing['handle']} " if verb == "replace" or ("handle" in thing and verb == "insert") else ""
    if verb == "add" and "handle" in thing:
        at = f"position {thing['handle']} "
    if "index" in thing:
        at = f"index {thing['index']} "
    comment = f' comment "{thing["comment"]}"' if "comment" in thing else ""
    return at + " ".join(statement(each) for each in thing.get("expr", [])) + comment


def _chain(thing: dict[str, Json]) -> str:
    if "hook" not in thing:
        return ""
    policy = f" policy {thing['policy']};" if "policy" in thing else ""
    return f"{{ type {thing['type']} hook {thing['hook']} priority {thing.get('prio', 0)};{policy} }}"


def _seconds(value: Json) -> str:
    return f"{value}s" if isinstance(value, int) else str(value)


def _set(thing: dict[str, Json]) -> str:
    kind = thing.get("type", "")
    words = [f"type {' . '.join(kind) if isinstance(kind, list) else kind}" + (f" : {thing['map']}" if "map" in thing else "") + ";"]
    words += [f"flags {','.join(_many(thing['flags']))};"] if "flags" in thing else []
    words += [f"{key} {_seconds(thing[key])};" for key in ("timeout", "gc-interval") if key in thing]
    words += [f"{key} {thing[key]};" for key in ("policy", "size") if key in thing]
    words += ["auto-merge;"] if thing.get("auto-merge") else []
    words += [f'comment "{thing["comment"]}";'] if "comment" in thing else []
    words += [f"elements = {{ {', '.join(_element(each) for each in thing['elem'])} }};"] if thing.get("elem") else []
    return "{ " + " ".join(words) + " }"


def _helper(thing: dict[str, Json]) -> str:
    family = f" l3proto {thing['l3proto']};" if "l3proto" in thing else ""
    return f'{{ type "{thing.get("type", "")}" protocol {thing.get("protocol", "")};{family} }}'


def _ct_timeout(thing: dict[str, Json]) -> str:
    policy = ", ".join(f"{state} : {seconds}" for state, seconds in thing.get("policy", {}).items())
    return f"{{ protocol {thing.get('protocol', '')}; l3proto {thing.get('l3proto', 'ip')}; policy = {{ {policy} }}; }}"


def _expectation(thing: dict[str, Json]) -> str:
    rest = f"timeout {thing.get('timeout', 0)}ms; size {thing.get('size', 0)}; l3proto {thing.get('l3proto', 'ip')};"
    return f"{{ protocol {thing.get('protocol', '')}; dport {thing.get('dport', 0)}; {rest} }}"


def _quota(thing: dict[str, Json]) -> str:
    return f"{{ {'over ' if thing.get('inv') else ''}{thing.get('bytes', 0)} bytes used {thing.get('used', 0)} bytes }}"


_BLOCKS: dict[str, Callable[[dict[str, Json]], str]] = {
    "chain": _chain, "set": _set, "map": _set, "ct helper": _helper, "ct timeout": _ct_timeout, "ct expectation": _expectation,
    "counter": lambda thing: f"{{ packets {thing.get('packets', 0)} bytes {thing.get('bytes', 0)} }}",
    "quota": _quota, "limit": lambda thing: f"{{ {_rate(thing)} }}",
}  # fmt: skip


# ---- statements ------------------------------------------------------------------------------------------------------


def statement(entry: Json) -> str:
    """One statement of a rule."""
    if not isinstance(entry, dict) or len(entry) != 1:
        raise WrongJson("Malformed statement object.")
    (kind, body), = entry.items()
    if kind in _VERDICTS:
        return str(kind)
    if kind in ("jump", "goto"):
        return f"{kind} {body['target']}"
    if kind not in _STATEMENTS:
        raise WrongJson(f"Unknown statement object '{kind}'.")
    return _STATEMENTS[kind](body)


def _match(body: Json) -> str:
    op = body.get("op", "==")
    right = body["right"]
    if op == "in" or (op == "==" and isinstance(right, list)):
        return f"{expression(body['left'])} {expression(right)}"
    return f"{expression(body['left'])} {op} {expression(right)}"


def _counter(body: Json) -> str:
    if isinstance(body, dict) and "map" not in body:
        return f"counter packets {body.get('packets', 0)} bytes {body.get('bytes', 0)}"
    return "counter" if body is None else f"counter name {_quoted(body)}"


def _quoted(body: Json) -> str:
    return f'"{body}"' if isinstance(body, str) else expression(body)


def _rate(body: dict[str, Json]) -> str:
    unit = body.get("rate_unit", "packets")
    over = "over " if body.get("inv") else ""
    rate = f"{body['rate']}/{body.get('per', 'second')}" if unit == "packets" else f"{body['rate']} {unit}/{body.get('per', 'second')}"
    burst = f" burst {body['burst']} {body.get('burst_unit', 'packets' if unit == 'packets' else 'bytes')}" if body.get("burst") else ""
    return f"rate {over}{rate}{burst}"


def _quota_words(body: Json) -> str:
    if not isinstance(body, dict) or "map" in body:
        return f"quota name {_quoted(body)}"
    used = f" used {body['used']} {body.get('used_unit', 'bytes')}" if body.get("used") else ""
    return f"quota {'over ' if body.get('inv') else ''}{body.get('val', 0)} {body.get('val_unit', 'bytes')}{used}"


def _log(body: Json) -> str:
    words = ["log"]
    for key, value in (body or {}).items():
        if key == "flags":
            words += [f"flags {flag}" for flag in _many(value)]
        else:
            words.append(f'{key} "{value}"' if key == "prefix" else f"{key} {value}")
    return " ".join(words)


def _reject(body: Json) -> str:
    if not body:
        return "reject"
    if body["type"] == "tcp reset":
        return "reject with tcp reset"
    return f"reject with {body['type']} {expression(body['expr'])}" if "expr" in body else f"reject with {body['type']}"


def _nat(kind: str) -> Callable[[Json], str]:
    def words(body: Json) -> str:
        body = body or {}
        family = f" {body['family']}" if "family" in body else ""
        address = expression(body["addr"]) if "addr" in body else ""
        ports = f":{expression(body['port'])}" if "port" in body else ""
        if ports and ":" in address and address.replace(":", "").isalnum():
            address = f"[{address}]"
        flags = f" {','.join(_many(body['flags']))}" if "flags" in body else ""
        return f"{kind}{family}{' to ' if address or ports else ''}{address}{ports}{flags}"

    return words


def _queue(body: Json) -> str:
    body = body or {}
    flags = f" flags {','.join(_many(body['flags']))}" if "flags" in body else ""
    return f"queue{flags}{' to ' + expression(body['num']) if 'num' in body else ''}"


def _copy(body: Json) -> str:
    return f"dup to {expression(body['addr'])}" + (f" device {_quoted(body['dev'])}" if "dev" in body else "")


def _setting(body: Json) -> str:
    """set: { op, elem, set }; map: { op, elem, data, map }"""
    more = " ".join(statement(each) for each in body.get("stmt", []))
    data = f" : {expression(body['data'])}" if "data" in body else ""
    name = body.get("set") or body.get("map")
    return f"{body['op']} {name} {{ {_element(body['elem'])} {more}{data} }}"


def _meter(body: Json) -> str:
    size = f" size {body['size']}" if "size" in body else ""
    return f"meter {body['name']}{size} {{ {_element(body['key'])} {statement(body['stmt'])} }}"


def _object(kind: str) -> Callable[[Json], str]:
    return lambda body: f"{kind} set {_quoted(body)}"


_STATEMENTS: dict[str, Callable[[Json], str]] = {
    "match": _match, "vmap": lambda body: f"{expression(body['key'])} vmap {expression(body['data'])}",
    "mangle": lambda body: f"{expression(body['key'])} set {expression(body['value'])}", "counter": _counter,
    "limit": lambda body: f"limit {_rate(body)}" if isinstance(body, dict) and "rate" in body else f"limit name {_quoted(body)}",
    "quota": _quota_words, "log": _log, "reject": _reject, "notrack": lambda body: "notrack",
    **{kind: _nat(kind) for kind in ("snat", "dnat", "masquerade", "redirect", "tproxy")},
    "queue": _queue, "dup": _copy,
    "set": _setting, "map": _setting, "meter": _meter, "ct helper": _object("ct helper"), "ct timeout": _object("ct timeout"),
    "ct expectation": _object("ct expectation"),
    "ct count": lambda body: f"ct count {'over ' if body.get('inv') else ''}{body['val']}",
    "flow": lambda body: f"flow add {body['flowtable']}", "reset": lambda body: f"reset {expression(body)}",
}  # fmt: skip


# ---- expressions -----------------------------------------------------------------------------------------------------


def _many(value: Json) -> list[Json]:
    if isinstance(value, dict) and "set" in value:
        return _many(value["set"])
    return value if isinstance(value, list) else [value]


def _element(entry: Json) -> str:
    if isinstance(entry, list):
        return f"{_element(entry[0])} : {expression(entry[1])}"
    if isinstance(entry, dict) and "elem" in entry:
        body = entry["elem"]
        more = [f"{key} {_seconds(body[key])}" for key in ("timeout", "expires") if key in body]
        more += [f'comment "{body["comment"]}"'] if "comment" in body else []
        kept = [statement({key: body[key]}) for key in ("counter", "limit", "quota") if key in body]
        return " ".join([expression(body["val"]), *kept, *more])
    return expression(entry)


def expression(entry: Json) -> str:
    """Any expression in nft's words."""
    if isinstance(entry, bool):
        return "exists" if entry else "missing"
    if isinstance(entry, int):
        return str(entry)
    if isinstance(entry, str):
        return _word(entry)
    if isinstance(entry, list):
        return ",".join(expression(each) for each in entry)
    if not isinstance(entry, dict) or len(entry) != 1:
        raise WrongJson("Invalid expression: '" + json.dumps(entry) + "'.")
    (kind, body), = entry.items()
    if kind in _OPERATORS:
        return _binary(kind, body)
    if kind in _VERDICTS:
        return str(kind)
    if kind not in _EXPRESSIONS:
        raise WrongJson(f"Unknown expression type '{kind}'.")
    return _EXPRESSIONS[kind](body)


def _word(text: str) -> str:
    """A text as a word; in quotes where it could not stand alone."""
    if text.startswith("@") or text == "*":
        return text
    plain = text.replace("_", "").replace("-", "").replace(".", "").replace(":", "").replace("/", "").isalnum()
    return text if (plain and not text[:1].isdecimal()) or _is_address(text) else f'"{text}"'


def _is_address(text: str) -> bool:
    """An address, or a TC class, which has one colon and is no time of day."""
    if not all(sign in "0123456789abcdefABCDEF.:" for sign in text):
        return False
    colons = text.count(":")
    return "." in text or colons > 1 or (colons == 1 and not re.fullmatch(r"\d{2}:\d{2}", text))


def _binary(op: str, body: list[Json]) -> str:
    right = [expression(each).replace(",", " | ") for each in body[1:]]
    left = expression(body[0])
    parts = [f"({part})" if " | " in part else part for part in right]
    return f" {op} ".join([left, *parts])


def _payload(body: dict[str, Json]) -> str:
    if "base" in body:
        return f"@{body['base']},{body['offset']},{body['len']}"
    return f"{body['protocol']} {body['field']}"


def _named(word: str) -> Callable[[dict[str, Json]], str]:
    def words(body: dict[str, Json]) -> str:
        if "base" in body:
            bare = (body["offset"], body["len"]) == (0, 8)
            return f"{word} {body['base']}" if bare else f"{word} @{body['base']},{body['offset']},{body['len']}"
        return " ".join([word, str(body["name"]), str(body.get("field", ""))]).rstrip()

    return words


def _ct(body: dict[str, Json]) -> str:
    return " ".join(["ct", *([body["dir"]] if "dir" in body else []), body["key"]])


def _exthdr(body: dict[str, Json]) -> str:
    return f"{body['name']} {body['field']}" if "field" in body else f"exthdr {body['name']}"


def _numgen(body: dict[str, Json]) -> str:
    return f"numgen {body['mode']} mod {body['mod']}" + (f" offset {body['offset']}" if body.get("offset") else "")


def _hash(kind: str) -> Callable[[dict[str, Json]], str]:
    def words(body: dict[str, Json]) -> str:
        of = f" {expression(body['expr'])}" if "expr" in body else ""
        seed = f" seed {body['seed']}" if "seed" in body else ""
        offset = f" offset {body['offset']}" if body.get("offset") else ""
        return f"{kind}{of} mod {body['mod']}{seed}{offset}"

    return words


def _fib(body: dict[str, Json]) -> str:
    return f"fib {' . '.join(_many(body['flags']))} {body['result']}"


_EXPRESSIONS: dict[str, Callable[[Json], str]] = {
    "payload": _payload, "meta": lambda body: f"meta {body['key']}", "ct": _ct, "exthdr": _exthdr, "fib": _fib, "numgen": _numgen,
    "jhash": _hash("jhash"), "symhash": _hash("symhash"), "socket": lambda body: f"socket {body['key']}",
    "tcp option": _named("tcp option"), "ip option": _named("ip option"),
    "sctp chunk": _named("sctp chunk"), "rt": lambda body: f"rt {body['family'] + ' ' if 'family' in body else ''}{body['key']}",
    "prefix": lambda body: f"{expression(body['addr'])}/{body['len']}", "range": lambda body: "-".join(expression(each) for each in body),
    "concat": lambda body: " . ".join(expression(each) for each in body), "elem": lambda body: _element({"elem": body}),
    "set": lambda body: "{ " + ", ".join(_element(each) for each in _many(body)) + " }",
    "map": lambda body: f"{expression(body['key'])} map {expression(body['data'])}",
    "jump": lambda body: f"jump {body['target']}", "goto": lambda body: f"goto {body['target']}",
}  # fmt: skip
