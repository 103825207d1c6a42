import { expect, test } from 'vitest'
import { ageOf, apart, checksOf, fullCheck } from './checks'
import { Index } from './index'
import { transport } from './inside'
import { entry, Maker, why } from './made'
import type { RecordOf, TraceRecord } from './records'

function labelled(records: readonly TraceRecord[]): ReturnType<typeof checksOf> {
  const index = new Index('server')
  for (const record of records) index.add(record)
  const label = records.find((one) => one.kind === 'label') as RecordOf<'label'>
  return checksOf(label, index.trip(label.packet)!)
}
const label = (made: Maker, what: string, code: string, numbers: { [name: string]: unknown }): Maker =>
  made.add('server', 'label', { packet: 1, hook: 'PREROUTING', label: what, direction: null, conn: null, reason: { ...why('because'), code, numbers }, kernel_log: [] })

test('a segment beyond the window is drawn outside of it, also where the numbers wrap around', () => {
  const numbers = { seq: 100, end: 110, lowest: 2 ** 32 - 50, highest: 60, ack: 7, sack: 7, ack_lowest: 0, ack_highest: 7 }
  const [check] = labelled(label(new Maker().sent(1, 'laptop', 'server'), 'INVALID', 'tcp-window-seq-over', numbers).records)
  expect(check).toMatchObject({ kind: 'window', fits: false, allowed: { from: -150, to: -40 }, found: { from: 0, to: 10 } })
  expect(apart(5, 2 ** 32 - 5)).toBe(10)
})

test('a packet that was expected is compared with the expectation field by field', () => {
  const made = new Maker().sent(1, 'laptop', 'server')
  made.add('server', 'expectation', { action: 'used', conn: 4, packet: 1, expectation: { protocol: 'tcp', src: null, sport: null, dst: '192.168.1.20', dport: 22 }, reason: why('used') })
  const [check] = labelled(label(made, 'RELATED', 'x', {}).records)
  expect(check?.kind === 'tuple' && check.rows.map((row) => [row.name, row.expected, row.fits])).toEqual([
    ['protocol', 'tcp', true], ['src', null, true], ['sport', null, true], ['dst', '192.168.1.20', true], ['dport', '22', true],
  ])
})

test('an entry’s age is the time since it was refreshed last', () => {
  const before = { t: 10_000_000, entry: entry('SYN_SENT', { expires: 130_000_000 }) }
  expect(ageOf({ t: 130_000_000, reason: { ...why(''), code: 'expired' } }, before)).toEqual({ kind: 'age', age: 120_000_000, timeout: 120_000_000 })
  expect(ageOf({ t: 20_000_000, reason: { ...why(''), code: 'deleted' } }, before)).toBeNull()
})

test('the right checksum is what the bytes sum to', () => {
  // UDP 1.2.3.4:1 > 5.6.7.8:2, no data, its checksum wrong by one
  const data = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 2, 0, 8, 0xef, 0xc8]
  const { found, right } = transport(data)!
  expect(found).toBe(0xefc8)
  const whole = [...data.slice(0, 26), right >>> 8, right & 255]
  expect(transport(whole)).toEqual({ found: right, right })
})

test('a RST from before what was acknowledged is drawn behind it, and the cell that a segment met with the state since', () => {
  const [rst] = labelled(label(new Maker().sent(1, 'laptop', 'server'), 'INVALID', 'tcp-rst-old', { seq: 4294967290, maxack: 4 }).records)
  expect(rst).toEqual({ kind: 'rst', seq: 4294967290, acknowledged: 4, behind: 10 })
  const made = new Maker().sent(1, 'laptop', 'server')
  made.add('server', 'entry-update', { conn: 1, packet: 1, entry: entry('FIN_WAIT'), changed: ['state'], told: true, reason: why('fin') })
  const [cell] = labelled(label(made, 'ESTABLISHED', 'tcp-original-fin-ESTABLISHED', {}).records)
  expect(cell).toEqual({ kind: 'cell', direction: 'original', segment: 'FIN', before: 'ESTABLISHED', after: 'FIN_WAIT' })
  const [refused] = labelled(label(new Maker().sent(1, 'laptop', 'server'), 'INVALID', 'tcp-reply-ack-NONE', {}).records)
  expect(refused).toMatchObject({ direction: 'reply', before: 'NONE', after: 'INVALID' })
  expect(fullCheck({ code: 'table-full', text: '', numbers: {} }, 40)).toEqual([{ kind: 'full', count: 40 }])
  expect(fullCheck({ code: 'policy', text: '', numbers: {} }, 40)).toEqual([])
})
