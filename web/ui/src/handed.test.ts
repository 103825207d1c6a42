import { expect, test } from 'vitest'
import { Elements } from './handed'

test('what stays in sight keeps its element, and what comes takes over one that was left', () => {
  const elements = new Elements<number>()
  expect([...elements.give([10, 11, 12, 13]).values()]).toEqual([0, 1, 2, 3])
  expect([...elements.give([11, 12, 13, 14])]).toEqual([[11, 1], [12, 2], [13, 3], [14, 0]])
})

test('a leap makes no element anew but for those that are more than before', () => {
  const elements = new Elements<number>()
  elements.give([10, 11, 12, 13])
  expect([...elements.give([500, 501, 502, 503, 504]).values()].sort()).toEqual([0, 1, 2, 3, 4])
  expect(new Set(elements.give([1, 2, 3]).values()).size).toBe(3)
})

test('after a leap each thing gets an element that drew what looks alike', () => {
  const elements = new Elements<number>()
  const look = (thing: number): string => (thing % 2 ? 'reply' : 'request')
  const before = elements.give([2, 3, 4, 5, 6, 7], look)
  const after = elements.give([101, 102, 103, 104, 105, 106], look)
  const drew = new Map([...before].map(([thing, element]) => [element, look(thing)]))
  expect([...after].filter(([thing, element]) => drew.get(element) === look(thing)).length).toBe(6)
})
