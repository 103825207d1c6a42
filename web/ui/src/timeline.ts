// The timeline's geometry: where packets, table changes and inputs stand on their tracks. Pure, in pixels.
// A place follows the clock's warp (warp.ts) in part, and in part the number of packets, so that a burst has room to be seen.

import type { EntryRecord, Index, Trip } from './index'
import { look } from './labels'
import { text } from './text'
import { countUpTo, type Moment } from './warp'

export interface Scale { left: number; width: number }
export interface Mark { x: number; trip: Trip; size: number }
/** Something on a track. `wide` is the room that its words take, 0 where there is none; they end at it where `before`; `lane` 0 is above the
 * track, 1 below. */
export interface Event { x: number; n: number; t: number; words: string; wide: number; lane: 0 | 1; before: boolean; alive: boolean }
type Found = Omit<Event, 'wide' | 'lane' | 'before'>
export interface Gap { x: number; span: number; words: 'after' | 'before' | null }

const BY_PACKETS = 0.75
const LARGEST = 14
const SMALLEST = 3
const DENSE = 5 // of many equal marks of this size and less at one pixel one is drawn
const CHARACTER = 6.4
const ZIGZAG = 14 // pixels that a folded silence takes
const WORDS = 100 // the room that the words about a silence take

/** A packet stands where the firewall labelled it; else where it was sent. */
export const instantOf = (trip: Trip): number => trip.label?.t ?? trip.records[0]?.t ?? 0

/** Where each instant of the trace stands between `left` and `left + width`. */
export class Track {
  readonly index: Index
  readonly scale: Scale
  readonly #moments: readonly Moment[]
  readonly #xs: number[]
  readonly #step: number

  constructor(index: Index, scale: Scale) {
    this.index = index
    this.scale = scale
    this.#moments = index.warp.moments
    const ranks = new Array<number>(this.#moments.length).fill(0)
    for (const trip of index.order) {
      const at = Math.max(0, this.#at(instantOf(trip)))
      ranks[at] = (ranks[at] ?? 0) + 1
    }
    const all = index.order.length
    const byPackets = all ? BY_PACKETS : 0
    this.#step = (scale.width * byPackets) / Math.max(1, all)
    let rank = 0
    this.#xs = this.#moments.map((moment, i) => {
      rank += ranks[i] ?? 0
      return scale.left + this.#step * rank + (scale.width * (1 - byPackets) * moment.x) / (index.warp.end || 1)
    })
  }

  xOf(t: number): number {
    const at = this.#at(t)
    const before = { t: this.#moments[at]?.t ?? 0, x: this.#xs[at] ?? this.scale.left }
    const after = this.#moments[at + 1]
    return after ? before.x + (((this.#xs[at + 1] ?? before.x) - before.x) * (t - before.t)) / (after.t - before.t) : before.x
  }

  timeAt(x: number): number {
    const at = countUpTo(this.#xs, x, (one) => one) - 1
    const [before, after] = [this.#moments[at]?.t ?? 0, this.#moments[at + 1]?.t]
    const [from, to] = [this.#xs[at] ?? this.scale.left, this.#xs[at + 1] ?? x]
    return after === undefined ? before : Math.max(0, before + ((after - before) * (x - from)) / (to - from || 1))
  }

  /** The packets' marks; those of one instant stand side by side before it. */
  marks(): Mark[] {
    const size = Math.max(SMALLEST, Math.min(LARGEST, this.#step - 2))
    const placed = new Map<number, number>()
    const seen = new Set<string>()
    const marks: Mark[] = []
    for (const trip of this.index.order.toReversed()) {
      const at = this.#at(instantOf(trip))
      const before = placed.get(at) ?? 0
      placed.set(at, before + 1)
      const x = (this.#xs[at] ?? this.scale.left) - before * this.#step
      const same = `${Math.round(x)} ${trip.label?.label} ${trip.end?.kind === 'dropped'}`
      if (size > DENSE || !seen.has(same)) marks.push({ x, trip, size })
      seen.add(same)
    }
    return marks.reverse()
  }

  #at(t: number): number {
    return countUpTo(this.#moments, t, (moment) => moment.t) - 1
  }
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

/** Gives each a lane and room for its words, after its place or (at the right edge) before it; none where they would run into others. */
function inLanes(found: Found[], right: number): Event[] {
  const free: [number, number] = [-Infinity, -Infinity]
  return found.map((one) => {
    const wide = one.words.length * CHARACTER + 12
    const before = one.x + wide > right
    const from = before ? one.x - wide : one.x
    const lane = from >= free[0] ? 0 : 1
    const fits = from >= free[lane]
    if (fits) free[lane] = before ? one.x : one.x + wide
    return { ...one, lane, before, wide: fits ? wide : 0 }
  })
}

/** Cuts the words of each to the room up to the next. */
function inRow(found: Found[], right: number): Event[] {
  return found.map((one, i) => {
    const room = Math.floor(((found[i + 1]?.x ?? right) - one.x - 20) / CHARACTER)
    const words = one.words.length > room ? `${one.words.slice(0, Math.max(0, room - 1))}…` : one.words
    return { ...one, words, lane: 0, before: false, wide: room < 2 ? 0 : words.length * CHARACTER + 8 }
  })
}

export function tableEvents(track: Track): Event[] {
  const found = track.index.table.flatMap((record) => {
    const words = record.kind === 'entry-expired' ? null : wordsOf(record)
    if (words === null) return []
    const { n, t } = record
    return [{ x: track.xOf(t), n, t, words, alive: record.kind !== 'entry-destroy' }]
  })
  return inLanes(found, track.scale.left + track.scale.width + 24)
}

/** What people did, and (not `alive`) what happened by itself and is told in words. */
export function inputEvents(track: Track): Event[] {
  const all = [...track.index.inputs, ...track.index.remarks].sort((one, other) => one.n - other.n)
  const found = all.map(({ n, t, kind, text: words }) => ({ x: track.xOf(t), n, t, words: words.trim() || '⏎', alive: kind === 'input' }))
  return inRow(found, track.scale.left + track.scale.width + 24)
}

/** Silences, drawn as zig-zags in their middles, each clear of the one before; words only where there is room for them. */
export function gaps(track: Track): Gap[] {
  const end = track.scale.left + track.scale.width + 24
  let free = -Infinity
  let last = -Infinity
  return track.index.warp.silences().flatMap(({ from, to }) => {
    const x = (track.xOf(from.t) + track.xOf(to.t)) / 2
    if (x - last < ZIGZAG) return []
    last = x
    const atEnd = x + WORDS > end
    const words = x - (atEnd ? WORDS : 0) < free ? null : atEnd ? 'before' : 'after'
    if (words) free = x + (atEnd ? 0 : WORDS)
    return [{ x, span: to.t - from.t, words }]
  })
}

/** Marks that look the same, as one path: thousands of elements would cost every frame. */
export interface Batch { key: string; tone: string; ended: boolean; hollow: boolean; faint: boolean; thin: number; d: string }

/** A label's shape around (x, y), `s` across; a small square for a packet without a label. */
export function shape(label: string | null, s: number, x: number, y: number): string {
  const r = s / 2
  const square = (half: number): string => `M${x - half} ${y - half}h${2 * half}v${2 * half}h${-2 * half}z`
  switch (label) {
    case 'NEW': case 'UNTRACKED': return dot(x, y, r)
    case 'ESTABLISHED': return square(r)
    case 'RELATED': return `M${x} ${y - r * 1.25}l${r * 1.25} ${r * 1.25} ${-r * 1.25} ${r * 1.25} ${-r * 1.25} ${-r * 1.25}z`
    case 'INVALID': return `M${x} ${y - r * 1.1}l${r * 1.15} ${r * 2}h${-r * 2.3}z`
    default: return square(r * 0.6)
  }
}

export function dot(x: number, y: number, r: number): string {
  return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`
}

const rounded = (x: number): number => Math.round(x * 10) / 10

export function batches(marks: readonly Mark[], y: number, isFaint: (trip: Trip) => boolean = () => false): Batch[] {
  const found = new Map<string, Batch & { parts: string[] }>()
  for (const { x, trip, size } of marks) {
    const label = trip.label?.label ?? null
    const ended = trip.end?.kind === 'dropped' || trip.end?.kind === 'lost'
    const faint = isFaint(trip)
    const key = `${label} ${ended} ${faint}`
    let batch = found.get(key)
    if (!batch) {
      batch = { key, tone: look(label).tone, ended, hollow: label === 'UNTRACKED', faint, thin: Math.min(2.5, size * 0.22), d: '', parts: [] }
      found.set(key, batch)
    }
    batch.parts.push(shape(label, size, rounded(x), y))
  }
  return [...found.values()].map(({ parts, ...batch }) => ({ ...batch, d: parts.join('') }))
}

export function dots(events: readonly Event[], y: number): string {
  return events.map((one) => dot(rounded(one.x), y, 3.5)).join('')
}
