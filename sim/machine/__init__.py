"""A host or router: interfaces, routes, the five hooks, and the TCP, UDP and ICMP stacks."""
