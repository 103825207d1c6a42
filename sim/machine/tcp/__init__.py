"""TCP as Linux 6.18 has it, as far as a person watching can tell. `stack` finds connections, `connection` is what programs hold.

Reading order: sequence, segment, chunk, rtt, congestion, sender (what goes out, timers), acks, receiver (what came in), arrival (states),
connection, listener, stack; patience says when TCP gives up.

Simulated: all states, options (MSS, SACK, timestamps, window scale), delayed ACKs with their quick and interactive modes, RFC 6298 with
Linux's bounds and linear SYN time-outs, tail loss probes, RACK, SACK, slow start and Reno, Nagle, zero-window probes, keep-alives, orphans,
TIME-WAIT and its reuse, challenge ACKs, path MTU discovery, ICMP errors. Not simulated: F-RTO, CUBIC and pacing, PAWS, ECN, urgent data,
fast open, SYN cookies, growing buffers, offloads. Timers are exact where the kernel's wheel is up to an eighth late.
"""
