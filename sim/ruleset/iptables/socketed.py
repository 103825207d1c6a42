"""iptables' matches that ask for sockets and what they know: socket, cgroup, osf.

Sockets here are none of them transparent, have no mark, and stand in the root of cgroups; no fingerprints of operating systems are loaded.
Formats: libxt_socket.c, libxt_cgroup.c, libxt_osf.c, iptables 1.8.9.
"""

from __future__ import annotations

from sim.netfilter.words import Hook
from sim.ruleset.iptables.module import Context, Given, Module, Opt, by_name, integer, required, saved_string
from sim.ruleset.model import Extension, Option, Part
from sim.ruleset.parts import Judge

_U32 = 0xFFFFFFFF
_PATH_MOST = 511

# ---- socket ----------------------------------------------------------------------------------------------------------

_SOCKET = ("transparent", "nowildcard", "restore-skmark")


def _read_socket(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    options = [Option(name) for name in _SOCKET if name in names]
    return module.extension(options, (Judge("socket", tuple((name, name in names) for name in _SOCKET)),))


SOCKET = Module(
    "socket", tuple(Opt(name, args=0) for name in _SOCKET), _read_socket,
    lambda extension, numeric, family: " socket" + "".join(f" --{option.name}" for option in extension.options),
    hooks=frozenset((Hook.PREROUTING, Hook.INPUT)),
)  # fmt: skip

# ---- cgroup ----------------------------------------------------------------------------------------------------------


def _read_cgroup(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    options: list[Option] = []
    parts: list[Part] = []
    if "path" in names:
        path, negated = names["path"].value.encode()[:_PATH_MOST].decode(errors="ignore"), names["path"].negated
        options.append(Option("path", saved_string(path), negated))
        parts.append(Judge("cgroup", (("matches", not negated), ("said", f"{'not ' if negated else ''}in the cgroup {path or '/'}"))))
    if "cgroup" in names:
        number, negated = integer(module, names["cgroup"], 0, _U32), names["cgroup"].negated
        options.append(Option("cgroup", str(number), negated))
        parts.append(Judge("cgroup", (("matches", (number == 0) != negated), ("said", f"{'not ' if negated else ''}of class {number}"))))
    return module.extension(options, tuple(parts))


def _cgroup_fits(extension: Extension, context: Context) -> bool:
    """cgroup_mt_check_v2: one of both, and the path must be there; no machine here has more than the root of them."""
    return len(extension.options) == 1 and (extension.options[0].name != "path" or not extension.options[0].value.strip('"/'))


def _show_cgroup(extension: Extension, numeric: bool, family: str) -> str:
    option = extension.options[0]
    value = option.value[1:-1] if option.name == "path" and option.value.startswith('"') else option.value
    return f" cgroup {'! ' if option.negated else ''}{value}"


CGROUP = Module(
    "cgroup", (Opt("path", invert=True), Opt("cgroup", invert=True)), _read_cgroup, _show_cgroup,
    hooks=frozenset((Hook.INPUT, Hook.OUTPUT, Hook.POSTROUTING)), needs=_cgroup_fits,
)  # fmt: skip

# ---- osf -------------------------------------------------------------------------------------------------------------


def _read_osf(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    genre = required(module, given, "genre")
    name = genre.value.encode()[:31].decode(errors="ignore")
    options = [Option("genre", name, genre.negated)]
    options += [Option(each, str(integer(module, names[each], 0, 2))) for each in ("ttl", "log") if each in names]
    said = f"that {'do not look' if genre.negated else 'look'} like those of {name}"
    settings = (("answer", False), ("why", "no fingerprints of operating systems are loaded: nothing matches"), ("said", said))
    return module.extension(options, (Judge("fixed", settings),))


def _show_osf(extension: Extension, numeric: bool, family: str) -> str:
    option = extension.options[0]
    return f" OS fingerprint match {'! ' if option.negated else ''}{option.value}"


OSF = Module(
    "osf", (Opt("genre", invert=True), Opt("ttl"), Opt("log")), _read_osf, _show_osf, protocol=6, families=("ip",),
    hooks=frozenset((Hook.PREROUTING, Hook.INPUT, Hook.FORWARD)),
)  # fmt: skip

MODULES = (SOCKET, CGROUP, OSF)
