import { afterEach, expect, test, vi } from 'vitest'
import { asQuery, keepMarks, keptMarks, nearest, toggled } from './marks'

afterEach(() => vi.unstubAllGlobals())

test('a mark is set and taken away at its moment, and two moments of one instant are two', () => {
  const one = toggled([], { n: 4, t: 1000 })
  const two = toggled(one, { n: 3, t: 1000 })
  expect(two).toEqual([{ n: 3, t: 1000 }, { n: 4, t: 1000 }])
  expect(toggled(two, { n: 4, t: 1000 })).toEqual([{ n: 3, t: 1000 }])
})

test('one goes from mark to mark and never to the one where one is', () => {
  const marks = [{ n: 1, t: 10 }, { n: 5, t: 90 }]
  expect(nearest(marks, { n: 1, t: 10 }, 1)).toEqual({ n: 5, t: 90 })
  expect(nearest(marks, { n: 5, t: 90 }, 1)).toBeUndefined()
  expect(nearest(marks, { n: 3, t: 50 }, -1)).toEqual({ n: 1, t: 10 })
})

test('marks are kept for their session alone, and what is no mark is left out', () => {
  const stored = new Map<string, string>()
  vi.stubGlobal('localStorage', { getItem: (key: string) => stored.get(key) ?? null, setItem: (key: string, value: string) => stored.set(key, value) })
  keepMarks('a', [{ n: 1, t: 10 }])
  expect([keptMarks('a'), keptMarks('b'), keptMarks('')]).toEqual([[{ n: 1, t: 10 }], null, null])
  stored.set('ctlab.marks.b', '[{"n": 1}, null, {"n": 2, "t": 3}]')
  stored.set('ctlab.marks.c', 'nonsense')
  expect([keptMarks('b'), keptMarks('c')]).toEqual([[{ n: 2, t: 3 }], []])
})

test('marks that were all taken away are kept as none, and are told apart from a session of which nothing is kept', () => {
  const stored = new Map<string, string>()
  vi.stubGlobal('localStorage', { getItem: (key: string) => stored.get(key) ?? null, setItem: (key: string, value: string) => stored.set(key, value) })
  keepMarks('a', [])
  expect([keptMarks('a'), keptMarks('b')]).toEqual([[], null])
})

test('marks go along as the lab takes them', () => {
  expect([asQuery([{ n: 3, t: 1000 }, { n: 7, t: 2000 }]), asQuery([])]).toEqual(['marks=1000.3,2000.7', 'marks='])
})
