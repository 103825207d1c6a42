import { expect, test } from 'vitest'
import { conntrackLine, duration, round } from './format'
import { Index } from './index'
import { fate, journey, labelAt } from './journey'
import { busy, entry, everyKind, Maker } from './made'
import type { TraceRecord } from './records'
import { beat, Warp } from './warp'

function indexed(records: readonly TraceRecord[]): Index {
  const index = new Index('server')
  for (const record of records) index.add(record)
  return index
}

const plain = (index: Index): unknown =>
  JSON.parse(JSON.stringify({ ...index, decided: index.decided, entries: [...index.entries], sockets: [...index.sockets] }))

test('silence of five days is shown in a second, a link of 5 ms in a third of one', () => {
  expect(beat(5 * 86_400_000_000)).toBe(1)
  expect(beat(5000)).toBeCloseTo(0.347, 2)
})

test('shown place and simulated time are each the inverse of the other', () => {
  const warp = new Warp()
  busy(500).forEach((record) => warp.add(record))
  for (const moment of warp.moments) expect(warp.timeAt(warp.placeOf(moment.t))).toBeCloseTo(moment.t, 3)
  expect(warp.timeAt(warp.placeOf(123_456))).toBeCloseTo(123_456, 3)
  expect(warp.countAt(warp.moments[7]?.t ?? -1)).toBe(warp.moments[7]?.n)
})

test('an index that is cut and grown again is the index of the new trace', () => {
  const [old, young] = [busy(400, 1), busy(400, 2)]
  for (const from of [0, 1, 133, 399]) {
    const index = indexed(old)
    index.cut(from, old)
    const records = [...old.slice(0, from), ...young.slice(from)]
    for (const record of records.slice(from)) index.add(record)
    expect(plain(index)).toEqual(plain(indexed(records)))
  }
})

test('stepping from packet to packet visits each once, in the order of decision, and back again', () => {
  const index = indexed(busy(300, 3))
  const seen = []
  let n = 0
  for (let trip = index.nextAfter(n); trip; trip = index.nextAfter(n)) {
    seen.push(trip.packet)
    n = trip.decided
  }
  expect(seen).toEqual(index.decided.map((trip) => trip.packet))
  const back = []
  for (let trip = index.lastBefore(n + 1); trip; trip = index.lastBefore(trip.decided)) back.push(trip.packet)
  expect(back).toEqual(seen.reverse())
})

test('the computed future ends for the one who watches with the last packet, not with an expiry days later', () => {
  const records = everyKind()
  const last = records.findLastIndex((record) => record.kind === 'dropped')
  expect(indexed(records).lastDoing).toBe(last + 1)
})

test('of tries that come ever more rarely only those are played by themselves that come soon', () => {
  const made = new Maker()
  for (const [again, t] of [0, 1, 3, 7, 15, 31].entries()) made.at(t * 1_000_000).sent(again + 1, 'laptop', 'server', 'PSH', again)
  const index = indexed(made.records)
  expect(index.lastDoing).toBe(6)
  expect(index.restAfter(0, made.records)).toBe(5)
  made.at(31_000_000).add('laptop', 'output', { terminal: 'laptop', text: '$ ' })
  expect(indexed(made.records).restAfter(0, made.records)).toBe(7)
  made.at(91_000_000).add('laptop', 'output', { terminal: 'laptop', text: '$ ' })
  expect(indexed(made.records).restAfter(6, made.records)).toBe(8)
})

test('a journey tells stations, label, rules tried and verdict up to the moment that is asked for, and no further', () => {
  const records = everyKind()
  const trip = indexed(records).trip(1)
  if (!trip) throw new Error('no trip')
  const whole = journey(trip, 'server', records.length)
  expect(whole.stations.map((station) => station.name)).toEqual(['PREROUTING', 'conntrack', 'routing: local', 'delivered'])
  expect(whole.passes).toMatchObject([{ table: 'filter', chain: 'INPUT', verdict: { verdict: 'ACCEPT', by: 'rule' } }])
  expect(whole.passes[0]?.tried).toHaveLength(1)
  const labelled = trip.label?.n ?? 0
  expect(labelAt(trip, labelled)).toBeNull()
  expect(labelAt(trip, labelled + 1)).toBe('NEW')
  expect(journey(trip, 'server', labelled + 1).passes).toEqual([])
  expect(fate(trip, labelled + 1)).toBe('under way')
  expect(fate(trip, records.length)).toBe('passed')
})

test('expiries are found before and after a moment', () => {
  const records = everyKind()
  const index = indexed(records)
  const at = records.findIndex((record) => record.kind === 'entry-expired')
  expect(index.expiryAfter(0)).toBe(at)
  expect(index.expiryAfter(at + 2)).toBeNull()
  expect(index.expiryBefore(at + 2)).toBeNull()
  expect(index.expiryBefore(at + 3)).toBe(at)
})

test('the line of an entry is the engine’s own, with the seconds that are left at the moment', () => {
  const tcp = entry('ESTABLISHED', { expires: 300_000_000, line: 'tcp      6 431999 ESTABLISHED src=10.0.0.6 dst=10.0.0.2 use=1' })
  expect(conntrackLine(tcp, 500_000)).toBe('tcp      6 299 ESTABLISHED src=10.0.0.6 dst=10.0.0.2 use=1')
  expect(conntrackLine(tcp, 400_000_000)).toBe('tcp      6 0 ESTABLISHED src=10.0.0.6 dst=10.0.0.2 use=1')
})

test('times read as a person says them', () => {
  expect([400_000, 8_000_000, 299_000_000, 431_999_000_000].map(duration)).toEqual(['0.4 s', '8 s', '4:59', '4 d 23:59:59'])
  expect([300_000_000, 432_000_000_000].map(round)).toEqual(['300 s', '5 days'])
})
