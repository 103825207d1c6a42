import { expect, test } from 'vitest'
import { met, short } from './grid'
import { Index } from './index'
import { curve, heightOf, missed, steps, visits } from './lives'
import { entry, Maker, why } from './made'
import type { TraceRecord } from './records'
import { rewritten } from './tuples'

function indexed(records: readonly TraceRecord[]): Index {
  const index = new Index('server')
  for (const record of records) index.add(record)
  return index
}

/** A SYN opens an entry, an answer changes it, it runs out of time, and then its client speaks again. */
function lived(): { index: Index; records: TraceRecord[] } {
  const made = new Maker()
  const cell = (code: string) => ({ ...why('because'), numbers: { cell: code } })
  made.sent(1, 'laptop', 'server').add('server', 'label', { packet: 1, hook: 'PREROUTING', label: 'NEW', direction: 'original', conn: 1, reason: cell('tcp-original-syn-NONE'), kernel_log: [] })
  made.add('server', 'entry-new', { conn: 1, packet: 1, entry: entry('SYN_SENT', { expires: 120_000_000 }), reason: why('a SYN') })
  made.add('server', 'entry-told', { conn: 1, packet: 1, event: 'NEW', line: 'NEW line' })
  made.at(20_000_000).sent(2, 'server', 'laptop').add('server', 'label', { packet: 2, hook: 'OUTPUT', label: 'ESTABLISHED', direction: 'reply', conn: 1, reason: cell('tcp-reply-synack-SYN_SENT'), kernel_log: [] })
  made.add('server', 'entry-update', { conn: 1, packet: 2, entry: entry('SYN_RECV', { expires: 80_000_000 }), changed: ['state', 'expires'], told: true, reason: why('an answer') })
  made.add('server', 'entry-told', { conn: 1, packet: 2, event: 'UPDATE', line: 'UPDATE line' })
  made.at(80_000_000).add('server', 'entry-expired', { conn: 1 })
  made.add('server', 'entry-destroy', { conn: 1, packet: null, entry: entry('SYN_RECV', { expires: 80_000_000 }), reason: { ...why('time'), code: 'expired' } })
  made.add('server', 'entry-told', { conn: 1, packet: null, event: 'DESTROY', line: 'DESTROY line' })
  made.at(90_000_000).sent(3, 'laptop', 'server', 'ACK').add('server', 'label', { packet: 3, hook: 'PREROUTING', label: 'INVALID', direction: null, conn: null, reason: cell('tcp-original-ack-NONE'), kernel_log: [] })
  return { index: indexed(made.records), records: made.records }
}
const life = (index: Index) => index.entries.get('server 1')!

test('a life tells each change with its packet, the time that was left, and the line that the tool prints of it', () => {
  const { index } = lived()
  const told = steps(index, life(index), Infinity)
  expect(told.map((one) => [one.trip?.packet, one.left / 1e6, one.timeout / 1e6, one.line])).toEqual([
    [1, 0, 120, 'NEW line'], [2, 100, 60, 'UPDATE line'], [undefined, 0, 0, 'DESTROY line'],
  ])
  expect(steps(index, life(index), told[1]!.n)).toHaveLength(1)
})

test('the cells that packets met are told in order, also that of a packet which was refused the entry; after the entry’s end none', () => {
  const { index } = lived()
  const all = visits(index, life(index), Infinity)
  expect(all.map((one) => one.cell)).toEqual(['tcp-original-syn-NONE', 'tcp-reply-synack-SYN_SENT'])
  expect(met(all).get('tcp-reply-synack-SYN_SENT')).toEqual({ times: 1, last: true })
  expect(['ESTABLISHED', 'SYN_SENT', 'SYN_SENT2', 'LAST_ACK', 'NONE'].map(short)).toEqual(['ES', 'SS', 'S2', 'LA', 'NO'])
})

test('who goes on with a conversation that was forgotten is found, and how late', () => {
  const { index } = lived()
  expect(missed(index, life(index))).toMatchObject({ t: 90_000_000, late: 10_000_000, trip: { packet: 3 } })
})

test('the curve falls to nothing where the entry dies, and each packet lifts it again', () => {
  const { index } = lived()
  const drawn = curve(steps(index, life(index), Infinity), 0, (t) => t / 1e6)
  expect(drawn.points.at(-1)).toEqual({ x: 80, y: 0 })
  expect(drawn.at.map((one) => one.x)).toEqual([0, 20, 80])
  expect(drawn.points.find((one) => one.x === 20 && one.y === heightOf(60_000_000, 120_000_000))).toBeTruthy()
})

test('NAT is what differs between one tuple and the other turned round', () => {
  expect(rewritten(entry('ESTABLISHED'))).toEqual([])
  const reply = { src: '192.168.1.20', dst: '203.0.113.1', sport: 2222, dport: 4000 }
  expect(rewritten(entry('ESTABLISHED', { reply }))).toEqual([
    { what: 'SNAT', from: '192.168.1.10:51514', to: '203.0.113.1:4000' }, { what: 'DNAT', from: '192.168.1.20:22', to: '192.168.1.20:2222' },
  ])
})
