"""Reads an iptables command line into a Command. Order and wording of the checks as iptables 1.8.9 has them."""

from __future__ import annotations

import re

from sim.errors import Span, Unsupported
from sim.ruleset.ipset.model import Sets
from sim.ruleset.iptables import matches, targets
from sim.ruleset.iptables.addresses import parse_nets, parse_protocol
from sim.ruleset.iptables.command import STANDARD, Command, Loaded
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Given, Module, Opt, check_given, number
from sim.ruleset.iptables.names import PROTOCOL_NAMES
from sim.ruleset.iptables.words import ExtraOption, Reader, Taken
from sim.ruleset.text import Word, endless

_COMMANDS = "ADCRILSFZNXEP"
_INVERTIBLE = "psdiofV"
_DEAF = "-wW46Mh"  # to which `!` says nothing, or which have a say of their own
# Which options a command allows beside -t and -w (commands_v_options, iptables/xshared.c).
_ALLOWED = {
    **dict.fromkeys("ADCRI", "spdjvioFfc6"), "L": "nvx0", "S": "v", "F": "v", "Z": "v", "N": "v", "X": "v", "E": "v", "P": "vc",
}  # fmt: skip


class CommandReader:
    """Reads one line into a Command."""

    def __init__(
        self, words: list[Word], family: str, source: str = "", restore: bool = False, sets: Sets | None = None,
        labels: str | None = None,
    ) -> None:  # fmt: skip
        end = words[-1].span if words else Span("command line", 1, 1)
        self._words, self._reader = tuple(words), Reader(words, end)
        self._command = Command(family, sets=sets, labels=labels)
        self._source, self._restore = source, restore
        self._negate = False
        self._protocol_tried = False
        self._owners: list[Loaded] = []

    @property
    def warnings(self) -> str:
        """What was said on the way, even if the line is refused."""
        return "".join(self._command.warnings)

    def read(self) -> Command:
        """The command. Raises Mistake (wording of the tool) or Unsupported."""
        for word in self._words:
            if endless(word.text):
                raise self._unsupported("a number of 300 digits", word.span)
        while not self._command.flags & {"V", "h"} and (taken := self._next()) is not None:
            self._take(taken)
        self._check()
        return self._command

    def _next(self) -> Taken | None:
        """The next option; a long option nobody knows may be one of the protocol's module, which is loaded for it."""
        try:
            return self._reader.next()
        except Mistake as mistake:
            if not mistake.message.startswith('unknown option "--') or not self._load_protocol():
                raise
        return self._next()

    def _load_protocol(self) -> bool:
        if self._protocol_tried or not self._command.protocol or "p" not in self._command.flags:
            return False
        self._protocol_tried = True
        typed = self._command.protocol_name
        name = PROTOCOL_NAMES.get(self._command.protocol, "") if typed[:1].isdecimal() else typed
        module = matches.find_match(name, self._command.family)
        if module is None or any(each.module is module for each in self._command.loaded):
            return False
        self._load(module, self._reader.again().span)
        return True

    def _unsupported(self, what: str, span: Span | None) -> Unsupported:
        return Unsupported(f"{what} is right, but not simulated here", span, self._source)

    # ---- one option --------------------------------------------------------------------------------------------------

    def _take(self, taken: Taken) -> None:
        if taken.key == "":
            self._plain(taken)
            return
        negate, self._negate = self._negate, False
        if negate and taken.key not in _INVERTIBLE and taken.key not in _DEAF:
            raise Mistake(_misplaced(taken.key), taken.span)
        if taken.key == "-":
            self._module_option(taken, negate)
        elif taken.key in _COMMANDS:
            self._new_command(taken)
        else:
            self._option(taken, negate)

    def _plain(self, taken: Taken) -> None:
        if taken.value != "!":
            raise Mistake(f"Bad argument `{taken.value}'", taken.span, "bare")
        if self._negate:
            raise Mistake("multiple consecutive ! not allowed", taken.span)
        self._negate = True

    def _new_command(self, taken: Taken) -> None:
        command, letter = self._command, taken.key
        if command.letter and {command.letter, letter} <= {"L", "S", "Z"} and "Z" in (command.letter, letter):
            command.also_zero = True
            command.letter = command.letter if letter == "Z" else letter
        elif command.letter:
            raise Mistake(f"Cannot use -{letter} with -{command.letter}", taken.span)
        else:
            command.letter = letter
        if taken.value or letter not in "LSFZX":
            command.chain, command.chain_span = taken.value, taken.span
        self._after_chain(letter, taken)

    def _after_chain(self, letter: str, taken: Taken) -> None:
        command, more = self._command, self._reader.peek()
        if letter == "R" and more is None:
            raise Mistake("-R requires a rule number", taken.span)
        if letter == "E" and more is None:
            raise Mistake("-E requires old-chain-name and new-chain-name", taken.span)
        if letter == "P" and more is None:
            raise Mistake("-P requires a chain and a policy", taken.span)
        if letter in "EP":
            word = self._reader.take()
            command.new_name = command.policy = word.text
            command.jump_span = word.span
        elif more is not None and (letter in "DRI" or (letter in "LSZ" and taken.value)):
            command.number = _rule_number(self._reader.take())
        if letter == "N":
            _check_chain_name(taken.value, taken.span)

    def _option(self, taken: Taken, negate: bool) -> None:
        letter = taken.key
        seen = "j" if letter == "g" else letter
        if seen in self._command.flags and seen not in "vtwmW":
            raise Mistake(f"multiple -{seen} flags not allowed", taken.span)
        if letter in "nvx0fsdpiojgc":
            self._command.flags.add(seen)
        if negate:
            self._command.negated.add(letter)
        handler = getattr(self, f"_on_{letter}", None)
        if handler is not None:
            handler(taken)

    def _on_p(self, taken: Taken) -> None:
        command = self._command
        command.protocol = parse_protocol(taken.typed, taken.span)
        command.protocol_name = taken.typed.lower()
        if not command.protocol and "p" in command.negated:
            raise Mistake("rule would never match protocol", taken.span)
        if command.family == "ip6" and command.protocol in (43, 44, 51, 60) and "p" not in command.negated:
            name = PROTOCOL_NAMES.get(command.protocol, str(command.protocol))
            command.warnings.append(f"Warning: never matched protocol: {name}. use extension match instead.\n")

    def _on_s(self, taken: Taken) -> None:
        self._command.addresses.append(taken)

    def _on_d(self, taken: Taken) -> None:
        self._command.addresses.append(taken)

    def _read_addresses(self) -> None:
        """Addresses are looked at when the whole line is read: xtables_ipparse_multiple comes last in do_command4."""
        for taken in self._command.addresses:
            if "," in taken.typed and taken.key in self._command.negated:
                raise Mistake("! not allowed with multiple source or destination IP addresses", taken.span)
            nets = parse_nets(taken.typed, self._command.family, taken.span)
            if taken.key == "s":
                self._command.sources = nets
            else:
                self._command.destinations = nets

    def _on_i(self, taken: Taken) -> None:
        self._command.indev = self._device(taken)

    def _on_o(self, taken: Taken) -> None:
        self._command.outdev = self._device(taken)

    def _device(self, taken: Taken) -> str:
        if not taken.typed:
            raise Mistake("Empty interface is likely to be undesired", taken.span)
        if len(taken.typed) > 15:
            raise Mistake(f"interface name `{taken.typed}' must be shorter than IFNAMSIZ (15)", taken.span)
        if "/" in taken.typed or " " in taken.typed:
            text = f"Warning: weird character in interface `{taken.typed}' ('/' and ' ' are not allowed by the kernel).\n"
            self._command.warnings.append(text)
        return taken.typed

    def _on_f(self, taken: Taken) -> None:
        if self._command.family == "ip6":
            raise Mistake("`-f' is not supported in IPv6, use -m frag instead", taken.span)

    def _on_t(self, taken: Taken) -> None:
        if self._restore:
            raise Mistake("The -t option cannot be used in iptables-restore.\n", taken.span)
        self._command.table, self._command.table_given = taken.value, True

    def _on_c(self, taken: Taken) -> None:
        first, comma, second = taken.value.partition(",")
        if not comma:
            if self._reader.peek() is None:
                raise Mistake("-c requires packet and byte counter", taken.span)
            second = self._reader.take().text
        found = []
        for text, what in ((first, "packet"), (second, "byte")):
            digits = re.match(r"\s*[-+]?(\d+)", text)
            if digits is None:
                raise Mistake(f"-c {what} counter not numeric", taken.span)
            found.append(int(digits[1]) & 0xFFFFFFFFFFFFFFFF)
        self._command.counters = (found[0], found[1])

    def _on_4(self, taken: Taken) -> None:
        self._only("ip", taken)

    def _on_6(self, taken: Taken) -> None:
        self._only("ip6", taken)

    def _only(self, family: str, taken: Taken) -> None:
        if self._command.family != family:
            raise Mistake("", taken.span, "bare")

    def _on_W(self, taken: Taken) -> None:
        if not taken.value:
            raise Mistake("wait interval value required", taken.span)

    def _on_V(self, taken: Taken) -> None:
        self._command.flags.add("V")

    def _on_h(self, taken: Taken) -> None:
        self._command.flags.add("h")

    def _on_m(self, taken: Taken) -> None:
        module = matches.find_match(taken.value, self._command.family)
        if module is not None:
            self._load(module, taken.span)
        elif taken.value in matches.NOT_SIMULATED:
            raise self._unsupported(f"match '{taken.value}'", taken.span)
        else:
            raise Mistake(f"Couldn't load match `{taken.value}':No such file or directory\n", taken.span)

    def _on_j(self, taken: Taken) -> None:
        name = taken.typed
        if not name:
            raise Mistake("Invalid target name (too short)", taken.span)
        if len(name) > 28:
            raise Mistake(f"Invalid target name `{name}' (28 chars max)", taken.span)
        self._command.jump, self._command.jump_span = name, taken.span
        if name in targets.TARGETS:
            loaded = Loaded(targets.TARGETS[name], taken.span)
            self._command.target = loaded
            self._offer(loaded)
        elif name in targets.NOT_SIMULATED:
            raise self._unsupported(f"target '{name}'", taken.span)

    def _on_g(self, taken: Taken) -> None:
        self._command.flags.add("g")
        self._command.jump, self._command.jump_span = taken.value, taken.span

    # ---- modules -----------------------------------------------------------------------------------------------------

    def _load(self, module: Module, span: Span) -> None:
        loaded = Loaded(module, span)
        self._command.loaded.append(loaded)
        self._offer(loaded)

    def _offer(self, loaded: Loaded) -> None:
        self._owners.append(loaded)
        owner = len(self._owners) - 1
        for opt in loaded.module.options:
            for name in (opt.name, *opt.aliases):
                self._reader.extras.append(ExtraOption(name, opt.args, owner, opt.name))

    def _module_option(self, taken: Taken, negate: bool) -> None:
        extra = self._reader.extras[taken.extra]
        loaded = self._owners[extra.owner]
        opt = next(each for each in loaded.module.options if each.name == extra.main)
        second = ""
        if opt.args == 2:
            if self._reader.exhausted or self._reader.peek() is None:
                raise Mistake(loaded.module.two_words or f"--{opt.name} requires two args.", taken.span)
            second = self._reader.take().text
        given = Given(opt, extra.name, taken.value, second, negate, taken.span)
        check_given(loaded.module, given, loaded.given)
        loaded.given.append(given)
        self._read_so_far(loaded, opt)
        warning = opt.says(given)
        if warning:
            self._command.warnings.append(warning)

    def _read_so_far(self, loaded: Loaded, opt: Opt) -> None:
        """Let the module look at what it has, so that a bad value is found before later words; what is missing may yet come."""
        try:
            loaded.module.read(loaded.module, tuple(loaded.given), self._command.context)
        except Mistake as mistake:
            if mistake.span is not None:
                raise
        except Unsupported as refused:
            raise Unsupported(refused.message, refused.span, self._source) from None

    # ---- the whole line ----------------------------------------------------------------------------------------------

    def _check(self) -> None:
        command = self._command
        if command.flags & {"V", "h"}:
            return
        command.extensions()
        if not command.letter:
            raise Mistake("no command specified")
        if self._negate:
            raise Mistake("nothing appropriate following !")
        self._check_flags()
        self._check_devices()
        self._read_addresses()
        if command.letter == "R" and (len(command.sources) > 1 or len(command.destinations) > 1):
            raise Mistake("Replacement rule does not specify a unique address")
        if len(command.chain) > 28:
            raise Mistake(f"chain name `{command.chain}' too long (must be under 29 chars)", command.chain_span)
        if command.table == "nat" and "DROP" in (command.policy, command.jump):
            raise Mistake('\nThe "nat" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n', command.jump_span)

    def _check_flags(self) -> None:
        command = self._command
        allowed = "v" if command.letter == "D" and command.number is not None else _ALLOWED[command.letter]
        for letter in "nsdpjvx" + "io" + "0cf":
            if letter in command.flags and letter not in allowed:
                raise Mistake(f"Illegal option `-{letter}' with this command")

    def _check_devices(self) -> None:
        command = self._command
        if command.letter not in "ADCRI":
            return
        if command.chain in ("PREROUTING", "INPUT") and command.outdev:
            raise Mistake(f"Can't use -o with {command.chain}\n")
        if command.chain in ("POSTROUTING", "OUTPUT") and command.indev:
            raise Mistake(f"Can't use -i with {command.chain}\n")


def _misplaced(key: str) -> str:
    """What is said of a `!` before an option that cannot have it."""
    if key in _COMMANDS:
        return "unexpected '!' flag"
    if key in "mt":
        return f"unexpected ! flag before --{'match' if key == 'm' else 'table'}"
    return f"cannot have ! before -{'j' if key == 'g' else key}"


def _rule_number(word: Word) -> int:
    value = number(word.text)
    if not value or value > 0x7FFFFFFF:
        raise Mistake(f"Invalid rule number `{word.text}'", word.span)
    return value


def _check_chain_name(name: str, span: Span) -> None:
    if name[:1] in ("-", "!"):
        raise Mistake(f"chain name not allowed to start with `{name[0]}'", span)
    if not name or name in STANDARD or name == "QUEUE" or name in targets.TARGETS or name in targets.NOT_SIMULATED:
        raise Mistake("chain name may not clash with target name", span)
    for char in name:
        if char.isspace() or not char.isprintable():
            raise Mistake("Invalid chain name", span)
