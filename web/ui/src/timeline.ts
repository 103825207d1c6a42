// The timeline's geometry: where packets, table changes and inputs stand on their tracks. Pure, in pixels; x follows warp.ts.

import type { Index, Trip } from './index'
import type { EntryRecord } from './index'
import { text } from './text'

export interface Scale { left: number; width: number }
export interface Mark { x: number; trip: Trip; size: number }
export interface Event { x: number; n: number; t: number; words: string; wide: number; alive: boolean }
export interface Gap { x: number; span: number; words: boolean }

const LARGEST = 14
const SMALLEST = 3
const CHARACTER = 6.4

export function xOf(index: Index, scale: Scale, t: number): number {
  return scale.left + (scale.width * index.warp.placeOf(t)) / (index.warp.end || 1)
}

export function timeAt(index: Index, scale: Scale, x: number): number {
  const part = Math.max(0, Math.min(1, (x - scale.left) / scale.width))
  return index.warp.timeAt(part * index.warp.end)
}

/** A packet stands where the firewall labelled it; else where it was sent. */
export const instantOf = (trip: Trip): number => trip.label?.t ?? trip.records[0]?.t ?? 0

/** The packets' marks. Where they would lie on each other they get smaller, and of equal ones at one pixel one is drawn. */
export function marks(index: Index, scale: Scale): Mark[] {
  const size = Math.max(SMALLEST, Math.min(LARGEST, (scale.width / Math.max(1, index.order.length)) * 0.8))
  const seen = new Set<string>()
  return index.order.flatMap((trip) => {
    const x = xOf(index, scale, instantOf(trip))
    const same = `${Math.round(x * (size > 6 ? 10 : 1))} ${trip.label?.label} ${trip.end?.kind === 'dropped'}`
    if (size <= 6 && seen.has(same)) return []
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
  return words || (record.told ? '·' : null)
}

/** Gives each a width for its words, or none where they would run into the next. */
function spaced(found: Omit<Event, 'wide'>[], right: number): Event[] {
  let free = -Infinity
  return found.map((one, i) => {
    const next = found[i + 1]?.x ?? right
    const wide = one.words.length * CHARACTER + 8
    const fits = one.x >= free && (one.x + wide <= next + 60 || i === found.length - 1)
    if (fits) free = one.x + wide
    return { ...one, wide: fits ? wide : 0 }
  })
}

export function tableEvents(index: Index, scale: Scale): Event[] {
  const found = index.table.flatMap((record) => {
    const words = record.kind === 'entry-expired' ? null : wordsOf(record)
    if (words === null) return []
    const { n, t } = record
    return [{ x: xOf(index, scale, t), n, t, words, alive: record.kind !== 'entry-destroy' }]
  })
  return spaced(found, scale.left + scale.width)
}

export function inputEvents(index: Index, scale: Scale): Event[] {
  const found = index.inputs.map(({ n, t, text: words }) => ({ x: xOf(index, scale, t), n, t, words: words.trim() || '⏎', alive: true }))
  return spaced(found, scale.left + scale.width)
}

/** Silences, drawn as zig-zags in their middles; words only where there is room for them. */
export function gaps(index: Index, scale: Scale): Gap[] {
  let free = -Infinity
  return index.warp.silences().map(({ from, to }) => {
    const x = (xOf(index, scale, from.t) + xOf(index, scale, to.t)) / 2
    const words = x > free
    if (words) free = x + 100
    return { x, span: to.t - from.t, words }
  })
}
