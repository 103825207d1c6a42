// What stands under a machine's name at the head of its lifeline: that it has no power, the firewall's policy, what it serves, its address.

import type { Scenario } from './channel'
import type { Lifeline } from './ladder'
import { policyAt } from './rulewords'
import { machineOf, type State } from './story'
import { text } from './text'

const ROOMY = 130 // pixels: then the policy's hook is named, too

export function under(scenario: Scenario, state: State, line: Lifeline, width: number): string {
  const machine = scenario.machines.find((one) => one.name === line.machine)
  const power = state.dark[line.machine]
  if (power) return text.topology.power[power]
  const hook = line.role === 'netfilter' ? 'INPUT' : 'FORWARD'
  const policy = line.firewall ? policyAt(machineOf(state, line.machine).tables, hook) : null
  if (policy) return text.ladder.policy(width < ROOMY ? '' : hook, policy)
  return (line.role === 'programs' ? machine?.services.join(', ') : machine?.interfaces[0]?.addresses[0]?.split('/')[0]) ?? ''
}
