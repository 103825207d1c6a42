"""Random words of the rarer iptables modules, by seed: matches that remember, look into headers and payloads; targets that rewrite.

The commoner ones, and whole rulesets: iptables.py.
"""

from __future__ import annotations

from random import Random
from typing import Final

MASKED_MARKS: Final = ("0", "1", "3/1", "0x5/0xf", "0x9")
HASHED: Final = ("", "--hashlimit-mode srcip", "--hashlimit-mode dstip,dstport", "--hashlimit-mode srcip --hashlimit-srcmask 24")
RECENT: Final = (
    "--set", "--rcheck", "--update", "--remove", "--update --hitcount 3", "--rcheck --seconds 60", "--rcheck --seconds 60 --hitcount 5",
    "--update --seconds 60 --rttl",
)  # fmt: skip
STRINGS: Final = (
    "--string GET", "--string file --icase", "--hex-string |0d0a0d0a|", "--string NOOP --from 40", "--string octet --from 20 --to 60",
)  # fmt: skip
"""Long ones: what the kernel draws by chance for its own packets, sums and ids, could be a letter."""
U32: Final = ("0>>22&0x3C@0>>16=80", "6&0xFF=6", "0&0xFFFF=40:200", "4&0x3FFF=0 && 6&0xFF=17", "8>>24=0:63")


def _not(r: Random) -> str:
    return "! " if r.random() < 0.3 else ""


def _recent(r: Random, family: str) -> str:
    return f"-m recent {_not(r)}{r.choice(RECENT)} --name {r.choice('ab')} {r.choice(('--rsource', '--rdest'))}"


def _hashlimit(r: Random, family: str) -> str:
    mode = r.choice(HASHED)
    rate = f"--hashlimit-{r.choice(('upto', 'above'))} {r.choice(('2/min', '1/hour'))} --hashlimit-burst {r.choice((1, 4))}"
    return f"-m hashlimit {rate} {mode} --hashlimit-name h{r.randrange(10**6)}"


def _connbytes(r: Random, family: str) -> str:
    mode, direction = r.choice(("bytes", "packets", "avgpkt")), r.choice(("both", "original", "reply"))
    most = r.choice(("1", "3:5", "0:200", "100", "40:60"))
    return f"-m connbytes {_not(r)}--connbytes {most} --connbytes-mode {mode} --connbytes-dir {direction}"


def _fields(r: Random, family: str) -> str:
    """What has one family's words alone."""
    if family == "ip":
        return r.choice((
            f"-m ecn {_not(r)}--ecn-ip-ect {r.randrange(3)}", f"-m u32 {_not(r)}--u32 \"{r.choice(U32)}\"", f"{_not(r)}-f",
        ))  # fmt: skip
    return r.choice((
        f"-m frag --fragid {r.choice((0, 1, '0:100000'))}", "-m ipv6header --soft --header frag",
        f"-m ipv6header {_not(r)}--header {r.choice(('prot', 'frag', 'hop,prot', 'none'))}", f"-m hbh {_not(r)}--hbh-len 8",
    ))  # fmt: skip


def _protocols(r: Random, family: str) -> str:
    return r.choice((
        f"-p sctp -m sctp {_not(r)}--dport {r.choice((80, 22, '1:1000'))}", "-p sctp -m sctp --chunk-types any INIT,DATA",
        f"-p sctp -m sctp --chunk-types {r.choice(('all', 'only', 'any'))} {r.choice(('DATA', 'SACK,HEARTBEAT', 'INIT_ACK'))}",
        f"-p tcp -m tcpmss {_not(r)}--mss {r.choice(('1460', '500:1400', '0:65535'))}",
        f"-p tcp -m ecn {_not(r)}--ecn-tcp-{r.choice(('cwr', 'ece'))}", f"-p esp -m esp {_not(r)}--espspi {r.choice(('1', '0:100000'))}",
        f"-p udplite -m multiport {_not(r)}--ports 53,80,1000",
    ))  # fmt: skip


MATCHES: Final = {
    "connmark": lambda r, f: f"-m connmark {_not(r)}--mark {r.choice(MASKED_MARKS)}",
    "dscp": lambda r, f: f"-m dscp {_not(r)}--dscp {r.choice((0, 4, 46))}",
    "tos": lambda r, f: f"-m tos {_not(r)}--tos {r.choice(('0', '0x10', '0x10/0x3f', '0xb8/0xfc'))}",
    "fields": _fields, "protocols": _protocols, "hashlimit": _hashlimit, "recent": _recent, "connbytes": _connbytes,
    "string": lambda r, f: f"-m string --algo {r.choice(('bm', 'kmp'))} {_not(r)}{r.choice(STRINGS)}",
    "nth": lambda r, f: f"-m statistic --mode nth {_not(r)}--every {r.choice((2, 5))} --packet {r.choice((0, 1))}",
    "quota": lambda r, f: f"-m quota {_not(r)}--quota {r.choice((100, 1000, 5000))}",
    "helper": lambda r, f: f"-m helper {_not(r)}--helper {r.choice(('ftp', 'sip', 'tftp'))}",
}  # fmt: skip


def rewriting(r: Random, family: str, chain: str) -> str:
    """A target of the mangle table that changes what leaves; its match comes with it where one is needed."""
    leaving = chain in ("FORWARD", "OUTPUT", "POSTROUTING")
    mss = "--clamp-mss-to-pmtu" if leaving and r.random() < 0.5 else "--set-mss 600"
    hops = "TTL --ttl" if family == "ip" else "HL --hl"
    words = (
        "-j CONNMARK --set-xmark 0x1/0xf", "-j CONNMARK --save-mark", "-j CONNMARK --restore-mark --nfmask 0x3 --ctmask 0x1",
        "-j TOS --set-tos 0x10/0x3f", "-j TOS --xor-tos 0x5", "-j DSCP --set-dscp-class EF", "-j DSCP --set-dscp 4",
        f"-j {hops}-{r.choice(('dec 5', 'set 6', 'set 64', 'inc 200', 'inc 1'))}",
        f"-j {'CLASSIFY --set-class 1:2' if leaving else 'TOS --or-tos 4'}",
        f"-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS {mss}",
        "-p tcp -j TCPOPTSTRIP --strip-options timestamp,sack-permitted", "-p tcp -m tcp --syn -j TCPOPTSTRIP --strip-options wscale",
    )  # fmt: skip
    return r.choice(words)
