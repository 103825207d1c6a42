"""Traffic and rulesets gone wrong, by seed. Conversations go mostly as they should, so that they get somewhere, and then do not.

Where is what:
    traffic.py    Traffic: many conversations at once, and what happens to their packets on the way
    path.py       who speaks with whom through which device;  shadow.py: what conntrack knows of it by now
    tcp.py        TCP;  sctp.py;  datagrams.py: UDP, UDP-Lite, GRE, ICMP questions, other protocols;  errors.py: ICMP errors
    spoil.py      bits, lengths, IP options, IPv6 headers;  pieces.py: fragments
    helped.py     talks that a helper reads, and those that it expects;  texts.py sip.py sip_course.py pptp.py snmp.py: what is said there
    corners*.py   cases with a purpose, for what chance seldom meets, made with scene.py
    session.py    a case: settings, rules, traffic, pauses
    iptables.py nft.py   rulesets;  nat.py: translations;  assign.py: helpers, zones, marks
"""
