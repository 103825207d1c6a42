"""Scenarios: what a file or a Python value says of machines, links, services, rules and traffic. model.py has the words' drawing.

`words` the small types, `traffic` what happens by itself, `clients` who acts by themselves, `model` the whole,
`agree` what the parts must have in common. Nothing runs here.
"""

from sim.scenario.clients import ClientSpec
from sim.scenario.model import Budget, LinkSpec, MachineSpec, Rules, Scenario, Service, TerminalSpec
from sim.scenario.traffic import TrafficSpec

__all__ = ["Budget", "ClientSpec", "LinkSpec", "MachineSpec", "Rules", "Scenario", "Service", "TerminalSpec", "TrafficSpec"]
