"""What tcpdump tells of a payload: DNS wholly, the first line of HTTP, FTP, SMTP and SIP. Told apart by port, as tcpdump does."""

from __future__ import annotations

from sim.apps.dns_wire import decode
from sim.packet import Packet

_TCP = {21: "FTP", 22: "SSH", 25: "SMTP", 80: "HTTP", 8080: "HTTP", 3128: "HTTP", 587: "SMTP"}
_STATUS = (
    "", " FormErr", " ServFail", " NXDomain", " NotImp", " Refused", " YXDomain", " YXRRSet", " NXRRSet", " NotAuth", " NotZone",
    " Resp11", " Resp12", " Resp13", " Resp14", " Resp15",
)  # fmt: skip
_VERBS = ("GET", "PUT", "POST", "HEAD", "DELETE", "OPTIONS", "PROPFIND", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "PATCH")
_OPERATIONS = ("", " inv_q", " stat", " op3", " notify", " update", *(f" op{number}" for number in range(6, 16)))


def application(packet: Packet, payload: bytes, verbose: bool = False) -> str:
    """What follows the transport's part of the line; "" when nothing does."""
    ports = (packet.sport, packet.dport)
    if packet.protonum == 17 and (53 in ports or 5353 in ports):
        return _dns(payload, verbose)
    if packet.protonum == 17 and packet.dport == 69:
        return _tftp(payload)
    name = "SIP" if 5060 in ports else next((_TCP[port] for port in ports if port in _TCP), "") if packet.protonum == 6 else ""
    return _lines(payload, name, verbose) if name and payload else ""


def _lines(payload: bytes, name: str, verbose: bool) -> str:
    """The first line of a text; all of them when verbose."""
    found = _text(payload) if verbose else _text(payload)[:1]
    if name == "SSH":
        return f"SSH: {found[0]}" if found and found[0].startswith("SSH-") else ""
    first = found[0].split(" ")[0] if found else ""
    if not first or (name == "HTTP" and first not in _VERBS and not first.startswith("HTTP/")):
        return name
    cut = f" [|{name.lower()}]"
    shown = [line if whole else line + cut for line, whole in zip(found, _ended(payload, len(found)), strict=True)]
    return f"{name}, length: {len(payload)}" + "".join(f"\n\t{line}" for line in shown) if verbose else f"{name}: {shown[0]}"


def _text(payload: bytes) -> list[str]:
    """The lines at the start of it that are text."""
    found = []
    for line in payload.removesuffix(b"\n").split(b"\n"):
        line = line.removesuffix(b"\r")
        if not all(32 <= byte < 127 or byte == 9 for byte in line):
            break
        found.append(line.decode("ascii"))
    return found


def _ended(payload: bytes, count: int) -> list[bool]:
    """Whether each of so many lines has its newline."""
    return [number <= payload.count(b"\n") for number in range(1, count + 1)]


def _tftp(payload: bytes) -> str:
    words = payload[2:].split(b"\0")
    name = {1: "RRQ", 2: "WRQ"}.get(int.from_bytes(payload[:2]))
    if name is None or len(words) < 3:
        return ""
    return f"TFTP, length {len(payload)}, {name} \"{words[0].decode('latin-1')}\" {words[1].decode('latin-1')}"


def _dns(payload: bytes, verbose: bool) -> str:
    if len(payload) < 12:
        return "[|domain]"
    number, flags, questions, answers, authorities, additional = (int.from_bytes(payload[at : at + 2]) for at in range(0, 12, 2))
    message = decode(payload)
    operation = _OPERATIONS[flags >> 11 & 15]
    if flags & 0x8000:
        text = f"{number}{operation}{_STATUS[flags & 15]}" + "*" * bool(flags & 0x400) + "-" * (not flags & 0x80)
        text += "|" * bool(flags & 0x200) + "$" * bool(flags & 0x20) + (f" [{questions}q]" if questions != 1 else "")
        text += f" {answers}/{authorities}/{additional}"
        if message is not None and message.answers:
            names = [f"{record.name.rstrip('.')}. " if verbose else "" for record in message.answers]
            text += " " + ", ".join(f"{name}{each.type} {each.value}" for name, each in zip(names, message.answers, strict=True))
    else:
        text = f"{number}{operation}" + "+" * bool(flags & 0x100) + "%" * bool(flags & 0x10)
        text += "".join(f" [{count}{word}]" for count, word in ((answers, "a"), (authorities, "n"), (additional, "au")) if count)
        if message is not None:
            text += f" {message.type}? {message.name.rstrip('.')}."
    return f"{text} ({len(payload)})"
