import { expect, test } from 'vitest'
import { german } from './de'
import { overwrite } from './spoken'
import { text } from './text'

/** Every key with what kind of thing stands there. */
function keys(table: object, at = ''): string[] {
  return Object.entries(table).flatMap(([key, value]) => {
    const path = `${at}${key}`
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? keys(value, `${path}.`) : [`${path}: ${Array.isArray(value) ? `list of ${value.length}` : typeof value}`]
  })
}

test('every language has the same keys, each of the same kind', () => {
  expect(keys(german).sort()).toEqual(keys(text).sort())
})

test('no sentence of another language was left in English', () => {
  const english = new Map(leaves(text))
  const same = leaves(german).filter(([key, words]) => words.split(' ').length > 2 && english.get(key) === words)
  expect(same.map(([key]) => key)).toEqual([])
})

function leaves(table: object, at = ''): [string, string][] {
  return Object.entries(table).flatMap(([key, value]): [string, string][] => {
    if (typeof value === 'string') return [[`${at}${key}`, value]]
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? leaves(value, `${at}${key}.`) : []
  })
}

test('words are written over in place, so that whoever holds a part of them has the new ones', () => {
  const table = { a: { b: 'one', c: ['x'] }, d: (): string => 'one' }
  const held = table.a
  overwrite(table, { a: { b: 'eins', c: ['y'] }, d: () => 'eins' })
  expect([held.b, held.c, table.d()]).toEqual(['eins', ['y'], 'eins'])
})
