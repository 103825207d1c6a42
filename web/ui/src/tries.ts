// What may be tried in a lab of one's own, as lines for its terminals: what its machines serve is asked for, and the firewall what it knows.
// A suggestion may well come to nothing: that is then the thing to look at. Pure.

import type { Scenario } from './channel'

/** `line` is for a shell in `terminal`; `root`: it takes root's rights. */
export interface Try { terminal: string; title: string; line: string; root: boolean }
const MOST = 4

const SERVED: { readonly [service: string]: (address: string, port: string) => string } = {
  http: (address, port) => `curl http://${address}${port === '80' ? '' : `:${port}`}/`, dns: (address) => `dig @${address} www.example.net`,
  ssh: (address, port) => `nc -zv ${address} ${port}`,
}

type Machine = Scenario['machines'][number]
const addressesOf = (machine: Machine): string[] => machine.interfaces.flatMap(({ addresses }) => addresses.filter((one) => !one.includes(':')))
const network = (address: string): string => address.split('.').slice(0, 3).join('.')

/** The address by which `other` is best reached: one of a network that both are in, else its last. */
function reached(from: Machine, other: Machine): string | undefined {
  const near = new Set(addressesOf(from).map(network))
  const all = addressesOf(other)
  return (all.find((one) => near.has(network(one))) ?? all.at(-1))?.split('/')[0]
}

function asked(from: Machine, other: Machine): string[] {
  const address = reached(from, other)
  if (!address) return []
  const served = other.services.flatMap((one) => {
    const [name = '', port = ''] = one.split(' :')
    return SERVED[name] ? [SERVED[name](address, port)] : []
  })
  return [...served, `ping -c 2 ${address}`]
}

export function tries(scenario: Scenario): Try[] {
  const at = (terminal: Scenario['terminals'][number]): Machine | undefined => scenario.machines.find(({ name }) => name === terminal.machine)
  const theirs = scenario.terminals.filter(({ machine }) => machine !== scenario.firewall)
  const found = theirs.flatMap((terminal) => {
    const from = at(terminal)
    const others = scenario.machines.filter((one) => one !== from && one.services.length > 0)
    return from ? others.flatMap((other) => asked(from, other).map((line): Try => ({ terminal: terminal.id, title: terminal.title, line, root: false }))) : []
  })
  const own = scenario.terminals.filter(({ machine }) => machine === scenario.firewall).slice(0, 1)
  const known = own.flatMap(({ id, title }) => ['conntrack -L', 'iptables -nvL'].map((line): Try => ({ terminal: id, title, line, root: true })))
  return [...found.slice(0, MOST), ...known]
}
