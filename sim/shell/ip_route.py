"""ip route: the rows of the routing table, printed and changed as iproute2 6.1 does. Other tables than main are refused."""

from __future__ import annotations

import ipaddress

from sim.apps.program import Context
from sim.machine.errors import SocketError
from sim.machine.routes import Kind, Route
from sim.shell.ip_words import Complaint, Options, address, device, must_be_root, prefix
from sim.units import Address, show_address

_TYPES = {"blackhole": Kind.BLACKHOLE, "unreachable": Kind.UNREACHABLE, "prohibit": Kind.PROHIBIT}


def route_line(route: Route, device: bool = True) -> str:
    """A row as `ip route` prints it, with the blank at its end; `device` False where it was asked for by its device."""
    to = "default" if route.length == 0 else show_address(route.prefix)
    if 0 < route.length < len(route.prefix) * 8:
        to += f"/{route.length}"
    kinds = {kind: word for word, kind in _TYPES.items()}
    parts = [f"{kinds[route.kind]} {to}" if route.kind in kinds else to]
    if route.via is not None:
        parts.append(f"via {show_address(route.via)}")
    parts += [f"dev {route.dev}"] if route.dev and device else []
    parts += [f"proto {route.protocol}"] if route.protocol != "boot" else []
    parts += ["scope link"] if route.family == 4 and route.scope_link and route.kind is Kind.UNICAST else []
    parts += [f"src {show_address(route.source)}"] if route.source is not None else []
    parts += [f"metric {route.metric or 1024}"] if route.metric or route.family == 16 else []
    return " ".join(parts) + (" pref medium" if route.family == 16 else " ")


def show(context: Context, options: Options, words: list[str]) -> int:
    """The rows of one family."""
    rows = context.machine.ip.routes.rows(options.family or 4)
    words = [word for word in words if word not in ("to", "exact", "root")]
    device = True
    while words:
        word = words.pop(0)
        if word == "dev" and words:
            name = words.pop(0)
            rows, device = [row for row in rows if row.dev == name], False
        elif word in ("table", "scope", "proto", "via", "match", "src", "metric", "type"):
            raise Complaint(f"ip route show {word}: right, but not simulated here", 255)
        else:
            wanted = prefix(word)
            rows = [row for row in rows if (row.prefix, row.length) == wanted]
    context.write("".join(f"{route_line(row, device)}\n" for row in rows))
    return 0


def _route_words(words: list[str], family: int) -> Route:
    """The row that `ip route add …` means. Raises Complaint."""
    words = list(words)
    kind = _TYPES[words.pop(0)] if words and words[0] in _TYPES else Kind.UNICAST
    values: dict[str, str] = {}
    to: tuple[Address, int] | None = None
    default = False
    while words:
        word = words.pop(0)
        if word in ("via", "dev", "metric", "src", "proto", "scope") and words:
            values[word] = words.pop(0)
        elif word in ("table", "mtu", "onlink", "nexthop", "tos", "advmss", "initcwnd"):
            raise Complaint(f"ip route: {word}: right, but not simulated here", 255)
        elif to is not None:
            raise Complaint(f'Error: either "to" is duplicate, or "{word}" is a garbage.', 255)
        else:
            to, default = prefix(word), word == "default"
    via, source = (address(values[name]) if name in values else None for name in ("via", "src"))
    if to is None:
        raise SocketError("ENODEV")
    if default:
        to = bytes(len(via) if via is not None else family or 4), 0
    network = ipaddress.ip_network((to[0], to[1]), strict=False).network_address.packed
    if network != to[0]:
        raise Complaint("Error: Invalid prefix for given prefix length.", 2)
    metric = int(values["metric"]) if values.get("metric", "").isdecimal() else 0
    return Route(network, to[1], values.get("dev", ""), via, metric, source, values.get("proto", "boot"), kind)


def add(context: Context, options: Options, words: list[str]) -> int:
    """Add a row."""
    route = _route_words(words, options.family)
    if route.dev:
        device(context, route.dev)
    must_be_root(context)
    try:
        context.machine.ip.routes.add(route)
    except SocketError as error:
        if route.via is not None and error.code in ("ENETUNREACH", "EHOSTUNREACH", "EINVAL"):
            raise Complaint("Error: Nexthop has invalid gateway.", 2) from error
        raise
    return 0


def delete(context: Context, options: Options, words: list[str]) -> int:
    """Take a row out."""
    route = _route_words(words, options.family)
    must_be_root(context)
    metric = route.metric if "metric" in words else None
    context.machine.ip.routes.delete(route.prefix, route.length, via=route.via, dev=route.dev, metric=metric)
    return 0


def replace(context: Context, options: Options, words: list[str]) -> int:
    """Put a row in the place of the one with the same prefix and metric."""
    route = _route_words(words, options.family)
    must_be_root(context)
    try:
        context.machine.ip.routes.delete(route.prefix, route.length, metric=route.metric)
    except SocketError as error:
        if error.code != "ESRCH":
            raise
    return add(context, options, words)


def get(context: Context, options: Options, words: list[str]) -> int:
    """Which way a packet would go."""
    if len(words) != 1:
        what = (
            "need at least a destination address"
            if not words
            else f"ip route get {words[1]}: right, but not simulated here"
        )
        raise Complaint(what)
    dst = prefix(words[0])[0]
    decision = context.machine.ip.routes.decide(dst)
    if decision.kind is None:
        raise SocketError("ENETUNREACH")
    if decision.kind in _TYPES.values():
        raise SocketError({Kind.BLACKHOLE: "EINVAL", Kind.PROHIBIT: "EACCES"}.get(decision.kind, "EHOSTUNREACH"))
    parts = [f"local {show_address(dst)}" if decision.kind is Kind.LOCAL else show_address(dst)]
    parts += [f"via {show_address(decision.via)}"] if decision.via is not None else []
    parts.append(f"dev {decision.dev}")
    parts += [f"src {show_address(decision.source)}"] if decision.source is not None else []
    context.write(
        f"{' '.join(parts)} uid {0 if context.root else 1000} \n    cache {'<local> ' if decision.kind is Kind.LOCAL else ''}\n"
    )
    return 0
