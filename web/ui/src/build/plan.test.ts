import { describe, expect, it } from 'vitest'
import { EMPTY, connected, placeOf, problemsAt, renamed, toldOff, withDev, withMachine, withoutMachine, type Data } from './plan'

const three = (): Data => {
  let data = EMPTY
  for (const kind of ['host', 'firewall', 'host'] as const) data = withMachine(data, kind, [0.5, 0.5]).data
  return data
}

describe('machines', () => {
  it('come with a name and a terminal of their own, and the firewall is watched', () => {
    const data = three()
    expect(Object.keys(data.machines)).toEqual(['host1', 'firewall1', 'host2'])
    expect(data.firewall).toBe('firewall1')
    expect(data.terminals?.map(({ id, machine }) => [id, machine])).toEqual([['host1', 'host1'], ['firewall1', 'firewall1'], ['host2', 'host2']])
  })
  it('go with their cables, terminals and traffic', () => {
    const data = { ...connected(three(), 'host1', 'firewall1'), traffic: [{ at: '1s', terminal: 'host1', type: 'ls' }, { at: '1s', machine: 'host2', packet: '' }, { at: 1, link: 'host1.eth0--firewall1.eth0', change: 'down' }] }
    const left = withoutMachine(data, 'firewall1')
    expect([left.links, left.firewall, left.traffic?.length]).toEqual([[], 'host1', 2])
    expect(withoutMachine(data, 'host1').traffic).toEqual([{ at: '1s', machine: 'host2', packet: '' }])
  })
  it('get another name everywhere, in their place; a name that is taken changes nothing', () => {
    const data = renamed(connected(three(), 'host1', 'firewall1'), 'firewall1', 'wall')
    expect([Object.keys(data.machines)[1], data.firewall, data.links?.[0]?.between[1], data.terminals?.[1]?.machine]).toEqual(['wall', 'wall', 'wall.eth0', 'wall'])
    expect(renamed(data, 'wall', 'host1')).toBe(data)
  })
})

describe('cables', () => {
  it('take free interfaces or new ones, give addresses of one network, and a host its way out', () => {
    const data = connected(connected(three(), 'host1', 'firewall1'), 'firewall1', 'host2')
    expect(data.machines['firewall1']?.interfaces).toEqual({ eth0: '10.0.1.2/24', eth1: '10.0.2.1/24' })
    expect(data.machines['host2']).toMatchObject({ interfaces: { eth0: '10.0.2.2/24' }, routes: { default: '10.0.2.1' } })
  })
  it('keep the network of an end that has an address', () => {
    const data = three()
    data.machines['host1'] = { interfaces: { lan: ['192.168.7.1/24', 'fd00::1/64'] } }
    expect(connected(data, 'host1', 'host2').machines['host2']?.interfaces).toEqual({ eth0: '192.168.7.2/24' })
  })
  it('follow an interface to its other name', () => {
    expect(withDev(connected(three(), 'host1', 'host2'), 'host1', 'eth0', 'lan').links?.[0]?.between).toEqual(['host1.lan', 'host2.eth0'])
  })
})

it('a field has the problems of all that is in it', () => {
  const problem = { path: ['machines', 'a', 'interfaces', 'eth0', 0], line: 1, column: 1, message: '', hint: '' }
  expect(problemsAt([problem], ['machines', 'a', 'interfaces']).length).toBe(1)
  expect(problemsAt([problem], ['machines', 'b']).length).toBe(0)
  expect(placeOf({ ...EMPTY, machines: { a: {}, b: {} } }, 'b')).toEqual([0.75, 0.5])
})

it('who has placed no machine yet is not told off for what is missing because of it, and any other mistake is told', () => {
  const wrong = (...path: string[]) => ({ path, line: 1, column: 1, message: path.join(), hint: '' })
  const all = [wrong('firewall'), wrong('machines'), wrong('title'), wrong()]
  expect(toldOff(EMPTY, all).map(({ message }) => message)).toEqual(['title', ''])
  expect(toldOff(three(), all)).toEqual(all)
})
