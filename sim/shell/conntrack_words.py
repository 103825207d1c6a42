"""The words of conntrack's command line: commands, options, what goes with what, and the options of protocols. Tables alone.

As conntrack-tools 1.4.7: which option a command takes was asked of the tool itself, every command with every option.
"""

from __future__ import annotations

from typing import Final, NamedTuple

TOOL: Final = "conntrack v1.4.7 (conntrack-tools)"
TRY: Final = "Try `conntrack -h' or 'conntrack --help' for more information."
COMMANDS: Final = {
    "L": "dump", "I": "create", "A": "add", "D": "delete", "U": "update", "G": "get", "F": "flush", "E": "event", "C": "counter",
    "S": "stats", "V": "version", "h": "help",
}  # fmt: skip
ATTACHED: Final = "LIUDGEFCA"
"""Commands whose letter takes what is attached to it, to no effect: -Lp is -L."""
TABLES: Final = ("expect", "conntrack", "dying", "unconfirmed")
# key -> (long names: complaints use the first; 0 no value, 1 a value, 2 perhaps a value). In the tool's own order.
OPTIONS: Final[dict[str, tuple[tuple[str, ...], int]]] = {
    "s": (("src", "orig-src"), 1), "d": (("dst", "orig-dst"), 1), "r": (("reply-src",), 1), "q": (("reply-dst",), 1),
    "p": (("protonum",), 1), "t": (("timeout",), 1), "u": (("status",), 1), "z": (("zero",), 0), "e": (("event-mask",), 1),
    "[": (("tuple-src",), 1), "]": (("tuple-dst",), 1), "{": (("mask-src",), 1), "}": (("mask-dst",), 1), "a": (("nat-range",), 1),
    "m": (("mark",), 1), "i": (("id",), 1), "f": (("family",), 1), "n": (("src-nat",), 2), "g": (("dst-nat",), 2), "o": (("output",), 1),
    "c": (("secmark",), 1), "b": (("buffer-size",), 1), "j": (("any-nat",), 2), "w": (("zone",), 1), "l": (("label",), 1),
    "<": (("label-add",), 1), ">": (("label-del",), 2), "(": (("orig-zone",), 1), ")": (("reply-zone",), 1),
}  # fmt: skip
SHORT: Final = frozenset("sdrqptuzeamifngocbjwl")
# For each command, and each option in that order: 0 illegal, 1 needed, 2 allowed, 3 allowed, but see PAIRS.
_NOTHING = "0" * 29
LEGAL: Final = {
    "L": "22222022000220202222202220022", "I": "33331120000002200220000202022", "A": "33331120000002200220000202022",
    "U": "22222220000220222222000022200", "D": "22222220000220222222000220022", "G": "33331000000000020002000020000",
    "F": "00000000000000002000000000000", "E": "22222000200220202222222220022", "h": "00002000000000000000000000000",
    "V": _NOTHING, "C": _NOTHING, "S": _NOTHING,
}  # fmt: skip
BARE: Final = _NOTHING[:-1] + "2"
"""Without a command: the table of the tool forgets --reply-zone."""
LEGAL_EXPECT: Final = {
    "L": "00000000000000002002000000000", "I": "11221120011110000000000000000", "D": "11221000000000000000000000000",
    "G": "11221000000000000000000000000", "E": "00000000000000000002000000000", "h": "00002000000000000000000000000",
    "F": _NOTHING, "V": _NOTHING, "C": _NOTHING, "S": _NOTHING,
}  # fmt: skip
STATUS: Final = {
    "ASSURED": 4, "SEEN_REPLY": 2, "UNSET": 0, "FIXED_TIMEOUT": 1024, "EXPECTED": 1, "OFFLOAD": 1 << 14, "HW_OFFLOAD": 1 << 15,
}  # fmt: skip
EVENTS: Final = {"ALL": 7, "NEW": 1, "UPDATES": 2, "DESTROY": 4}
OUTPUTS: Final = {
    "xml": 1, "extended": 2, "timestamp": 4, "id": 8, "ktimestamp": 16, "labels": 32, "userspace": 0, "save": 64,
}  # fmt: skip
TCP_STATES: Final = (
    "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2",
)  # fmt: skip
SCTP_STATES: Final = (
    "NONE", "CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED", "SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT",
)  # fmt: skip
DCCP_STATES: Final = (
    "NONE", "REQUEST", "RESPOND", "PARTOPEN", "OPEN", "CLOSEREQ", "CLOSING", "TIMEWAIT", "IGNORE", "INVALID",
)  # fmt: skip


class Kind(NamedTuple):
    """What a protocol adds. `options`: the first name is for complaints, the others are aliases; `legal` as above, by command;
    `pairs`: what to say when one of a pair is missing, of the original and of the reply; `help`: the words of -h -p.
    """

    name: str
    options: tuple[tuple[str, ...], ...]
    legal: dict[str, str]
    pairs: tuple[str, str] = ("", "")
    help: tuple[tuple[str, str], ...] = ()


def _both(one: str, other: str) -> str:
    return f"you have to specify `--{one}' and `--{other}'"


_PORTS = (
    ("sport", "orig-port-src"), ("dport", "orig-port-dst"), ("reply-port-src",), ("reply-port-dst",),
    ("mask-port-src",), ("mask-port-dst",),
)  # fmt: skip
_TUPLE = (("tuple-port-src",), ("tuple-port-dst",))
_KEYS = (
    ("srckey", "orig-key-src"), ("dstkey", "orig-key-dst"), ("reply-key-src",), ("reply-key-dst",), ("mask-key-src",), ("mask-key-dst",),
    ("tuple-key-src",), ("tuple-key-dst",),
)  # fmt: skip
_PAIRS = (_both("sport", "dport"), _both("reply-src-port", "reply-dst-port"))
_PORT_HELP = (
    ("orig-port-src", "\t\toriginal source port"), ("orig-port-dst", "\t\toriginal destination port"),
    ("reply-port-src", "\t\treply source port"), ("reply-port-dst", "\t\treply destination port"),
    ("mask-port-src", "\t\tmask source port"), ("mask-port-dst", "\t\tmask destination port"),
    ("tuple-port-src", "\t\texpectation tuple src port"), ("tuple-port-src", "\t\texpectation tuple dst port"),
)  # fmt: skip
_KEY_HELP = tuple((name.replace("port", "key"), text.replace("port", "key")) for name, text in _PORT_HELP)


def _legal(listed: str, made: str, changed: str, got: str, expected: str, named: str) -> dict[str, str]:
    """By command; for those of expectations behind an x."""
    nothing = "0" * len(listed)
    return {
        "L": listed, "E": listed, "D": listed, "I": made, "A": made, "U": changed, "G": got, "xI": expected, "xD": named, "xG": named,
        **dict.fromkeys(("F", "V", "h", "C", "S", "xL", "xF", "xE", "xV", "xh", "xC", "xS"), nothing),
    }  # fmt: skip


_UDP = _legal("22220000", "33330000", "22220000", "33330000", "11001111", "11110000")
_TCP = _legal("222200200", "333300100", "222200200", "333300200", "110011011", "111100000")
_SCTP = _legal("22220020000", "33330010011", "22220020022", "33330020022", "11001101111", "11110000000")
_DCCP = _legal("2222002000", "3333001001", "2222002000", "3333002000", "1100110111", "1111000000")
_GRE = _legal("22220000", "33330000", "22220000", "33330000", "11111111", "11110000")
_ECHO = _legal("222", "112", "222", "112", "000", "000")


def _icmp(name: str) -> Kind:
    options = tuple((f"{name}-{word}",) for word in ("type", "code", "id"))
    return Kind(name, options, _ECHO, help=tuple((f"{name}-{word}", f"\t\t\t{name} {word}") for word in ("type", "code", "id")))


KINDS: Final = {
    6: Kind("tcp", (*_PORTS, ("state",), *_TUPLE), _TCP, _PAIRS, (*_PORT_HELP, ("state", "\t\t\tTCP state, fe. ESTABLISHED"))),
    17: Kind("udp", (*_PORTS, *_TUPLE), _UDP, _PAIRS, _PORT_HELP),
    136: Kind("udplite", (*_PORTS, *_TUPLE), _UDP, _PAIRS, _PORT_HELP),
    132: Kind("sctp", (*_PORTS, ("state",), *_TUPLE, ("orig-vtag",), ("reply-vtag",)), _SCTP, _PAIRS, (
        *_PORT_HELP, ("state", "\t\t\tSCTP state, fe. ESTABLISHED"), ("orig-vtag", "\t\toriginal verification tag"),
        ("reply-vtag", "\t\treply verification tag"))),
    33: Kind("dccp", (*_PORTS, ("state",), *_TUPLE, ("role",)), _DCCP, (_PAIRS[0], _both("reply-port-src", "report-port-dst")), (
        *_PORT_HELP, ("state", "\t\t\tDCCP state, fe. RESPOND"))),
    1: _icmp("icmp"), 58: _icmp("icmpv6"),
    47: Kind("gre", _KEYS, _GRE, (_both("srckey", "dstkey"), _both("reply-src-key", "reply-dst-key")), _KEY_HELP),
}  # fmt: skip
CLOSING: Final = {
    "L": "flow entries have been shown.", "I": "flow entries have been created.", "A": "flow entries have been added.",
    "U": "flow entries have been updated.", "D": "flow entries have been deleted.", "G": "flow entries have been shown.",
    "E": "flow events have been shown.", "xL": "expectations have been shown.", "xD": "expectations have been shown.",
}  # fmt: skip
ERRORS: Final = {
    "EINVAL": "Invalid argument", "ENOENT": "No such file or directory", "EEXIST": "File exists", "EBUSY": "Device or resource busy",
    "EOPNOTSUPP": "Operation not supported", "EPERM": "sorry, you must be root or get CAP_NET_ADMIN capability to do this",
    "ENOSPC": "No space left on device", "ETIME": "Timer expired", "EMFILE": "Too many open files", "ENOMEM": "Cannot allocate memory",
    "EALREADY": "Operation already in progress",
}  # fmt: skip
BETTER: Final = {
    ("I", "EEXIST"): "Such conntrack exists, try -U to update", ("I", "ENOENT"): "such conntrack doesn't exist",
    ("G", "ENOENT"): "such conntrack doesn't exist", ("D", "ENOENT"): "such conntrack doesn't exist",
    ("I", "EINVAL"): "invalid parameters", ("L", "EINVAL"): "invalid parameters", ("G", "EINVAL"): "invalid parameters",
    ("D", "EINVAL"): "invalid parameters", ("U", "EINVAL"): "invalid parameters", ("xI", "ENOENT"): "master conntrack not found",
    ("xI", "EINVAL"): "invalid parameters",
}  # fmt: skip
"""What the tool says instead (err2str)."""
