"""What `iptables -h` prints here: shorter than the real one's, and only what is simulated."""

USAGE = """{program} v1.8.9 (legacy)

Usage: {program} [-t table] -{A|C|D} chain rule
       {program} [-t table] -I chain [number] rule
       {program} [-t table] -R chain number rule
       {program} [-t table] -D chain number
       {program} [-t table] -{L|S} [chain [number]] [-n] [-v] [-x] [--line-numbers]
       {program} [-t table] -{F|Z} [chain]
       {program} [-t table] -{N|X} chain
       {program} [-t table] -E old-name new-name
       {program} [-t table] -P chain ACCEPT|DROP

A rule is any of these, `!' before one turns it round:
  -p protocol   -s address[/mask]   -d address[/mask]   -i interface   -o interface   -f
  -m module ...   -j target|chain   -g chain   -c packets bytes
Modules: tcp udp icmp icmp6 conntrack state multiport comment limit mark iprange addrtype pkttype length ttl hl
Targets: ACCEPT DROP RETURN REJECT LOG NFLOG MARK CT NOTRACK SNAT DNAT MASQUERADE REDIRECT NETMAP, or a chain of your own
"""
