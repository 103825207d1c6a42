"""NAT for the FTP helper: PORT, EPRT, 227 and 229 name the address that the other end can reach. nf_nat_ftp.c, Linux 6.18."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.conntrack.show import whole_address
from sim.conntrack.words import ACCEPT
from sim.netfilter.nat.helpers.expected import (
    ALL_PORTS,
    MANGLED,
    WHY_ALL_PORTS,
    WHY_MANGLED,
    WHY_NOT_WRITTEN,
    find_port,
    following,
)
from sim.netfilter.nat.helpers.mangle import mangle
from sim.units import Address

if TYPE_CHECKING:
    from sim.conntrack.expect import Expectation
    from sim.conntrack.helpers import Help
    from sim.netfilter.nat.engine import Nat


def nat_ftp(nat: Nat, help: Help, at: int, length: int, new: Expectation, why: str, form: str) -> int:
    """Expect it on a free port, and write where into the line. `form`: PORT, EPRT, 227 or 229."""
    new.saved_port, new.dir = new.tuple.dport, 1 - help.direction
    new.expectfn = following(nat)
    port = find_port(nat, help, new, new.saved_port, why)
    if not port:
        return help.drop(ALL_PORTS, WHY_ALL_PORTS)
    if not mangle(help, at, length, written(form, help.other.dst, port)):
        help.unexpect(new, WHY_NOT_WRITTEN)
        return help.drop(MANGLED, WHY_MANGLED)
    return ACCEPT


def written(form: str, address: Address, port: int) -> bytes:
    """The address as that line has it; IPv6 in full length (nf_nat_ftp_fmt_cmd)."""
    if form == "229":
        text = f"|||{port}|"
    elif form == "EPRT":
        text = f"|{1 if len(address) == 4 else 2}|{whole_address(address)}|{port}|"
    else:
        text = ",".join(map(str, (*address[:4], port >> 8, port & 255)))
    return text.encode()
