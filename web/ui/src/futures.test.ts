import { expect, test } from 'vitest'
import { compare, sum, told } from './futures'
import { Index } from './index'
import { Maker, why } from './made'
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
