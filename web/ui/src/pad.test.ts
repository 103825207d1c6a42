import { describe, expect, test } from 'vitest'
import { Pad, stampOf } from './pad'

const SOLID = [10, 20, 30, 255] as const
const SOFT = [200, 100, 0, 128] as const
const NONE = [0, 0, 0, 0] as const
const picture = (width: number, ...pixels: (readonly number[])[]) => ({ width, height: pixels.length / width, data: Uint8ClampedArray.from(pixels.flat()) })
const padOf = (width: number, height: number): { pad: Pad; at: (x: number, y: number) => number[] } => {
  const data = new Uint8ClampedArray(width * height * 4)
  return { pad: new Pad({ width, height, data, colorSpace: 'srgb' } as unknown as ImageData), at: (x, y) => [...data.slice((y * width + x) * 4, (y * width + x) * 4 + 4)] }
}

describe('a pad of pixels', () => {
  test('has a stamp where it was put, and nothing where the stamp has nothing', () => {
    const { pad, at } = padOf(4, 4)
    pad.stamp(stampOf(picture(2, SOLID, NONE, NONE, SOLID)), 1, 2)
    expect(at(1, 2)).toEqual([...SOLID])
    expect(at(2, 2)).toEqual([...NONE])
    expect(at(2, 3)).toEqual([...SOLID])
  })
  test('a soft edge lets through what is under it', () => {
    const { pad, at } = padOf(2, 1)
    pad.stamp(stampOf(picture(1, SOLID)), 0, 0)
    pad.stamp(stampOf(picture(2, SOFT, SOFT)), 0, 0)
    expect(at(0, 0)).toEqual([105, 60, 15, 255])
    expect(at(1, 0)).toEqual([...SOFT])
  })
  test('what lies outside is left out, and does not come in at the other side', () => {
    const { pad } = padOf(3, 2)
    const square = stampOf(picture(2, SOLID, SOLID, SOLID, SOLID))
    pad.stamp(square, 2, -1)
    expect([...pad.pixels].map((one) => one !== 0)).toEqual([false, false, true, false, false, false])
    pad.stamp(square, 9, 9)
    pad.clear()
    expect([...pad.pixels].every((one) => one === 0)).toBe(true)
  })
  test('shows the rows that were stamped, and those that were cleared', () => {
    const { pad } = padOf(3, 9)
    const shown: number[][] = []
    const pen = { putImageData: (_: unknown, ...numbers: number[]) => void shown.push(numbers.slice(3)) } as unknown as CanvasRenderingContext2D
    const dot = stampOf(picture(1, SOLID))
    for (const row of [6, 2]) {
      pad.clear()
      pad.stamp(dot, 0, row)
      pad.show(pen)
    }
    expect(shown).toEqual([[6, 3, 1], [2, 3, 5]])
  })
})
