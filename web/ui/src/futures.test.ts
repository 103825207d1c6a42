import { expect, test } from 'vitest'
import { compare, sum, told, toldTables, toldTerminals } from './futures'
import { Index } from './index'
import { entry, Maker, why } from './made'
import type { TraceRecord } from './records'

const indexed = (records: readonly TraceRecord[]): Index => {
  const index = new Index('server')
  for (const record of records) index.add(record)
  return index
}
function future(drop: boolean): Index {
  const made = new Maker().sent(1, 'laptop', 'server').label(1, 'NEW').add('server', 'delivered', { packet: 1, to: 'tcp' })
  made.at(9000).sent(2, 'laptop', 'server', 'PSH').at(14_000).label(2, 'ESTABLISHED')
  if (drop) made.add('server', 'dropped', { packet: 2, where: 'INPUT', by: 'policy', reason: why('policy') })
  else made.add('server', 'delivered', { packet: 2, to: 'tcp' })
  if (drop) made.at(500_000).sent(3, 'laptop', 'server', 'PSH', 1)
  return indexed(made.records)
}

test('two futures part at the first instant at which a packet fares differently', () => {
  const { instants, first } = compare(told(future(false)), told(future(true)))
  expect(first).toBe(1)
  expect(instants.map((one) => [one.t, one.same])).toEqual([[0, true], [9000, false], [500_000, false]])
  expect(instants[2]?.mine).toEqual([])
  expect(instants[1]?.other[0]?.words).toContain('dropped by policy')
})

test('the same future does not part from itself', () => {
  expect(compare(told(future(true)), told(future(true))).first).toBe(-1)
})

test('packets, what was stopped and the labels are counted', () => {
  expect(sum(told(future(true)))).toEqual({ packets: 3, ended: 1, labels: { NEW: 1, ESTABLISHED: 1 } })
})

test('the change itself is no difference, what it changes is: in packets, in tables, and on terminals', () => {
  const changed = (yes: boolean): TraceRecord[] => {
    const made = new Maker()
    if (yes) made.add('server', 'input', { text: 'server: sysctl', input: { type: 'command', machine: 'server', text: 'sysctl' } })
    made.at(5000).sent(1, 'laptop', 'server').label(1, 'NEW').add('server', 'entry-new', { conn: 1, packet: 1, entry: entry('SYN_SENT'), reason: why('a SYN') })
    const end = yes ? 90_000 : 30_000
    made.at(end).add('server', 'entry-expired', { conn: 1 }).add('server', 'entry-destroy', { conn: 1, packet: null, entry: entry('SYN_SENT'), reason: why('time') })
    return made.at(95_000).add('laptop', 'output', { terminal: 'laptop', text: yes ? 'hello\n' : 'timed out\n' }).records
  }
  const [mine, other] = [changed(true), changed(false)]
  expect(compare(told(indexed(mine)), told(indexed(other))).first).toBe(-1)
  const tables = compare(toldTables(indexed(mine)), toldTables(indexed(other)))
  expect(tables.instants[tables.first]?.t).toBe(30_000)
  const terminals = compare(toldTerminals(mine), toldTerminals(other))
  expect(terminals.instants[terminals.first]?.mine[0]?.words).toBe('laptop: hello')
})
