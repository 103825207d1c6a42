"""IP sets: what ipset makes and iptables' `-m set` and `-j SET` look into. nft's sets are others.

    model.py     IpSet, Element, Sets (all of one machine), the types and their limits
    entries.py   entries in text (10.0.0.0/8,tcp:22) and back
    packets.py   what a packet looks like to a set, and the judges of `-m set` and `-j SET`
    options.py   the words behind `create` and `add`
    tool.py      the command; show.py what it lists
Source: net/netfilter/ipset/, Linux 6.18; ipset 7.17.
"""
