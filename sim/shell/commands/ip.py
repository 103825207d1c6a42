"""ip: addresses, routes and links, printed and changed as iproute2 6.1 does.

    ip [-4|-6] [-br] [-o] addr|link|route [show [dev DEV]] · ip addr add|del PREFIX dev DEV · ip link set DEV up|down|mtu N
    ip route add|del|replace PREFIX [via ADDRESS] [dev DEV] [metric N] [src ADDRESS] · ip route get ADDRESS

Objects and words may be cut short. Devices here have no link-layer header: link/none, NOARP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sim.apps.program import Context, Steps
from sim.machine.errors import SocketError
from sim.machine.interfaces import Interface
from sim.shell import ip_route
from sim.shell.ip_words import Complaint, Options, device, must_be_root, prefix, shown_devices
from sim.shell.registry import Command
from sim.units import Address, parse_address, show_address

if TYPE_CHECKING:
    from sim.machine.machine import Machine

USAGE = "ip [-4|-6] [-br] addr|link|route [show|add|del|get …]"
OBJECTS = ("address", "link", "route", "neighbour", "rule", "netns", "maddress", "monitor", "tunnel")
SIMULATED = ("address", "link", "route")
_NAMES = {"addr": "address", "neigh": "neighbour", "neighbor": "neighbour"}
_OPTIONS = {
    "-4": "4",
    "-6": "6",
    "-br": "brief",
    "-brief": "brief",
    "-o": "oneline",
    "-oneline": "oneline",
    "-c": "",
    "-color": "",
    "-N": "",
}
_VERBS = ("show", "list", "lst", "add", "delete", "get", "replace", "change", "append", "flush", "set", "help", "save")


def ip(context: Context) -> Steps:
    """The program."""
    yield from ()
    words = context.argv[1:]
    flags: set[str] = set()
    while words and words[0].startswith("-"):
        if words[0] not in _OPTIONS:
            return context.failed(f'Option "{words[0]}" is unknown, try "ip -help".', 255)
        flags.add(_OPTIONS[words.pop(0)])
    if not words:
        return context.failed(f"Usage: {USAGE}", 255)
    options = Options(16 if "6" in flags else 4 if "4" in flags else 0, "brief" in flags, "oneline" in flags)
    try:
        return _object(context, options, words)
    except Complaint as error:
        return context.failed(str(error), error.status)
    except SocketError as error:
        return context.failed(f"RTNETLINK answers: {error.strerror}", 2)


def _object(context: Context, options: Options, words: list[str]) -> int:
    name = next((full for full in OBJECTS if full.startswith(words[0])), _NAMES.get(words[0], ""))
    if not name:
        raise Complaint(f'Object "{words[0]}" is unknown, try "ip help".')
    verb = next(
        (full for full in _VERBS if len(words) > 1 and full.startswith(words[1])), "" if len(words) > 1 else "show"
    )
    if name not in SIMULATED:
        raise Complaint(f"ip {name}: right, but not simulated here", 255)
    action = _ACTIONS.get((name, "show" if verb in ("list", "lst") else verb))
    if action is None and verb:
        raise Complaint(f"ip {name} {verb}: right, but not simulated here", 255)
    if action is None and words[1] in context.machine.ip.interfaces and name != "route":
        action, words = _ACTIONS[name, "show"], [words[0], "show", *words[1:]]
    if action is None:
        raise Complaint(f'Command "{words[1]}" is unknown, try "ip {name} help".', 255)
    return action(context, options, words[2:])


# ---- ip link, ip addr ---------------------------------------------------------------------------------------------


def _flags(interface: Interface) -> str:
    kinds = ["LOOPBACK"] if interface.loopback else ["BROADCAST", "MULTICAST", "NOARP"]
    return ",".join(kinds + ["UP", "LOWER_UP"] * interface.up)


def _state(interface: Interface) -> str:
    return "UNKNOWN" if interface.loopback else "UP" if interface.up else "DOWN"


def _link_lines(interface: Interface, mode: str) -> list[str]:
    loopback = interface.loopback
    head = f"{interface.index}: {interface.name}: <{_flags(interface)}> mtu {interface.mtu} qdisc noqueue "
    return [
        f"{head}state {_state(interface)} {mode}group default qlen 1000",
        f"    link/{'loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00' if loopback else 'none '}",
    ]


def _put(context: Context, options: Options, lines: list[str]) -> None:
    context.write(("\\".join(lines) if options.oneline else "\n".join(lines)) + "\n")


def _link_show(context: Context, options: Options, words: list[str]) -> int:
    for interface in shown_devices(context, words):
        if options.brief:
            context.write(
                f"{interface.name:<16} {_state(interface):<14} {'00:00:00:00:00:00 ' if interface.loopback else ''}<{_flags(interface)}> \n"
            )
        else:
            _put(context, options, _link_lines(interface, "mode DEFAULT "))
    return 0


def _link_set(context: Context, options: Options, words: list[str]) -> int:
    words = [word for word in words if word != "dev"]
    if not words:
        raise Complaint('Not enough information: "dev" argument is required.', 255)
    interface = device(context, words.pop(0))
    must_be_root(context)
    while words:
        word = words.pop(0)
        if word in ("up", "down"):
            interface.up = word == "up"
        elif word == "mtu" and words:
            interface.mtu = _mtu(words.pop(0))
        elif word in ("address", "name", "txqueuelen", "promisc", "arp", "multicast", "master", "nomaster", "alias"):
            raise Complaint(f"ip link set {word}: right, but not simulated here", 255)
        else:
            raise Complaint(f'Error: either "dev" is duplicate, or "{word}" is a garbage.', 255)
    context.machine.ip.addresses_changed()
    return 0


def _mtu(text: str) -> int:
    if not text.isdecimal():
        raise Complaint(f'Error: argument "{text}" is wrong: Invalid "mtu" value\n', 255)
    if not 68 <= int(text) <= 65535:
        raise Complaint(f"Error: mtu {'less than device minimum' if int(text) < 68 else 'greater than device maximum'}.", 2)
    return int(text)


def _scope(interface: Interface, address: Address) -> str:
    if (address[0] == 127 and len(address) == 4) or address == parse_address("::1"):
        return "host"
    return "link" if len(address) == 16 and address[:2] == b"\xfe\x80" else "global"


def _addresses(interface: Interface, family: int) -> list[tuple[Address, int]]:
    chosen = [pair for pair in interface.addresses if family in (0, len(pair[0]))]
    return sorted(chosen, key=lambda pair: len(pair[0]))


def _addr_show(context: Context, options: Options, words: list[str]) -> int:
    for interface in shown_devices(context, words):
        addresses = _addresses(interface, options.family)
        if options.family and not addresses:
            continue
        if options.brief:
            shown = "".join(f"{show_address(address)}/{length} " for address, length in addresses)
            context.write(f"{interface.name:<16} {_state(interface):<14} {shown}\n")
            continue
        rows = [_address_lines(interface, address, length) for address, length in addresses]
        if options.oneline:
            for row in rows:
                _put(context, options, [f"{interface.index}: {interface.name}{row[0]}", row[1]])
            continue
        head = _link_lines(interface, "")
        _put(context, options, (head[:1] if options.family else head) + [line for row in rows for line in row])
    return 0


def _address_lines(interface: Interface, address: Address, length: int) -> list[str]:
    word, label = ("inet", interface.name) if len(address) == 4 else ("inet6", "")
    return [
        f"    {word} {show_address(address)}/{length} scope {_scope(interface, address)} {label}",
        "       valid_lft forever preferred_lft forever",
    ]


def _addr_change(context: Context, words: list[str], *, add: bool) -> int:
    if not words or "dev" not in words or words.index("dev") + 1 >= len(words):
        raise Complaint('Not enough information: "dev" argument is required.')
    at = words.index("dev")
    rest = [word for word in words[:at] + words[at + 2 :] if word not in ("brd", "broadcast", "+", "local")]
    if len(rest) != 1:
        raise Complaint(
            f'Error: either "local" is duplicate, or "{rest[-1]}" is a garbage.' if rest else "Not enough information",
            255,
        )
    pair = prefix(rest[0])
    interface = device(context, words[at + 1])
    must_be_root(context)
    name = "ipv4" if len(pair[0]) == 4 else "ipv6"
    if add and pair[0] in [address for address, _ in interface.addresses]:
        raise Complaint(f"Error: {name}: {'A' if name == 'ipv4' else 'a'}ddress already assigned.", 2)
    if not add and pair not in interface.addresses:
        raise Complaint(f"Error: {name}: {'A' if name == 'ipv4' else 'a'}ddress not found.", 2)
    if add:
        interface.addresses.append(pair)
    else:
        interface.addresses.remove(pair)
    context.machine.ip.addresses_changed()
    return 0


_ACTIONS: dict[tuple[str, str], Callable[[Context, Options, list[str]], int]] = {
    ("address", "show"): _addr_show, ("address", "add"): lambda c, o, w: _addr_change(c, w, add=True),
    ("address", "delete"): lambda c, o, w: _addr_change(c, w, add=False), ("link", "show"): _link_show, ("link", "set"): _link_set,
    ("route", "show"): ip_route.show, ("route", "add"): ip_route.add, ("route", "delete"): ip_route.delete,
    ("route", "replace"): ip_route.replace, ("route", "get"): ip_route.get,
}  # fmt: skip


def _complete(machine: Machine, before: list[str], word: str) -> list[str]:
    words = [item for item in before[1:] if not item.startswith("-")]
    if before[-1] == "dev":
        return list(machine.ip.interfaces)
    if not words:
        return ["addr", "link", "route", "-br", "-4", "-6"]
    if len(words) == 1:
        return ["show", "add", "del", "get", "replace"] if words[0].startswith("r") else ["show", "add", "del", "set"]
    return ["dev", "via", "default", "metric", "src"]


COMMANDS = [Command("ip", ip, "addresses, links, routes", USAGE, _complete)]
