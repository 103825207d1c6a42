import { expect, test } from 'vitest'
import { lanes, partings, type Moment, type Side } from './beliefs'

const moment = (n: number, client: string | null, conntrack: string | null, parted: boolean): Moment => ({
  n, t: n * 1000, client, conntrack, server: null, changed: new Set<Side>(), parted,
})
const TOLD = [moment(1, 'SYN-SENT', null, true), moment(2, 'SYN-SENT', 'SYN_SENT', true), moment(3, 'ESTAB', 'ESTABLISHED', false), moment(4, 'ESTAB', null, true)]

test('a parting is the first moment at which they no longer agree', () => {
  expect(partings(TOLD).map((one) => one.n)).toEqual([1, 4])
})

test('a lane tells how long each belief was held, the last without an end', () => {
  expect(lanes(TOLD, ['client', 'conntrack']).map((one) => [one.side, one.state, one.from, one.to])).toEqual([
    ['client', 'SYN-SENT', 1000, 3000], ['client', 'ESTAB', 3000, null],
    ['conntrack', null, 1000, 2000], ['conntrack', 'SYN_SENT', 2000, 3000], ['conntrack', 'ESTABLISHED', 3000, 4000], ['conntrack', null, 4000, null],
  ])
})
