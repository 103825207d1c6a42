"""hping3: TCP, UDP and ICMP packets field by field, and what comes back. Prints as hping3 3.0.0-alpha-2 does (-n is taken as given).

    hping3 [-1 | -2] [-SAFRPUXY] [-p PORT] [-s PORT] [-a ADDRESS] [-c COUNT] [-i SECONDS|uMICROSECONDS] [-M SEQ] [-L ACK]
           [-w WINDOW] [-d SIZE] [-t TTL] [-k] [-q] [-b] HOST

Its packets go out by a raw socket, so the machine's own TCP knows nothing of them and answers a SYN ACK with a reset, as on
Linux. IPv4 only. Other options are refused.
"""

from __future__ import annotations

import re
from struct import unpack_from

from sim import wire
from sim.apps.names import resolve
from sim.apps.options import Parsed, getopt
from sim.apps.ping import ERRORS
from sim.apps.program import Context, Interrupted, Steps
from sim.machine.errors import SocketError
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.units import SECOND, Address, show_address

FLAGS, VALUED = "012891nqVDzZWrfxyGkQbFSRPAUXYuTBjJhv", "ciIatNgmoHCKspwOMLdEe"
SIMULATED = "12ciaspwMLdtkqnbFSRPAUXY"
FLAG_BITS = (("R", 4), ("S", 2), ("A", 16), ("F", 1), ("P", 8), ("U", 32), ("X", 64), ("Y", 128))
LONG = {
    "--icmp": "-1", "--udp": "-2", "--count": "-c", "--interval": "-i", "--spoof": "-a", "--baseport": "-s", "--destport": "-p",
    "--win": "-w", "--setseq": "-M", "--setack": "-L", "--data": "-d", "--ttl": "-t", "--keep": "-k", "--quiet": "-q", "--numeric": "-n",
    "--fin": "-F", "--syn": "-S", "--rst": "-R", "--push": "-P", "--ack": "-A", "--urg": "-U", "--xmas": "-X", "--ymas": "-Y",
    "--badcksum": "-b",
}  # fmt: skip
_LIMITS = {"c": 1 << 31, "p": 65535, "s": 65535, "w": 65535, "M": 0xFFFFFFFF, "L": 0xFFFFFFFF, "d": 1400, "t": 255}
_ICMP_WORDS = {
    (3, 0): "Network Unreachable",
    (3, 1): "Host Unreachable",
    (3, 2): "Protocol Unreachable",
    (3, 3): "Port Unreachable",
}


def hping3(context: Context) -> Steps:
    """The program. Exit status: 0 when something came back."""
    if not context.root:
        return context.failed("[open_sockraw] socket(): Operation not permitted\n[main] can't open raw socket", 1)
    options = getopt([LONG.get(word, word) for word in context.argv], FLAGS, VALUED)
    problem, address = _problem(context, options)
    if problem or address is None:
        return context.failed(problem, 1)
    try:
        return (yield from _Hping(context, options, options.operands[0], address).run())
    except SocketError as error:
        return context.failed(f"[send_ip] sendto: {error.strerror}", 1)


def _problem(context: Context, options: Parsed) -> tuple[str, Address | None]:
    unknown = next((word for word in context.argv[1:] if word.startswith("--") and word not in LONG), None)
    if unknown:
        return f"hping3: unrecognized option `{unknown}'\nTry hping3 --help", None
    if options.problem:
        return f"hping3: {options.problem}\nTry hping3 --help", None
    refused = next((name for name, _ in options.given if name not in SIMULATED), None)
    if refused:
        return f"hping3: -{refused}: right, but not simulated here", None
    for name, limit in _LIMITS.items():
        if options.has(name) and not (options.value(name).isdecimal() and int(options.value(name)) <= limit):
            return f"hping3: -{name} takes a number from 0 to {limit}, not '{options.value(name)}'", None
    if options.has("i") and not re.fullmatch(r"u?\d{1,9}", options.value("i")):
        return "hping3: -i takes seconds (2) or microseconds (u500)", None
    if not options.operands:
        return "you must specify only one target host at a time", None
    for name in (options.operands[0], options.value("a", "0.0.0.0")):
        if resolve(context.machine, name, 4) is None:
            return f"Unable to resolve '{name}'", None
    return "", resolve(context.machine, options.operands[0], 4)


class _Hping:
    """One run: packets out, answers in, the statistic."""

    def __init__(self, context: Context, options: Parsed, name: str, dst: Address) -> None:
        self.context, self.options, self.name, self.dst = context, options, name, dst
        self.random = context.random()
        spoofed = options.value("a")
        self.src = resolve(context.machine, spoofed, 4) if spoofed else context.machine.ip.source_for(dst)
        self.port = int(options.value("s") or self.random.randrange(1024, 61000))
        self.sent: dict[int, int] = {}
        self.times: list[int] = []

    @property
    def mode(self) -> str:
        """tcp, udp or icmp."""
        return "icmp" if self.options.has("1") else "udp" if self.options.has("2") else "tcp"

    def run(self) -> Steps:
        dev = self.context.machine.ip.route_to(self.dst).dev
        head, size = {"tcp": (self._flag_words(), 40), "udp": ("udp mode set", 28), "icmp": ("icmp mode set", 28)}[
            self.mode
        ]
        data = int(self.options.value("d", "0"))
        self.context.write(
            f"HPING {self.name} ({dev} {show_address(self.dst)}): {head}, {size} headers + {data} data bytes\n"
        )
        self.context.machine.raw_readers.append(self.hear)
        self.context.own(self)
        try:
            yield from self._send_all()
        except Interrupted as signal:
            if signal.cause != "INT":
                raise
        self._statistic()
        return 0 if self.times else 1

    def close(self) -> None:
        """Hear no more."""
        if self.hear in self.context.machine.raw_readers:
            self.context.machine.raw_readers.remove(self.hear)

    def _flag_words(self) -> str:
        letters = "".join(letter for letter, _ in FLAG_BITS if self.options.has(letter))
        return f"{letters} set" if letters else "NO FLAGS are set"

    def _send_all(self) -> Steps:
        interval = self.options.value("i", "1")
        pause = int(interval[1:]) if interval.startswith("u") else int(interval) * SECOND
        count = int(self.options.value("c")) if self.options.has("c") else None
        number = 0
        while count is None or number < count:
            self._send(number)
            number += 1
            if number != count:
                yield from self.context.sleep(pause)
        waited = 0
        while len(self.times) < number and waited < SECOND:  # as hping3: one more second for the last
            yield from self.context.sleep(SECOND // 100)
            waited += SECOND // 100
        return 0

    def _send(self, number: int) -> None:
        assert self.src is not None
        data = b"X" * int(self.options.value("d", "0"))
        port = self.port if self.options.has("k") else (self.port + number) & 0xFFFF
        protonum, segment = {"tcp": self._tcp, "udp": self._udp, "icmp": self._icmp}[self.mode](port, number, data)
        if self.options.has("b"):
            at = {6: 16, 17: 6, 1: 2}[protonum]
            segment = segment[:at] + bytes((segment[at] ^ 0xFF, segment[at + 1])) + segment[at + 2 :]
        ttl = int(self.options.value("t", "64"))
        self.sent[number if self.mode == "icmp" else port] = self.context.now
        self.context.machine.ip.send(
            wire.ipv4(
                self.src, self.dst, protonum, segment, ttl=ttl, ident=self.random.randrange(65536), dont_fragment=False
            )
        )

    def _tcp(self, port: int, number: int, data: bytes) -> tuple[int, bytes]:
        value = self.options.value
        flags = sum(bit for letter, bit in FLAG_BITS if self.options.has(letter))
        seq = int(value("M")) if self.options.has("M") else self.random.randrange(1 << 31)
        ack = int(value("L")) if self.options.has("L") else self.random.randrange(1 << 31)
        dport, window = int(value("p", "0")), int(value("w", "512"))
        assert self.src is not None
        return 6, wire.tcp(self.src, self.dst, port, dport, seq=seq, ack=ack, flags=flags, window=window, payload=data)

    def _udp(self, port: int, number: int, data: bytes) -> tuple[int, bytes]:
        assert self.src is not None
        return 17, wire.udp(self.src, self.dst, port, int(self.options.value("p", "0")), data)

    def _icmp(self, port: int, number: int, data: bytes) -> tuple[int, bytes]:
        return 1, wire.icmp(8, 0, self.port << 16 | number & 0xFFFF, data)

    def hear(self, skb: Skb) -> None:
        """A packet came for this machine: is it an answer?"""
        packet = skb.packet
        if packet.version != 4 or not packet.complete:
            return
        if packet.protonum == 1:
            self._hear_icmp(packet)
        elif packet.src == self.dst and packet.sport == int(self.options.value("p", "0")) and packet.dport in self.sent:
            if packet.protonum == 6 and self.mode == "tcp":
                letters = "".join(letter for letter, bit in FLAG_BITS if packet.flags & bit)
                self._answer(packet, packet.dport, f"sport={packet.sport} flags={letters}", f"win={packet.window}")
            elif packet.protonum == 17 and self.mode == "udp":
                self._answer(packet, packet.dport, "", "")

    def _hear_icmp(self, packet: Packet) -> None:
        kind, code = packet.data[packet.l4], packet.data[packet.l4 + 1]
        if kind == 0 and self.mode == "icmp" and packet.src == self.dst:
            ident, number = unpack_from("!HH", packet.data, packet.l4 + 4)
            if ident == self.port and number in self.sent:
                self._answer(packet, number, f"icmp_seq={number}", "")
        elif kind in (3, 11) and self._about_mine(packet):
            words = _ICMP_WORDS.get((kind, code)) or ERRORS.get((kind, code), f"type={kind} code={code}")
            self.times.append(0)
            self._say(f"ICMP {words} from ip={show_address(packet.src)}")

    def _about_mine(self, packet: Packet) -> bool:
        inner = packet.data[packet.l4 + 8 :]
        size = (inner[0] & 15) * 4 if inner else 0
        return len(inner) >= size + 8 and inner[16:20] == self.dst and inner[12:16] == self.src

    def _answer(self, packet: Packet, key: int, middle: str, end: str) -> None:
        taken = self.context.now - self.sent[key]
        self.times.append(taken)
        number = list(self.sent).index(key)
        fragment = " DF" if packet.data[6] & 0x40 else ""
        ident = int.from_bytes(packet.data[4:6])
        sequence = "" if self.mode == "icmp" else f"seq={number}"
        words = " ".join(word for word in (middle, sequence, end) if word)
        self._say(
            f"len={len(packet.data)} ip={show_address(packet.src)} ttl={packet.ttl}{fragment} id={ident} {words} rtt={taken / 1000:.1f} ms"
        )

    def _say(self, line: str) -> None:
        if not self.options.has("q"):
            self.context.write(f"{line}\n")

    def _statistic(self) -> None:
        sent, got = len(self.sent), len(self.times)
        lost = 100 - got * 100 // sent if sent else 0
        times = [taken for taken in self.times if taken] or [0]
        low, mean, high = min(times) / 1000, sum(times) / len(times) / 1000, max(times) / 1000
        self.context.error(
            f"\n--- {self.name} hping statistic ---\n{sent} packets transmitted, {got} packets received, {lost}% packet loss\n"
            f"round-trip min/avg/max = {low:.1f}/{mean:.1f}/{high:.1f} ms\n"
        )
