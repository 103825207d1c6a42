"""iptables' match nfacct: counts into an object that the program nfacct made. None are here: the kernel refuses the rule.

Formats: libxt_nfacct.c, iptables 1.8.9; nfacct_mt_checkentry, Linux 6.18.
"""

from __future__ import annotations

from sim.ruleset.iptables.errors import NO_SUCH, Mistake, kernel
from sim.ruleset.iptables.module import Context, Given, Module, Opt, required, saved_string
from sim.ruleset.model import Extension, Option


def _read(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "nfacct-name")
    if not option.value:
        raise Mistake("Argument must have a minimum length of 1 characters\n", option.span)
    if "\n" in option.value:
        raise Mistake("Newlines not allowed in --nfacct-name", option.span)
    return module.extension([Option("nfacct-name", saved_string(option.value.encode()[:31].decode(errors="ignore")))], ())


def _fits(extension: Extension, context: Context) -> bool:
    raise kernel(NO_SUCH)


NFACCT = Module(
    "nfacct", (Opt("nfacct-name"),), _read, lambda extension, numeric, family: f" nfacct-name {extension.options[0].value}", needs=_fits,
)  # fmt: skip
