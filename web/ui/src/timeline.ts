// The timeline's geometry: where packets, table changes and inputs stand on their tracks. Pure, in pixels; x follows warp.ts.

import type { Index, Trip } from './index'
import type { EntryRecord } from './index'
import { text } from './text'

export interface Scale { left: number; width: number }
export interface Mark { x: number; trip: Trip; size: number }
/** Something on a track. `wide` is the room that its words take, 0 where there is none; `lane` 0 above the track, 1 below. */
export interface Event { x: number; n: number; t: number; words: string; wide: number; lane: 0 | 1; alive: boolean }
export interface Gap { x: number; span: number; words: 'after' | 'before' | null }

const LARGEST = 14
const SMALLEST = 3
const DENSE = 6 // marks of this size and less are not moved apart
const CHARACTER = 6.4
const WORDS = 100 // the room that the words about a silence take

export function xOf(index: Index, scale: Scale, t: number): number {
  return scale.left + (scale.width * index.warp.placeOf(t)) / (index.warp.end || 1)
}

export function timeAt(index: Index, scale: Scale, x: number): number {
  const part = Math.max(0, Math.min(1, (x - scale.left) / scale.width))
  return index.warp.timeAt(part * index.warp.end)
}

/** A packet stands where the firewall labelled it; else where it was sent. */
export const instantOf = (trip: Trip): number => trip.label?.t ?? trip.records[0]?.t ?? 0

/** The packets' marks. What happens at one instant stands side by side; of many equal ones at one pixel one is drawn. */
export function marks(index: Index, scale: Scale): Mark[] {
  const size = Math.max(SMALLEST, Math.min(LARGEST, (scale.width / Math.max(1, index.order.length)) * 0.8))
  const seen = new Set<string>()
  let free = -Infinity
  return index.order.flatMap((trip) => {
    const x = Math.max(xOf(index, scale, instantOf(trip)), size > DENSE ? free : 0)
    free = x + size + 3
    const same = `${Math.round(x)} ${trip.label?.label} ${trip.end?.kind === 'dropped'}`
    if (size <= DENSE && seen.has(same)) return []
    seen.add(same)
    return [{ x, trip, size }]
  })
}

/** What an entry's record says in a word or two, or null where nothing but its time-out changed. */
export function wordsOf(record: EntryRecord): string | null {
  const { state, protocol } = record.entry
  if (record.kind === 'entry-new') return `+ ${state ?? protocol}`
  if (record.kind === 'entry-destroy') return record.reason.code === 'expired' ? text.time.expired : text.time.gone
  const told = [
    record.changed.includes('state') ? state : null, record.changed.includes('assured') && record.entry.assured ? 'ASSURED' : null,
  ]
  const words = told.filter(Boolean).join(', ')
  return words || null
}

/** Gives each a lane and room for its words, or none where they would run into others. */
function inLanes(found: Omit<Event, 'wide' | 'lane'>[]): Event[] {
  const free: [number, number] = [-Infinity, -Infinity]
  return found.map((one) => {
    const lane = one.x >= free[0] ? 0 : 1
    const wide = one.words.length * CHARACTER + 12
    const fits = one.x >= free[lane]
    if (fits) free[lane] = one.x + wide
    return { ...one, lane, wide: fits ? wide : 0 }
  })
}

/** Cuts the words of each to the room up to the next. */
function inRow(found: Omit<Event, 'wide' | 'lane'>[], right: number): Event[] {
  return found.map((one, i) => {
    const room = Math.floor(((found[i + 1]?.x ?? right) - one.x - 14) / CHARACTER)
    const words = one.words.length > room ? `${one.words.slice(0, Math.max(0, room - 1))}…` : one.words
    return { ...one, words, lane: 0, wide: room < 2 ? 0 : words.length * CHARACTER + 8 }
  })
}

export function tableEvents(index: Index, scale: Scale): Event[] {
  const found = index.table.flatMap((record) => {
    const words = record.kind === 'entry-expired' ? null : wordsOf(record)
    if (words === null) return []
    const { n, t } = record
    return [{ x: xOf(index, scale, t), n, t, words, alive: record.kind !== 'entry-destroy' }]
  })
  return inLanes(found)
}

export function inputEvents(index: Index, scale: Scale): Event[] {
  const found = index.inputs.map(({ n, t, text: words }) => ({ x: xOf(index, scale, t), n, t, words: words.trim() || '⏎', alive: true }))
  return inRow(found, scale.left + scale.width + 24)
}

/** Silences, drawn as zig-zags in their middles; words only where there is room for them. */
export function gaps(index: Index, scale: Scale): Gap[] {
  let free = -Infinity
  return index.warp.silences().map(({ from, to }) => {
    const x = (xOf(index, scale, from.t) + xOf(index, scale, to.t)) / 2
    const atEnd = x + WORDS > scale.left + scale.width + 24
    const words = x - (atEnd ? WORDS : 0) < free ? null : atEnd ? 'before' : 'after'
    if (words) free = x + (atEnd ? 0 : WORDS)
    return { x, span: to.t - from.t, words }
  })
}
