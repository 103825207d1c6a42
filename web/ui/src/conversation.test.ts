import { describe, expect, test } from 'vitest'
import { belongs, conversation } from './conversation'
import { Index } from './index'
import { entry, Maker, why } from './made'

function heard(made: Maker): Index {
  const index = new Index('server')
  for (const record of made.records) index.add(record)
  return index
}
const born = (made: Maker, conn: number, packet: number): Maker =>
  made.add('server', 'entry-new', { conn, packet, entry: entry('SYN_SENT'), reason: why('new') })

describe('a conversation', () => {
  test('has the packets of its entry, both ways and before they have a label, and no others', () => {
    const made = born(new Maker().at(1).sent(1, 'laptop', 'server').label(1, 'NEW', 7), 7, 1)
    made.at(2).sent(2, 'server', 'laptop').label(2, 'ESTABLISHED', 7).sent(3, 'laptop', 'server') // no label yet, but the same ports
    made.sent(4, 'laptop', 'server').label(4, 'NEW', 8)
    Object.assign(made.records.find((one) => one.kind === 'sent' && one.packet === 4)!, { headers: { protocol: 'tcp', src: '192.168.1.10', dst: '192.168.1.20', sport: 6, dport: 80 } })
    const index = heard(made)
    const one = conversation(index, index.trip(1)!)
    expect([1, 2, 3, 4].filter((packet) => belongs(one, index.trip(packet)))).toEqual([1, 2, 3])
    expect(belongs(one, undefined)).toBe(false)
  })
  test('takes in what a helper announced, whichever of the two is chosen', () => {
    const made = born(new Maker().at(1).sent(1, 'laptop', 'server').label(1, 'NEW', 7), 7, 1)
    made.at(2).sent(2, 'server', 'laptop').add('server', 'expectation', { action: 'used', conn: 7, packet: 2, expectation: {}, reason: why('used') })
    born(made, 9, 2).label(2, 'RELATED', 9)
    const index = heard(made)
    for (const chosen of [1, 2]) {
      const one = conversation(index, index.trip(chosen)!)
      expect([...one.conns].sort()).toEqual([7, 9])
      expect([1, 2].every((packet) => belongs(one, index.trip(packet)))).toBe(true)
    }
  })
})
