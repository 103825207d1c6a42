"""nft's tokens: how its messages call them, which words are reserved everywhere and which in their place alone.

The order is nft's own order of declaration: "expecting icmp or icmpv6 or tcp or icmpx" lists in it. A word that is not
reserved everywhere is a plain string where the grammar has no use for it, so a chain may be called "state".

Not in here: the texts that make tokens (scanner.py) and how tokens follow each other (nft.lark).
"""

from __future__ import annotations

# token: how a message calls it
SIGNS = {
    "EOF": "end of file", "JUNK": "junk", "NEWLINE": "newline", "COLON": "colon", "SEMICOLON": "semicolon", "COMMA": "comma", "DOT": ".",
    "EQ": "==", "NEQ": "!=", "LT": "<", "GT": ">", "GTE": ">=", "LTE": "<=", "LSHIFT": "<<", "RSHIFT": ">>", "AMPERSAND": "&", "CARET": "^",
    "NOT": "!", "SLASH": "/", "ASTERISK": "*", "DASH": "-", "AT": "@", "VMAP": "vmap", "PLUS": "+",
}  # fmt: skip
LITERALS = {"NUM": "number", "STRING": "string", "QUOTED": "quoted string", "ASTERISKED": "string with a trailing asterisk"}
BRACKETS = {
    "ASSIGN": "'='", "LBRACE": "'{'", "RBRACE": "'}'", "LPAREN": "'('", "RPAREN": "')'", "BAR": "'|'", "DOLLAR": "'$'",
    "LSQUARE": "'['", "RSQUARE": "']'",
}  # fmt: skip

_BEFORE_LITERALS = """include define redefine undefine fib socket transparent wildcard cgroupv2 tproxy osf synproxy typeof hook device
    devices table tables chain chains rule sets set element map maps flowtable flowtables handle ruleset inet netdev add
    update replace create insert delete get list reset flush rename describe import export monitor all accept drop
    continue jump goto return constant interval dynamic auto-merge timeout gc-interval elements expires policy memory
    performance size flow offload meter meters"""
_AFTER_LITERALS = """th bridge ether saddr daddr type vlan id arp ip version hdrlength dscp ecn length frag-off ttl protocol checksum icmp
    code sequence gateway mtu igmp options ip6 priority flowlabel nexthdr hoplimit icmpv6 param-problem max-delay ah
    reserved esp comp flags udp sport dport udplite csumcov tcp ackseq doff window urgptr option left right tsval tsecr
    subtype value ptr addr dccp sctp chunk tsn stream ssn ppid init-tag a-rwnd num-outbound-streams num-inbound-streams
    initial-tsn cum-tsn-ack num-gap-ack-blocks num-dup-tsns lowest-tsn seqno new-cum-tsn vtag rt rt0 rt2 srh seg-left
    last-entry tag sid nexthop reserved2 more-fragments spi cpi mrt hbh frag dst mh meta mark iif iifname iiftype oif
    oifname oiftype skuid skgid nftrace rtclassid ibriport obriport ibrname obrname pkttype cpu iifgroup oifgroup cgroup
    time classid ct l3proto proto-src proto-dst zone direction event expectation expiration helper label state status
    original reply count counter name packets bytes avgpkt counters quotas limits helpers log prefix group snaplen
    queue-threshold level limit rate burst over until quota used secmark second minute hour day week reject with icmpx
    snat dnat masquerade redirect random fully-random persistent addr port queue num bypass fanout dup fwd numgen inc mod offset jhash
    symhash seed position index comment notrack exists missing exthdr ipsec to"""

RESERVED = frozenset(
    """vmap include define redefine undefine describe hook device devices table chain rule set element map flowtable handle
    ruleset socket tproxy accept drop continue jump goto return inet netdev add replace update create insert delete get
    list reset flush rename import export monitor position index comment constant interval dynamic auto-merge timeout
    gc-interval elements expires policy size flow offload meter counter log queue limit quota hour day reject snat dnat
    masquerade redirect random th bridge ether type typeof vlan arp ip ecn time icmp icmpv6 igmp ip6 priority ah esp
    comp flags udp udplite tcp dccp sctp rt hbh frag dst mh meta mark iif iifname iiftype oif oifname oiftype skuid
    skgid nftrace rtclassid ibriport ibrname obriport obrname pkttype cpu iifgroup oifgroup cgroup ct numgen jhash
    symhash dup fwd fib osf synproxy notrack all exists missing exthdr ipsec secmark""".split()
)
SPELLED = {
    "eq": "EQ", "ne": "NEQ", "le": "LTE", "lt": "LT", "ge": "GTE", "gt": "GT", "lshift": "LSHIFT", "rshift": "RSHIFT", "xor": "CARET",
    "and": "AMPERSAND", "or": "BAR", "not": "NOT",
}  # fmt: skip
_OTHER_NAMES = {"sequence": "seq"}  # what nft 1.0.6 calls the token in messages, where that is not the word


def token_of(word: str) -> str:
    """The token's name in the grammar: "auto-merge" is AUTO_MERGE; "num" is not what stands for a number."""
    return "QUEUENUM" if word == "num" else word.upper().replace("-", "_")


KEYWORDS = {word: token_of(word) for word in (*_BEFORE_LITERALS.split(), *_AFTER_LITERALS.split(), "vmap")}
NAMES: dict[str, str] = {
    **SIGNS,
    **{token_of(word): word for word in _BEFORE_LITERALS.split()},
    **LITERALS,
    **{token_of(word): _OTHER_NAMES.get(word, word) for word in _AFTER_LITERALS.split()},
    **BRACKETS,
}
ORDER = {token: number for number, token in enumerate(NAMES)}

# Words that nft would take at a place where the grammar has the token, and that ctlab does not simulate.
NOT_SIMULATED: dict[str, frozenset[str]] = {
    "NO_CMD": frozenset("import export monitor".split()),
    "NO_OBJ": frozenset("secmark synproxy flow synproxys secmarks hooks".split()),
    "NO_STMT": frozenset("fwd synproxy".split()),
    "NO_DATA": frozenset("secmark synproxy".split()),
    "NO_EXPR": frozenset("vlan arp osf".split()),
    "NO_SOCKET": frozenset(("cgroupv2",)),
    "NO_CHAIN": frozenset(("{",)),
    "NO_OFFLOAD": frozenset(("offload",)),
    "NO_DEVICES": frozenset(("devices",)),
}
REFUSED_AT: dict[str, tuple[str, ...]] = {
    word: tuple(place for place, words in NOT_SIMULATED.items() if word in words)
    for word in frozenset().union(*NOT_SIMULATED.values())
}
NAT_FLAGS = frozenset(("fully-random", "persistent"))  # which are no names behind a NAT statement's word
# Words that stay keywords behind the word that opened their scope, even where they do not fit: then a message names them.
_NAT_WORDS = frozenset("to fully-random persistent".split())
SCOPES: dict[str, frozenset[str]] = {
    "snat": _NAT_WORDS, "dnat": _NAT_WORDS, "masquerade": _NAT_WORDS, "redirect": _NAT_WORDS,
    "ct": frozenset("state status mark direction expiration helper l3proto protocol zone original reply label event id count".split()),
    "limit": frozenset("rate burst packets bytes over name second minute week".split()),
    "counter": frozenset("packets bytes name".split()),
    "queue": frozenset("num bypass fanout flags".split()),
    "log": frozenset("prefix level group snaplen queue-threshold".split()),
}
