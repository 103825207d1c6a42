"""iptables' targets that hand packets on: NFQUEUE to a program, TPROXY to a transparent socket, IDLETIMER to a timer, SECMARK to a module.

No program here listens at a queue or has a transparent socket, as on a machine where that program is not running: the kernel's answer
to that is what they do. SECMARK wants a security module, of which there is none: refused as the kernel refuses it.
Formats: libxt_NFQUEUE.c, libxt_TPROXY.c, libxt_IDLETIMER.c, libxt_SECMARK.c, iptables 1.8.9.
"""

from __future__ import annotations

from sim.netfilter.words import Hook
from sim.ruleset.iptables.addresses import resolved
from sim.ruleset.iptables.errors import NO_SUCH, Mistake, kernel
from sim.ruleset.iptables.module import (
    Context,
    Given,
    Module,
    Opt,
    by_name,
    integer,
    integer_range,
    required,
    value_and_mask,
)
from sim.ruleset.iptables.ports import wrapped_port
from sim.ruleset.model import Extension, Option, Part, Verdict
from sim.ruleset.parts import Judge, Nothing
from sim.units import show_address

_U16, _U32 = 0xFFFF, 0xFFFFFFFF

# ---- NFQUEUE ---------------------------------------------------------------------------------------------------------


def _read_queue(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    first = last = integer(module, names["queue-num"], 0, _U16) if "queue-num" in names else 0
    if "queue-balance" in names:
        first, last = _balance(module, names["queue-balance"])
    bypass, fanout = "queue-bypass" in names, "queue-cpu-fanout" in names
    options = [Option("queue-num", str(first)) if first == last else Option("queue-balance", f"{first}:{last}")]
    options += [Option(name) for name, there in (("queue-bypass", bypass), ("queue-cpu-fanout", fanout)) if there]
    return module.extension(options, queue_parts(first, last, bypass))


def queue_parts(first: int, last: int, bypass: bool) -> tuple[Part, ...]:
    """What handing packets to a queue at which nobody listens comes to: they are dropped, or with `bypass` accepted."""
    return Judge("queue", (("first", first), ("last", last), ("bypass", bypass))), Verdict("accept" if bypass else "drop")


def _balance(module: Module, given: Given) -> tuple[int, int]:
    low, high = integer_range(module, given, _U16)
    if ":" not in given.value:
        raise Mistake(f'Bad range "{given.value}"', given.span)
    if low >= high:
        raise Mistake(f"{low} should be less than {high}", given.span)
    return low, high


def _queue_fits(extension: Extension, context: Context) -> bool:
    """nfqueue_tg_check: of 65,536 queues no balance."""
    return extension.options[0].value != f"0:{_U16}"


def _show_queue(extension: Extension, numeric: bool, family: str) -> str:
    words = {"queue-num": "num ", "queue-balance": "balance ", "queue-bypass": "bypass", "queue-cpu-fanout": "cpu-fanout"}
    return " NFQUEUE" + "".join(f" {words[option.name]}{option.value}" for option in extension.options)


NFQUEUE = Module(
    "NFQUEUE",
    (
        Opt("queue-num", excludes=("queue-balance",)), Opt("queue-balance", excludes=("queue-num",)), Opt("queue-bypass", args=0),
        Opt("queue-cpu-fanout", args=0, also="queue-balance"),
    ),
    _read_queue, _show_queue, target=True, needs=_queue_fits,
)  # fmt: skip

# ---- TPROXY ----------------------------------------------------------------------------------------------------------


def _read_proxy(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    option = required(module, given, "on-port")
    port = wrapped_port(option.value, None, option)
    address = resolved(names["on-ip"].value, context.family, names["on-ip"].span) if "on-ip" in names else bytes(context.bits // 8)
    value, mask = value_and_mask(module, names["tproxy-mark"]) if "tproxy-mark" in names else (0, 0)
    options = [Option("on-port", str(port)), Option("on-ip", show_address(address)), Option("tproxy-mark", f"{value:#x}/{mask:#x}")]
    return module.extension(options, (Judge("tproxy", (("to", f"{show_address(address)} port {port}"),)), Verdict("drop")))


def _proxy_fits(extension: Extension, context: Context) -> bool:
    """tproxy_tg4_check: -p tcp or udp, without `!`."""
    return context.protocol in (6, 17) and not context.protocol_negated


def _show_proxy(extension: Extension, numeric: bool, family: str) -> str:
    port, address, mark = (option.value for option in extension.options)
    return f" TPROXY redirect {address}:{port} mark {mark}"


TPROXY = Module(
    "TPROXY", (Opt("on-port"), Opt("on-ip"), Opt("tproxy-mark")), _read_proxy, _show_proxy, target=True,
    tables=frozenset(("mangle",)), hooks=frozenset((Hook.PREROUTING,)), needs=_proxy_fits,
)  # fmt: skip

# ---- IDLETIMER, SECMARK ----------------------------------------------------------------------------------------------


def _read_timer(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    time = integer(module, required(module, given, "timeout"), 0, _U32)
    label = required(module, given, "label").value.encode()[:27].decode(errors="ignore")
    options = [Option("timeout", str(time)), Option("label", label), *([Option("alarm")] if "alarm" in names else [])]
    return module.extension(options, (Nothing(f"the idle timer {label} starts anew, and nobody looks at it"),))


def _timer_fits(extension: Extension, context: Context) -> bool:
    """idletimer_tg_helper, idletimer_tg_checkentry: a time of less than some 24 days, and a label."""
    return 0 < int(extension.options[0].value) < 0x7FFFFFFF // 1000 and bool(extension.options[1].value)


def _show_timer(extension: Extension, numeric: bool, family: str) -> str:
    return "".join(f" {option.name}:{option.value}" if option.value else f" {option.name}" for option in extension.options)


IDLETIMER = Module(
    "IDLETIMER", (Opt("timeout"), Opt("label"), Opt("alarm", args=0)), _read_timer, _show_timer, target=True, needs=_timer_fits,
)  # fmt: skip


def _read_secmark(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    return module.extension([Option("selctx", required(module, given, "selctx").value)], (Nothing("no security module here"),))


def _secmark_fits(extension: Extension, context: Context) -> bool:
    """checkentry_lsm: no security module knows the context."""
    raise kernel(NO_SUCH)


SECMARK = Module(
    "SECMARK", (Opt("selctx"),), _read_secmark, lambda extension, numeric, family: f" SECMARK selctx {extension.options[0].value}",
    target=True, tables=frozenset(("mangle", "security")), needs=_secmark_fits,
)  # fmt: skip

TARGETS = (NFQUEUE, TPROXY, IDLETIMER, SECMARK)
