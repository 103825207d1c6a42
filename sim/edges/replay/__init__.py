"""Replay: pushes a packet capture through a simulated firewall and says what became of every packet.

Where is what:
    run.py       Replay: frames in, outcomes out, commands in between, the clock
    arrival.py   in which device a packet arrives
    wall.py      Wall: the firewall itself
    lane.py      the quick way through it, for plain packets;  ways.py: what can be foreseen of them
    lines.py     lines of JSON by either way;  page.py: where they are written
    console.py   commands on it;  rules.py: rulesets for it
    outcome.py   what became of a packet, and its line of JSON;  text.py: the same line, written fast
"""

from sim.edges.replay.arrival import read_addresses
from sim.edges.replay.outcome import Outcome, Printed, Rewritten, Step, dumps, to_json
from sim.edges.replay.rules import load_rules
from sim.edges.replay.run import At, Replay, read_at
from sim.edges.replay.text import Writer
from sim.edges.replay.wall import Wall

__all__ = [
    "At", "Outcome", "Printed", "Replay", "Rewritten", "Step", "Wall", "Writer", "dumps", "load_rules", "read_addresses", "read_at",
    "to_json",
]  # fmt: skip
