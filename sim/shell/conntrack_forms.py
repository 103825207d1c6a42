"""An entry as `conntrack -o xml` and `conntrack -o save` write it (libnetfilter_conntrack 1.0.9), from its view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

View = Mapping[str, Any]


def xml(view: View, now: int, id: int) -> str:
    """One <flow> element."""
    parts = ["<flow>", _meta(view, "original"), _meta(view, "reply"), '<meta direction="independent">']
    if view["state"]:
        parts.append(f"<state>{view['state']}</state>")
    seconds = max(0, view["expires"] - now) // 1_000_000
    parts.append(f"<timeout>{seconds}</timeout><mark>{view['mark']}</mark><use>1</use><id>{id}</id>")
    parts += ["<assured/>"] * bool(view["assured"]) + ["<unreplied/>"] * bool(view["unreplied"])
    return "".join([*parts, "</meta></flow>"])


def _meta(view: View, direction: str) -> str:
    ends = view[direction]
    number, family = (2, "ipv4") if view["family"] == "ipv4" else (10, "ipv6")
    ports = f"<sport>{ends['sport']}</sport><dport>{ends['dport']}</dport>" if "sport" in ends else ""
    layer3 = (
        f'<layer3 protonum="{number}" protoname="{family}"><src>{ends["src"]}</src><dst>{ends["dst"]}</dst></layer3>'
    )
    layer4 = f'<layer4 protonum="{view["protonum"]}" protoname="{view["protocol"]}">{ports}</layer4>'
    return f'<meta direction="{direction}">{layer3}{layer4}</meta>'


def save(view: View, now: int, id: int) -> str:
    """The options that would make this entry again."""
    original, reply = view["original"], view["reply"]
    words = ["-A", "-t", str(max(0, view["expires"] - now) // 1_000_000), "-u", _status(view)]
    words += [
        "-s",
        original["src"],
        "-d",
        original["dst"],
        "-r",
        reply["src"],
        "-q",
        reply["dst"],
        "-p",
        view["protocol"],
    ]
    if "sport" in original:
        words += ["--sport", original["sport"], "--dport", original["dport"]]
        words += ["--reply-port-src", reply["sport"], "--reply-port-dst", reply["dport"]]
    elif "type" in original:
        prefix = "--icmpv6" if view["protonum"] == 58 else "--icmp"
        for name in ("type", "code", "id"):
            words += [f"{prefix}-{name}", original[name]]
    if view["state"]:
        words += ["--state", view["state"]]
    return " ".join(str(word) for word in words)


def _status(view: View) -> str:
    words = ["SEEN_REPLY"] * (not view["unreplied"]) + ["ASSURED"] * bool(view["assured"])
    return ",".join(words) or "UNSET"


FORMS: dict[str, Callable[[View, int, int], str]] = {"xml": xml, "save": save}
