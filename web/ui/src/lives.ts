// The life of one entry, read from the trace: each change with the packet that made it, how its time ran, the cells of TCP's grid that
// its packets met. Pure. What the grid says stands in the engine; here are only the names of the cells.

import { endpoint } from './format'
import type { EntryRecord, Index, Life, Trip } from './index'
import type { Direction, Entry, RecordOf, TraceRecord } from './records'

/** `left`: the time (µs) it had just before the change; `timeout`: what it has since. A death has no time left after it. */
export interface Step {
  n: number; t: number; kind: EntryRecord['kind']; entry: Entry; changed: readonly string[]; trip: Trip | null
  left: number; timeout: number; reason: EntryRecord['reason']; line: string | null
}

/** The entries of a machine that were there by record `n`, oldest first. */
export const livesBy = (index: Index, machine: string, n: number): Life<'entry'>[] =>
  [...index.entries.values()].filter((life) => life.machine === machine && (life.changes[0]?.n ?? Infinity) < n)

/** "tcp 192.168.1.10:51514 → 192.168.1.20:22". */
export function nameOf(life: Life<'entry'>): string {
  const { protocol, original } = (life.changes[0] as EntryRecord).entry
  return `${protocol} ${endpoint(original.src, original.sport)} → ${endpoint(original.dst, original.dport)}`
}

export const entryKey = (machine: string, conn: number): string => `${machine} ${conn}`

/** The changes before record `n`, oldest first. */
export function steps(index: Index, life: Life<'entry'>, n: number): Step[] {
  let expires: number | null = null
  return life.changes.filter((one) => one.n < n).map((one): Step => {
    const left = expires === null ? 0 : Math.max(0, expires - one.t)
    expires = one.entry.expires
    const dead = one.kind === 'entry-destroy'
    const told = life.told.find((line) => line.t >= one.t && line.n > one.n && (line.packet === one.packet || dead))
    return {
      n: one.n, t: one.t, kind: one.kind, entry: one.entry, changed: one.kind === 'entry-update' ? one.changed : [],
      trip: index.trip(one.packet) ?? null, left, timeout: dead ? 0 : Math.max(0, one.entry.expires - one.t), reason: one.reason,
      line: one.kind === 'entry-update' && !one.told ? null : (told?.line ?? null),
    }
  })
}

/** A packet that met a cell of the grid: `cell` as the engine names it. */
export interface Visit { n: number; cell: string; trip: Trip; label: string }

const CELL = /^tcp-(original|reply)-/
const sameEnds = (one: Direction, headers: { readonly [name: string]: unknown }): boolean =>
  one.sport !== undefined && one.src === headers['src'] && one.dst === headers['dst'] && one.sport === headers['sport'] && one.dport === headers['dport']

/** Whether a packet's label is about this entry: it names it, or was refused one while it had one of the entry's tuples. */
function concerns(label: RecordOf<'label'>, trip: Trip, entry: Entry, conn: number): boolean {
  if (label.conn === conn) return true
  const headers = trip.about?.headers
  return label.conn === null && headers !== undefined && (sameEnds(entry.original, headers) || sameEnds(entry.reply, headers))
}

/** The cells that the entry's packets met before record `n`, oldest first. */
export function visits(index: Index, life: Life<'entry'>, n: number): Visit[] {
  const first = life.changes[0]
  if (!first || first.entry.protocol !== 'tcp') return []
  const end = life.changes.find((one) => one.kind === 'entry-destroy')?.n ?? Infinity
  const found: Visit[] = []
  for (const trip of index.order)
    for (const one of trip.records) {
      if (one.kind !== 'label' || one.machine !== life.machine || one.n >= Math.min(n, end + 1)) continue
      const cell = one.reason.numbers['cell'] ?? (CELL.test(one.reason.code) ? one.reason.code : undefined)
      if (typeof cell === 'string' && concerns(one, trip, first.entry, life.id)) found.push({ n: one.n, cell, trip, label: one.label })
    }
  return found.sort((a, b) => a.n - b.n)
}

export interface Point { x: number; y: number }
/** The curve of the time that is left: `points` in order, and where each step stands on it. */
export interface Curve { points: Point[]; at: Point[]; top: number }

/** Seconds grow downwards by their logarithm: 5 days and 30 s both can be read. */
export const heightOf = (left: number, most: number): number => (most <= 0 ? 0 : Math.log1p(Math.max(0, left) / 1e6) / Math.log1p(most / 1e6))

const PIECES = 12 // straight pieces by which the falling curve is drawn

/** `place` gives each time its x; y is 0 at the bottom (no time left) and 1 at the longest time-out. `now` (µs) ends the curve. */
export function curve(all: readonly Step[], now: number, place: (t: number) => number): Curve {
  const top = Math.max(1, ...all.map((one) => one.timeout))
  const points: Point[] = []
  const at: Point[] = []
  all.forEach((one, i) => {
    const next = all[i + 1]
    at.push({ x: place(one.t), y: heightOf(one.timeout, top) })
    if (one.kind === 'entry-destroy') return void points.push({ x: place(one.t), y: 0 })
    const until = Math.max(one.t, next ? next.t : now)
    for (let piece = 0; piece <= PIECES; piece++) {
      const t = one.t + ((until - one.t) * piece) / PIECES
      points.push({ x: place(t), y: heightOf(one.entry.expires - t, top) })
    }
    if (next?.kind === 'entry-destroy') points.push({ x: place(next.t), y: heightOf(next.left, top) })
  })
  return { points, at, top }
}

/** Packets of the conversation that came after its entry had run out of time, or null: who spoke first, and how late. */
export interface Missed { trip: Trip; n: number; t: number; late: number }
export function missed(index: Index, life: Life<'entry'>): Missed | null {
  const [first, last] = [life.changes[0], life.changes.at(-1)]
  if (!first || last?.kind !== 'entry-destroy' || last.reason.code !== 'expired') return null
  const own = (record: TraceRecord): record is RecordOf<'label'> => record.kind === 'label' && record.machine === life.machine && record.n > last.n
  for (const trip of index.order) {
    const label = trip.records.find(own)
    const headers = trip.about?.headers
    if (!label || !headers || headers['protocol'] !== first.entry.protocol) continue
    if (sameEnds(first.entry.original, headers) || sameEnds(first.entry.reply, headers)) return { trip, n: label.n, t: label.t, late: label.t - last.t }
  }
  return null
}
