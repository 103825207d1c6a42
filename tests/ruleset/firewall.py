"""A firewall for tests: iptables commands, craft's packets, and what REJECT and LOG did."""

from __future__ import annotations

from sim.craft import craft
from sim.netfilter.hooks import Hooks
from sim.netfilter.skb import Skb
from sim.netfilter.words import Hook
from sim.packet import Packet
from sim.ruleset.iptables import tool
from sim.ruleset.model import Ruleset
from sim.ruleset.state import RuleState
from sim.ruleset.text import Result
from sim.trace import Event
from sim.units import parse_address

LABELS = {"ESTABLISHED": 0, "RELATED": 1, "NEW": 2, "INVALID": 6, "UNTRACKED": 7, "": None}
LOCAL = parse_address("192.168.1.20")


class Firewall:
    """Rules at work. `heard` collects the events when `traced`; `sent` what REJECT sent; `logged` the kernel's log."""

    def __init__(self, *commands: str, traced: bool = False) -> None:
        self.heard: list[Event] = []
        self.sent: list[bytes] = []
        self.logged: list[str] = []
        self.hooks = Hooks()
        self.state = RuleState(self.hooks, self, self.heard.append if traced else None)
        for command in commands:
            self.do(command)

    def do(self, command: str) -> Result:
        """Run a command that must succeed."""
        result = self.try_(command)
        assert result.status == 0, result.err
        return result

    def try_(self, command: str) -> Result:
        name, *words = command.split(" ")
        program = [name] if name.startswith("ip") else ["iptables", name]
        return tool.run([*program, *words], self.state)

    def load(self, ruleset: Ruleset) -> None:
        self.state.load(ruleset, "test")

    def passes(self, line: str, label: str = "NEW", hook: Hook = Hook.INPUT, indev: str = "eth0", mark: int = 0, now: int = 0) -> bool:
        return bool(self.run(self.skb(line, label, indev, mark, now), hook))

    def skb(self, line: str, label: str = "NEW", indev: str = "eth0", mark: int = 0, now: int = 0) -> Skb:
        skb = Skb(Packet(craft(line), 7), now, indev)
        skb.ctinfo, skb.mark = LABELS[label], mark
        return skb

    def run(self, skb: Skb, hook: Hook = Hook.INPUT) -> int:
        self.heard.clear()
        return self.hooks.run(hook, skb)

    # ---- Effects

    def send(self, data: bytes, skb: Skb) -> None:
        self.sent.append(data)

    def kernel_log(self, text: str, skb: Skb) -> None:
        self.logged.append(text)

    def address_type(self, address: bytes, dev: str) -> int:
        return 2 if address == LOCAL else 5 if address[0] >= 224 else 1

    def source_address(self, to: bytes, indev: str = "") -> bytes | None:
        return LOCAL if len(to) == 4 else None

    def route_device(self, to: bytes) -> str:
        return "eth0"

    def path_mtu(self, to: bytes) -> int:
        return 1500
