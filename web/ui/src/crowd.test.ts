import { describe, expect, test } from 'vitest'
import { Crowd, KINDS, sizeOf, stampAt, STAMPS, wordOf } from './crowd'
import { Maker } from './made'
import type { Pad, Stamp } from './pad'
import { Story, type State } from './story'
import type { Box } from './topology'
import { FIT } from './viewport'

const placed = new Map<string, Box>([
  ['laptop', { x: 60, y: 100, width: 100, height: 60 }], ['server', { x: 700, y: 100, width: 100, height: 60 }],
])

const EMPTY: Stamp = { width: 9, height: 9, dx: new Int16Array(), dy: new Int16Array(), colour: new Uint32Array(), solid: 0 }

function many(count: number, labelled = 2): State {
  const made = new Maker()
  for (let packet = 1; packet <= count; packet++) made.at(packet * 8).sent(packet, 'laptop', 'server')
  made.label(labelled, 'NEW')
  const story = new Story('server')
  story.replace(0, made.records)
  return story.seek(story.length)
}

function crowdOf(count: number, t: number, chosen: number | null = null): Crowd {
  const crowd = new Crowd()
  crowd.take(many(count), placed, false, chosen, t)
  return crowd
}

/** What is stamped, in order. */
function stamped(crowd: Crowd): number[] {
  const stamps = Array.from({ length: STAMPS }, (): Stamp => ({ ...EMPTY }))
  const found: number[] = []
  crowd.paint({ clear: () => undefined, stamp: (one: Stamp) => found.push(stamps.indexOf(one)) } as unknown as Pad, stamps, 1, FIT)
  return found
}

describe('a crowd of packets', () => {
  test('has every packet on the way, between the two machines', () => {
    const crowd = crowdOf(500, 4100)
    expect(crowd.size).toBe(500)
    for (let i = 0; i < crowd.size; i++) expect((crowd.xs[i] as number) > 110 && (crowd.xs[i] as number) < 650).toBe(true)
    expect(KINDS[crowd.kinds[crowd.packets.indexOf(2)] as number]).toBe('NEW')
  })
  test('moves with the time alone, and goes no further than to the other machine', () => {
    const crowd = crowdOf(50, 500)
    const before = crowd.xs[0] as number
    crowd.move(900)
    expect(crowd.xs[0]).toBeGreaterThan(before)
    crowd.move(1e9)
    const last = crowd.xs[0] as number
    crowd.move(2e9)
    expect(crowd.xs[0]).toBe(last)
  })
  test('words are given to those that have room for them, and the chosen one has the last', () => {
    const crowd = crowdOf(500, 4100, 7)
    const words = [...Array(crowd.size).keys()].filter((i) => crowd.stamp(i) % 3 === 1)
    expect(words.length).toBeGreaterThan(5)
    for (const a of words) for (const b of words) if (a !== b) expect(Math.abs((crowd.xs[a] as number) - (crowd.xs[b] as number)) > sizeOf('NEW').width || Math.abs((crowd.ys[a] as number) - (crowd.ys[b] as number)) > sizeOf('NEW').height).toBe(true)
    expect(stamped(crowd)).toHaveLength(500)
    expect(stamped(crowd).at(-1)).toBe(stampAt(0, 'chosen'))
  })
  test('who has a word keeps it when others arrive and others set out', () => {
    const state = many(500)
    const [one, other] = [new Crowd(), new Crowd()]
    one.take(state, placed, false, null, 4100)
    other.take({ ...state, flying: state.flying.delete(1).delete(2).delete(3) }, placed, false, null, 4100)
    const speaking = (crowd: Crowd): number[] => [...Array(crowd.size).keys()].filter((i) => crowd.stamp(i) % 3 === 1).map((i) => crowd.packets[i] as number)
    const kept = speaking(other).filter((packet) => speaking(one).includes(packet))
    expect(kept.length).toBeGreaterThan(speaking(one).length * 0.8)
  })
  test('keeps colour, shape and word together: a stamp a label, its word on it', () => {
    expect(wordOf('NEW')).toBe('● NEW')
    expect(sizeOf('ESTABLISHED').width).toBeGreaterThan(sizeOf(null).width)
    expect(new Set(KINDS.map((_, kind) => stampAt(kind, 'mark'))).size).toBe(KINDS.length)
  })
  test('is chosen from by pointing, and nothing beside it', () => {
    const crowd = crowdOf(60, 500, 7)
    const i = crowd.packets.indexOf(7)
    expect(crowd.hit({ x: crowd.xs[i] as number, y: crowd.ys[i] as number })).toBe(7)
    expect(crowd.hit({ x: 400, y: 5 })).toBeNull()
  })
  test('is told in a sentence: how many of each label', () => {
    expect(crowdOf(60, 500).told()).toEqual([[null, 59], ['NEW', 1]])
  })
})
