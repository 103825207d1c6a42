// Two futures of one lab side by side, instant by instant, and where they part. Pure; both are whole traces, each with an index of its own.

import type { Index, Trip } from './index'
import { endpoint } from './format'
import { items } from './ladder'
import { aboutOf, ends, outcome } from './narrate'
import type { TraceRecord } from './records'

/** A packet or an input of a future. `n`: the records told once it has been decided about. A `cause` is the change itself, no difference that it made. */
export interface Told { t: number; n: number; trip: Trip | null; label: string | null; words: string; ended: boolean; cause?: boolean }
/** What two futures tell of one instant. */
export interface Instant { t: number; mine: Told[]; other: Told[]; same: boolean }
/** `first`: which of the instants is the first that differs, -1 where none does. */
export interface Comparison { instants: Instant[]; first: number }

const CAUSES = new Set(['command', 'link'])

export function told(index: Index): Told[] {
  return items(index).map((item): Told => {
    if ('input' in item) return { t: item.t, n: item.n + 1, trip: null, label: null, words: `⌨ ${item.input.text}`, ended: false, cause: CAUSES.has(item.input.input.type) }
    const { from, to } = ends(item.trip)
    const words = `${from} → ${to} ${aboutOf(item.trip)}, ${outcome(item.trip, Infinity)}`
    const ended = item.trip.end?.kind === 'dropped' || item.trip.end?.kind === 'lost'
    return { t: item.t, n: item.trip.decided, trip: item.trip, label: item.trip.label?.label ?? null, words, ended }
  })
}

/** What changed in the tables: births, deaths, states, marks; not that a time-out began anew. */
export function toldTables(index: Index): Told[] {
  return index.table.flatMap((record): Told[] => {
    if (record.kind === 'entry-expired') return []
    if (record.kind === 'entry-update' && record.changed.every((field) => field === 'expires')) return []
    const { entry, n, t } = record
    const name = `${record.machine}: ${entry.protocol} ${endpoint(entry.original.src, entry.original.sport)} → ${endpoint(entry.original.dst, entry.original.dport)}`
    const states = [entry.state, entry.assured ? 'ASSURED' : '', entry.unreplied ? 'UNREPLIED' : '', entry.mark ? `mark=${entry.mark}` : ''].filter(Boolean).join(' ')
    const dead = record.kind === 'entry-destroy'
    return [{ t, n: n + 1, trip: null, label: null, words: `${dead ? '✕' : record.kind === 'entry-new' ? '+' : '~'} ${name} ${dead ? record.reason.code : states}`, ended: dead }]
  })
}

/** What came out on the terminals, a piece each. */
export function toldTerminals(records: readonly TraceRecord[]): Told[] {
  return records.flatMap((record): Told[] =>
    record.kind === 'output' ? [{ t: record.t, n: record.n + 1, trip: null, label: null, words: `${record.terminal}: ${record.text.trimEnd()}`, ended: false }] : [],
  )
}

function byInstant(all: readonly Told[]): Map<number, Told[]> {
  const found = new Map<number, Told[]>()
  for (const one of all) found.set(one.t, [...(found.get(one.t) ?? []), one])
  return found
}

const key = (all: readonly Told[]): string => all.filter((one) => !one.cause).map((one) => `${one.label} ${one.words}`).join('\n')

export function compare(mine: readonly Told[], other: readonly Told[]): Comparison {
  const [left, right] = [byInstant(mine), byInstant(other)]
  const times = [...new Set([...left.keys(), ...right.keys()])].sort((a, b) => a - b)
  const instants = times.map((t): Instant => {
    const [a, b] = [left.get(t) ?? [], right.get(t) ?? []]
    return { t, mine: a, other: b, same: key(a) === key(b) }
  })
  return { instants, first: instants.findIndex((one) => !one.same) }
}

export interface Sum { packets: number; ended: number; labels: { [label: string]: number } }
export function sum(all: readonly Told[]): Sum {
  const total: Sum = { packets: 0, ended: 0, labels: {} }
  for (const { trip, ended, label } of all) {
    if (!trip) continue
    total.packets++
    if (ended) total.ended++
    if (label) total.labels[label] = (total.labels[label] ?? 0) + 1
  }
  return total
}
