"""NAT: addresses and ports of a connection changed once, when it is new, and of its packets from then on. As Linux 6.18 does it.

    engine.py      Nat: the hooks, the nat chains' lists, bindings, every packet's translation (nf_nat_core.c, nf_nat_proto.c)
    choice.py      which addresses and ports a new connection gets (get_unique_tuple and what it calls)
    dice.py        what falls by chance, from a seed
    ranges.py      NatRange: what a rule asks for; jhash
    rewrite.py     the bytes: headers, checksums, the packets that ICMP errors quote
    addresses.py   which of a device's addresses MASQUERADE and REDIRECT take
    helpers/       the addresses that FTP, IRC, TFTP and SIP name in their payloads, and the connections that follow

Not in here: rules (ruleset/), routing (machine/ip.py).
"""

from sim.netfilter.nat.dice import Dice
from sim.netfilter.nat.engine import Nat
from sim.netfilter.nat.ranges import NatRange

__all__ = ["Dice", "Nat", "NatRange"]
