import { expect, test } from 'vitest'
import { Clock, type Position } from './clock'
import { Maker } from './made'
import { Warp } from './warp'

/** A page with a clock whose frames are given by hand. */
function page(times: readonly number[]) {
  const made = new Maker()
  times.forEach((t, packet) => made.at(t).sent(packet, 'laptop', 'server'))
  const warp = new Warp()
  made.records.forEach((record) => warp.add(record))
  let next: ((ms: number) => void) | null = null
  const seen = { position: { n: 0, t: 0 } as Position, arrivals: 0, ms: 0 }
  const dial = {
    warp: () => warp,
    position: () => seen.position,
    move: (to: Position) => void (seen.position = to),
    arrived: () => void seen.arrivals++,
  }
  const frames = { request: (call: (ms: number) => void) => ((next = call), 1), cancel: () => void (next = null) }
  const clock = new Clock(dial, frames)
  const take = (): typeof next => {
    const now = next
    next = null
    return now
  }
  const pass = (ms: number): void => {
    for (const end = seen.ms + ms; seen.ms < end; seen.ms += 20) take()?.(seen.ms)
  }
  return { clock, seen, pass }
}

test('five days of silence pass in about a second, and the clock says that it has arrived, once', () => {
  const { clock, seen, pass } = page([0, 432_000_000_000])
  clock.play()
  pass(900)
  expect(seen.position.n).toBe(1)
  pass(300)
  expect(seen.position).toEqual({ n: 2, t: 432_000_000_000 })
  pass(300)
  expect([seen.arrivals, clock.playing]).toEqual([1, false])
})

test('time passes between two instants, and what happens at the second is not shown before it', () => {
  const { clock, seen, pass } = page([0, 1_000_000])
  clock.play()
  pass(520)
  expect(seen.position.n).toBe(1)
  expect(seen.position.t).toBeGreaterThan(400_000)
  expect(seen.position.t).toBeLessThan(600_000)
})

test('at twice the speed half the time is needed', () => {
  const { clock, seen, pass } = page([0, 1_000_000])
  clock.speed = 2
  clock.play()
  pass(560)
  expect(seen.position.n).toBe(2)
})

test('played until a record, the clock stops there though more is known', () => {
  const { clock, seen, pass } = page([0, 1_000_000, 2_000_000])
  clock.play(2)
  pass(3000)
  expect(seen.position).toEqual({ n: 2, t: 1_000_000 })
})

test('played to a time, the clock stops there between two instants, and beyond the last of them', () => {
  const { clock, seen, pass } = page([0, 1_000_000])
  clock.play(null, 400_000)
  pass(3000)
  expect(seen.position).toEqual({ n: 1, t: 400_000 })
  clock.play(null, 5_000_000)
  pass(3000)
  expect(seen.position).toEqual({ n: 2, t: 5_000_000 })
})

test('for those who want no motion time jumps from instant to instant', () => {
  const { clock, seen, pass } = page([0, 1_000_000])
  clock.stepwise = true
  clock.play()
  pass(520)
  expect(seen.position).toEqual({ n: 1, t: 0 })
})

test('a stopped clock stands', () => {
  const { clock, seen, pass } = page([0, 1_000_000])
  clock.play()
  pass(300)
  clock.stop()
  const { t } = seen.position
  pass(900)
  expect(seen.position.t).toBe(t)
})
