import { expect, test } from 'vitest'
import { labelOf, momentOf } from './dumped'
import { Index } from './index'
import { Maker } from './made'

const LINE = 'IP 192.168.1.10.51514 > 192.168.1.20.22: Flags [S], seq 1, win 64240, length 0'

test('the time of day that tcpdump prints is a moment of the scenario', () => {
  expect(momentOf('09:00:01.000005 ')).toBe(1_000_005)
  expect(momentOf('08:59:59.000000')).toBe(86_399_000_000)
})

test('a line has the label of the packet that was on the device then, once it was given, and no other packet’s', () => {
  const made = new Maker().at(5).sent(1, 'laptop', 'server').at(5005).add('server', 'arrived', { packet: 1, dev: 'eth0' }).label(1, 'NEW')
  const index = new Index('server')
  for (const record of made.records) index.add(record)
  const found = (time: string, line = LINE, n = 9): string | null => labelOf(index, made.records, n, time, line)
  expect([found('09:00:00.000005'), found('09:00:00.005005')]).toEqual(['NEW', 'NEW'])
  expect([found('09:00:00.000006'), found('09:00:00.005005', LINE.replace('51514', '51515')), found('09:00:00.005005', LINE, 2)]).toEqual([null, null, null])
})
