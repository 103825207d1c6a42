import { describe, expect, test } from 'vitest'
import { counts, crowd, hit, paint, sizeOf, wordOf } from './crowd'
import { Maker } from './made'
import { Story } from './story'
import type { Box } from './topology'

const placed = new Map<string, Box>([
  ['laptop', { x: 60, y: 100, width: 100, height: 60 }], ['server', { x: 700, y: 100, width: 100, height: 60 }],
])

function many(count: number) {
  const made = new Maker()
  for (let packet = 1; packet <= count; packet++) made.at(packet).sent(packet, 'laptop', 'server')
  made.label(2, 'NEW')
  const story = new Story('server')
  story.replace(0, made.records)
  return story.seek(story.length)
}

describe('a crowd of packets', () => {
  test('has every packet on the way, between the two machines, the chosen one on top', () => {
    const all = crowd(many(60), 2500, placed, false, 7)
    expect(all).toHaveLength(60)
    expect(all.at(-1)?.packet).toBe(7)
    for (const { x } of all) expect(x > 110 && x < 650).toBe(true)
    expect(all.find(({ packet }) => packet === 2)?.label).toBe('NEW')
  })
  test('keeps colour, shape and word together: a stamp a label, its word on it', () => {
    expect(wordOf('NEW')).toBe('● NEW')
    expect(sizeOf('ESTABLISHED').width).toBeGreaterThan(sizeOf(null).width)
    const stamped: (string | null)[] = []
    const context = { setTransform: () => undefined, clearRect: () => undefined, drawImage: () => undefined, canvas: { width: 9, height: 9 } }
    const stamps = (label: string | null) => (stamped.push(label), { image: {} as CanvasImageSource, width: 9, height: 9 })
    paint(context as unknown as CanvasRenderingContext2D, crowd(many(3), 2500, placed, false, null), stamps, 1, null)
    expect(stamped).toEqual([null, 'NEW', null])
  })
  test('is chosen from by pointing, the topmost first, and nothing beside it', () => {
    const all = crowd(many(60), 2500, placed, false, 7)
    expect(hit(all, all.at(-1)!)).toBe(7)
    expect(hit(all, { x: 400, y: 5 })).toBeNull()
  })
  test('is told in a sentence: how many of each label', () => {
    expect(counts(many(60))).toEqual([['', 59], ['NEW', 1]])
  })
})
