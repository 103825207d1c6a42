import { describe, expect, test } from 'vitest'
import { FIT, panned, placeAt, shifted, UNTOUCHED, zoomed } from './viewport'

const stage = { width: 600, height: 300 }

describe('what part of the map is seen', () => {
  test('the place under the pointer stays under it while the map grows and shrinks', () => {
    const at = { x: 420, y: 80 }
    let view = FIT
    for (const by of [1.5, 2, 0.7]) {
      const before = placeAt(view, at)
      view = zoomed(view, by, at, stage)
      expect(placeAt(view, at).x).toBeCloseTo(before.x)
      expect(placeAt(view, at).y).toBeCloseTo(before.y)
    }
  })
  test('the map grows no larger and no smaller than can be read, and never leaves the stage', () => {
    expect(zoomed(FIT, 1000, { x: 0, y: 0 }, stage).k).toBe(6)
    expect(zoomed(FIT, 0.001, { x: 0, y: 0 }, stage).k).toBe(0.5)
    const gone = panned(FIT, -10_000, 10_000, stage)
    expect(gone.x + stage.width * gone.k).toBeGreaterThan(0)
    expect(gone.y).toBeLessThan(stage.height)
  })
  test('a machine that is moved twice has been moved by both', () => {
    const twice = shifted(shifted(UNTOUCHED, 'fw', 10, 0), 'fw', 5, -3)
    expect(twice.moved.get('fw')).toEqual({ x: 15, y: -3 })
  })
})
