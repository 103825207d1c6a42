import { expect, test } from 'vitest'
import type { Scenario } from './channel'
import { tries } from './tries'

const machine = (name: string, addresses: string[], services: string[] = []): Scenario['machines'][number] =>
  ({ name, kind: 'host', x: 0, y: 0, interfaces: [{ dev: 'eth0', addresses }], services }) as Scenario['machines'][number]
const scenario = (machines: Scenario['machines'], terminals: Scenario['terminals']): Scenario => ({ id: 'x', title: '', firewall: 'fw', machines, links: [], terminals }) as unknown as Scenario
const LAPTOP = { id: 'l', machine: 'laptop', title: 'laptop' } as Scenario['terminals'][number]
const FIREWALL = { id: 'f', machine: 'fw', title: 'console' } as Scenario['terminals'][number]

test('what a machine serves is asked for at the address that is nearest, and the firewall what it knows', () => {
  const machines = [machine('laptop', ['192.168.1.10/24', 'fd00::1/64']), machine('fw', ['203.0.113.7/24', '192.168.1.1/24'], ['http :8080', 'ssh :22'])]
  expect(tries(scenario(machines, [FIREWALL, LAPTOP])).map(({ terminal, line }) => `${terminal}: ${line}`)).toEqual([
    'l: curl http://192.168.1.1:8080/', 'l: nc -zv 192.168.1.1 22', 'l: ping -c 2 192.168.1.1', 'f: conntrack -L', 'f: iptables -nvL',
  ])
})

test('where nothing is served and no terminal stands, nothing is offered', () => {
  expect(tries(scenario([machine('laptop', ['10.0.0.1/24']), machine('fw', [])], [LAPTOP]))).toEqual([])
})
