"""nft's `ct helper` objects: from their block to the model, what the kernel refuses of them, and how they are listed."""

from __future__ import annotations

from sim.conntrack import helpers
from sim.ruleset.helping import CtHelper
from sim.ruleset.nft.draft import ENOENT, process
from sim.ruleset.nft.printing import Style
from sim.ruleset.nft.scanner import At, NotSimulated
from sim.ruleset.nft.syntax import CtHelperOf

PROTOCOLS = {"tcp": 6, "udp": 17}
_WORDS = {number: word for word, number in PROTOCOLS.items()}


def helper_of(name: str, body: CtHelperOf, family: str, at: At) -> CtHelper:
    """The object that a block describes, in a table of `family`. Raises Mistake as the kernel refuses it, and NotSimulated."""
    if body.type is None:
        process(at, "Numerical result out of range")
    wanted, protonum = body.family or family, PROTOCOLS[body.protocol]
    if "inet" not in (family, wanted) and wanted != family:
        process(at, "Invalid argument")
    if helpers.is_elsewhere(body.type.value, protonum):
        raise NotSimulated(body.type.value, body.type.at)
    families = ("ip", "ip6") if wanted == "inet" else (wanted,)
    found = [each for each in families if helpers.find(body.type.value, each, protonum)]
    if not found:
        process(at, ENOENT)
    return CtHelper(name, body.type.value, protonum, found[0] if len(found) == 1 else "inet", comment=body.comment)


def listing(found: CtHelper, style: Style) -> list[str]:
    """The lines of `ct helper name { ... }`, indented for a table's block."""
    handle = f" # handle {found.handle}" if style.handles else ""
    comment = [f'\t\tcomment "{found.comment}"'] if found.comment else []
    kind = f'\t\ttype "{found.helper}" protocol {_WORDS[found.protonum]}'
    return [f"\tct helper {found.name} {{{handle}", *comment, kind, f"\t\tl3proto {found.family}", "\t}"]
