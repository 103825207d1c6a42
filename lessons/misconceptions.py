"""Misconceptions by name: what a sensible person believes who answers wrong. A wrong option names one behind it: {known-is-let-in}.

A new one is a row. A page shows the name with the option's own reason.
"""

from __future__ import annotations

MISCONCEPTIONS: dict[str, str] = {
    "known-is-let-in": "Being known is being let in",
    "drop-tells": "DROP tells somebody",
    "new-is-syn": "NEW means SYN",
    "unknown-is-new": "Whatever is unknown is NEW",
    "new-is-unknown-host": "NEW is about the host",
    "established-is-tcp": "ESTABLISHED is TCP's word",
    "label-is-verdict": "A label is a verdict",
    "both-ends-know": "The firewall knows what both ends know",
    "timeout-ends-connection": "An entry that expires ends the connection",
    "rules-touch-table": "A rule changes the connection table",
    "order-is-free": "The order of rules does not matter",
    "answer-needs-rule": "Every answer needs a port of its own",
    "udp-has-no-state": "UDP has no state, so it has no entry",
    "closed-is-filtered": "A closed port and a filtered one look the same",
    "nat-is-firewall": "NAT is a firewall",
    "input-sees-all": "All that comes in passes INPUT",
    "helper-is-global": "A helper reads whatever comes by",
    "icmp-is-alone": "ICMP has nothing to do with connections",
    "dropped-has-entry": "A dropped packet leaves an entry",
}
