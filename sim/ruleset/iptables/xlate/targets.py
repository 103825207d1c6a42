"""What iptables-translate(8) 1.8.9 says of each target, from its saved options."""

from __future__ import annotations

from sim.ruleset.iptables.xlate.words import ALL_BITS, Options, Words


def _reject(options: Options, family: str) -> str:
    kind = options["reject-with"].value
    if kind in ("icmp-port-unreachable", "icmp6-port-unreachable"):
        return "reject"
    if kind == "tcp-reset":
        return "reject with tcp reset"
    name = kind.removeprefix("icmp6-").removeprefix("icmp-").replace("adm-prohibited", "admin-prohibited").replace("proto-", "prot-")
    return f"reject with {'icmp' if family == 'ip' else 'icmpv6'} type {name.replace('addr-unreachable', 'addr-unreachable')}"


_LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
_LOG_FLAGS = {"log-tcp-sequence": "sequence", "log-tcp-options": "options", "log-ip-options": "ip options", "log-uid": "skuid",
              "log-macdecode": "ether"}  # fmt: skip


def _log(options: Options, family: str) -> str:
    words = ["log"]
    if "log-prefix" in options:
        words.append(f'prefix "{_bare(options["log-prefix"].value)}"')
    if "log-level" in options:
        words.append(f"level {_LEVELS[int(options['log-level'].value)]}")
    flags = [name for name in _LOG_FLAGS if name in options]
    if len(flags) == len(_LOG_FLAGS):
        return " ".join([*words, "flags all"])
    tcp = ",".join(_LOG_FLAGS[name] for name in flags[:2] if name.startswith("log-tcp"))
    words += [f"flags tcp {tcp}"] if tcp else []
    return " ".join([*words, *(f"flags {_LOG_FLAGS[name]}" for name in flags if not name.startswith("log-tcp"))])


def _bare(text: str) -> str:
    return text[1:-1] if text.startswith('"') else text


def _nflog(options: Options, family: str) -> str:
    words = ["log"]
    words += [f'prefix "{_bare(options["nflog-prefix"].value)}"'] if "nflog-prefix" in options else []
    words += [f"snaplen {options['nflog-size'].value}"] if "nflog-size" in options else []
    words += [f"queue-threshold {options['nflog-threshold'].value}"] if "nflog-threshold" in options else []
    return " ".join([*words, f"group {options['nflog-group'].value if 'nflog-group' in options else 0}"])


def _mark(options: Options, family: str) -> str:
    value, mask = (int(text, 16) for text in options["set-xmark"].value.split("/"))
    return _marking("meta mark set", "mark", value, mask, f"mark and {mask ^ ALL_BITS:#x} xor {value:#x}") + " "


def _marking(head: str, selector: str, value: int, mask: int, mixed: str) -> str:
    if mask == ALL_BITS:
        return f"{head} {value:#x}"
    if not value:
        return f"{head} {selector} and {mask ^ ALL_BITS:#x}"
    if value == mask:
        return f"{head} {selector} or {value:#x}"
    return f"{head} {selector} xor {value:#x}" if not mask else f"{head} {mixed}"


def _connmark(options: Options, family: str) -> str | None:
    shift = next(((op, options[name].value) for name, op in _SHIFTS.items() if name in options), None)
    opening, closing = ("( ", f" ) {shift[0]} {shift[1]}") if shift else ("", "")
    if "set-xmark" in options:
        value, mask = (int(text, 16) for text in options["set-xmark"].value.split("/"))
        blank = " " if mask == ALL_BITS else ""
        mixed = f"ct mark xor {value:#x} and {mask ^ ALL_BITS:#x}"
        return _marking(f"ct mark set {opening}".rstrip(), "ct mark", value, mask, mixed) + blank + closing
    nfmask, ctmask = (int(options[name].value, 16) for name in ("nfmask", "ctmask"))
    if nfmask != ctmask:
        return None
    text = f"ct mark set {opening}mark" if "save-mark" in options else f"meta mark set {opening}ct mark"
    return text + (f" and {nfmask:#x}" if nfmask != ALL_BITS else "") + closing


_SHIFTS = {"left-shift-mark": "<<", "right-shift-mark": ">>"}
_NAT_FLAGS = {"random": "random", "random-fully": "fully-random", "persistent": "persistent"}


def _nat(kind: str, to: str) -> Words:
    def words(options: Options, family: str) -> str | None:
        where = options[to].value if to in options else ""
        if "/" in where:
            return None
        where = f":{where}" if where and to == "to-ports" else where
        flags = ",".join(said for name, said in _NAT_FLAGS.items() if name in options)
        return " ".join([kind, *([f"to {where}"] if where else []), *([flags] if flags else [])])

    return words


def _mss(options: Options, family: str) -> str:
    return f"tcp option maxseg size set {options['set-mss'].value if 'set-mss' in options else 'rt mtu'}"


def _queue(options: Options, family: str) -> str:
    """A blank less than the real one before the flags, and none behind."""
    numbers = options["queue-num"] if "queue-num" in options else options["queue-balance"]
    flags = ",".join(word for name, word in (("queue-bypass", "bypass"), ("queue-cpu-fanout", "fanout")) if name in options)
    return f"queue num {numbers.value.replace(':', '-')}" + (f" {flags}" if flags else "")


_CLASSES = {"0000:0000": "none", "ffff:ffff": "root"}


def _classify(options: Options, family: str) -> str:
    handle = options["set-class"].value
    major, minor = (int(text, 16) for text in handle.split(":"))
    return f"meta priority set {_CLASSES.get(handle) or f'{major:x}:{minor:x}'}"


def _tee(options: Options, family: str) -> str:
    return f"dup to {options['gateway'].value}" + (f" device {options['oif'].value}" if "oif" in options else "")


def _tos(options: Options, family: str) -> str:
    """Always of ip6: revision 1 is of both families, and the translator has but one wording for it."""
    value, mask = (int(text, 16) for text in options["set-tos"].value.split("/"))
    keep, bits = f"0x{(mask ^ 0xFF) >> 2:02x}", f"0x{value >> 2:02x}"
    if mask & 0x3F == 0x3F:
        return f"ip6 dscp set {bits}"
    if not value:
        return f"ip6 dscp set ip6 dscp and {keep}"
    if value == mask:
        return f"ip6 dscp set ip6 dscp or {bits}"
    return f"ip6 dscp set ip6 dscp xor {bits}" if not mask else f"ip6 dscp set ip6 dscp and {keep} xor {bits}"


TARGETS: dict[str, Words] = {
    "REJECT": _reject, "LOG": _log, "NFLOG": _nflog, "MARK": _mark, "CONNMARK": _connmark, "TCPMSS": _mss, "CLASSIFY": _classify,
    "CT": lambda options, family: "notrack" if "notrack" in options else None, "NOTRACK": lambda options, family: "notrack",
    "SNAT": _nat("snat", "to-source"), "DNAT": _nat("dnat", "to-destination"), "MASQUERADE": _nat("masquerade", "to-ports"),
    "REDIRECT": _nat("redirect", "to-ports"), "DSCP": lambda options, family: f"{family} dscp set {options['set-dscp'].value}",
    "TRACE": lambda options, family: "nftrace set 1", "TEE": _tee, "TOS": _tos,
    "NFQUEUE": _queue, "AUDIT": lambda options, family: "log level audit",
}  # fmt: skip
