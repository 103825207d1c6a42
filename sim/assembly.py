"""Assembly: one machine as its scenario says, ready to run: interfaces, routes, names, settings, rules, services, clients.

`start` makes it what it is at the scenario's start, `boot` what it is once it has come up again: its rules are those that were saved on
its disk (BOOTED), else those of the start. Not in here: links and terminals (build.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sim.apps.clients import Target, Times, start_client
from sim.apps.services import start_service
from sim.conntrack.settings import SysctlError
from sim.document import Path
from sim.errors import ScenarioError, UsageError, did_you_mean
from sim.machine.errors import SocketError
from sim.machine.machine import Machine
from sim.machine.routes import Route
from sim.patience import check_patience
from sim.ruleset.iptables import tool as iptables_tool
from sim.ruleset.nft import tool as nft_tool
from sim.ruleset.text import Result
from sim.scenario import MachineSpec, Scenario
from sim.shell.shell import login
from sim.trace import Emit, Noted
from sim.units import parse_address, parse_interface, show_address

BOOTED = {"iptables": "/etc/iptables/rules.v4", "ip6tables": "/etc/iptables/rules.v6", "nft": "/etc/nftables.conf"}
"""What netfilter-persistent and nftables.service load at a boot, on Debian."""


class Unbuildable(ScenarioError):
    """A machine's own tools refuse what the scenario gives them; `path` says where in the scenario, as a Document's paths do."""

    def __init__(self, message: str, path: Path, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.path = path


def furnish(machine: Machine, spec: MachineSpec) -> None:
    """Devices, addresses and routes. Raises Unbuildable."""
    name = machine.name
    machine.login = login
    for dev, addresses in spec.interfaces.items():
        machine.ip.add_interface(dev, addresses, mtu=spec.mtu.get(dev, 1500))
    for prefix, via in spec.routes.items():
        _must(name, ("routes", prefix), partial(_add_route, machine, prefix, via), _next_hop(name, spec, via))


def _next_hop(name: str, spec: MachineSpec, via: str) -> str:
    """Why a next hop may be refused: it is the machine's own address, or in no network of its interfaces."""
    addresses = [(dev, address) for dev, several in spec.interfaces.items() for address in several]
    if any(address.partition("/")[0] == via for _, address in addresses):
        return f"{via} is {name}'s own address"
    whole = ((dev, f"{show_address(host)}/{bits}") for dev, address in addresses[:8] for host, bits in [parse_interface(address)])
    has = ", ".join(f"{dev} {address}" for dev, address in whole)
    return f"{via} is in none of the networks of {name}: it has {has or 'no interface'}"


def _add_route(machine: Machine, prefix: str, via: str) -> None:
    machine.ip.routes.add(Route.through(prefix, via))


def start(scenario: Scenario, machine: Machine) -> None:
    """Names, settings, rules and services: they may speak of every other machine.

    Raises Unbuildable, and BudgetExceeded when nobody waits any longer.
    """
    check_patience()
    spec = scenario.machines[machine.name]
    machine.files.update(spec.files)
    _prepare(scenario, machine, spec)
    _load_rules(machine, spec)
    _serve(machine, spec)


def boot(scenario: Scenario, machine: Machine, emit: Emit) -> None:
    """The same after a boot. Rules that its tools refuse are not there, as at a real boot, and the trace says so."""
    spec = scenario.machines[machine.name]
    furnish(machine, spec)
    _prepare(scenario, machine, spec)
    said = []
    for tool, text in _saved(machine, spec).items():
        result = _loaded(machine, tool, text)
        problem = result.err.strip().partition("\n")[0] if result.status else ""
        said.append(f"{tool} refuses the rules it finds ({problem})" if problem else f"the rules of {tool} are those that were saved")
    _serve(machine, spec)
    rules = "; ".join(said) or "no rules were saved, so there are none"
    emit(Noted("power-up", f"{machine.name} is up again: no connection is known, and {rules}."))


def _saved(machine: Machine, spec: MachineSpec) -> dict[str, str]:
    """The rules that a boot finds: a file that somebody saved, else what the scenario starts with."""
    begun = {"iptables": spec.rules.iptables, "ip6tables": spec.rules.ip6tables, "nft": spec.rules.nft}
    found = {tool: machine.files.get(path, begun[tool]) for tool, path in BOOTED.items()}
    return {tool: text for tool, text in found.items() if text.strip()}


def _prepare(scenario: Scenario, machine: Machine, spec: MachineSpec) -> None:
    machine.hosts.update(_hosts(scenario))
    machine.resolver, machine.user = spec.resolver, spec.user
    for key, value in spec.sysctls.items():
        known = list(machine.sysctls.keys())
        hint = f"'{value}' is no value for it: most are whole numbers" if key in known else did_you_mean(key, known)
        _must(machine.name, ("sysctls", key), partial(machine.ip.sysctls.set, key, str(value)), hint)
    machine.ip.track_always = spec.conntrack == "always"


def _serve(machine: Machine, spec: MachineSpec) -> None:
    machine.ip.arrange_conntrack()
    for service in spec.services:
        start_service(machine, service.name, service.options)


def clients(machine: Machine, spec: MachineSpec) -> None:
    """Those who act by themselves, from now on. Raises Unbuildable."""
    now = int(machine.env.now)
    for index, one in enumerate(spec.clients):
        times = Times(max(0, one.at - now), one.every, one.until, one.patience)
        target = Target(one.name or f"{one.protocol} {one.port}", one.to, one.protocol, one.port)
        _must(machine.name, ("clients", index), partial(parse_address, machine.hosts.get(one.to, one.to)))
        start_client(machine, machine.emit, one.does, target, times)


def _hosts(scenario: Scenario) -> dict[str, str]:
    """/etc/hosts: each machine by its first address, then what the scenario names."""
    found = {}
    for name, spec in scenario.machines.items():
        addresses = [address for dev in spec.interfaces.values() for address in dev]
        if addresses:
            found[name] = addresses[0].split("/")[0]
    return found | dict(scenario.hosts)


def _load_rules(machine: Machine, spec: MachineSpec) -> None:
    for tool, text in (("iptables", spec.rules.iptables), ("ip6tables", spec.rules.ip6tables), ("nft", spec.rules.nft)):
        result = _loaded(machine, tool, text)
        if result.status:
            path = ("machines", machine.name, "rules", tool)
            raise Unbuildable(f"{machine.name}: {tool} refuses the rules:\n{result.err.rstrip()}", path)


def _loaded(machine: Machine, tool: str, text: str) -> Result:
    rules = machine.ip.rules
    if not text:
        return Result()
    if tool == "nft":
        return nft_tool.run(["nft", "-f", "-"], rules, stdin=text)
    return iptables_tool.run([f"{tool}-restore"], rules, stdin=text)


def _must(machine: str, where: Path, action: Callable[[], object], hint: str = "") -> None:
    try:
        action()
    except (SocketError, SysctlError, UsageError) as error:
        message = f"{machine}: {': '.join(map(str, where))}: {error}"
        raise Unbuildable(message, ("machines", machine, *where), hint) from error
