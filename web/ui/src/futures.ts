// Two futures of one lab side by side, instant by instant, and where they part. Pure; both are whole traces, each with an index of its own.

import type { Index, Trip } from './index'
import { items } from './ladder'
import { aboutOf, ends, outcome } from './narrate'

/** A packet or an input of a future. `n`: the records told once it has been decided about. */
export interface Told { t: number; n: number; trip: Trip | null; label: string | null; words: string; ended: boolean }
/** What two futures tell of one instant. */
export interface Instant { t: number; mine: Told[]; other: Told[]; same: boolean }
/** `first`: which of the instants is the first that differs, -1 where none does. */
export interface Comparison { instants: Instant[]; first: number }

export function told(index: Index): Told[] {
  return items(index).map((item): Told => {
    if ('input' in item) return { t: item.t, n: item.n + 1, trip: null, label: null, words: `⌨ ${item.input.text}`, ended: false }
    const { from, to } = ends(item.trip)
    const words = `${from} → ${to} ${aboutOf(item.trip)}, ${outcome(item.trip, Infinity)}`
    const ended = item.trip.end?.kind === 'dropped' || item.trip.end?.kind === 'lost'
    return { t: item.t, n: item.trip.decided, trip: item.trip, label: item.trip.label?.label ?? null, words, ended }
  })
}

function byInstant(all: readonly Told[]): Map<number, Told[]> {
  const found = new Map<number, Told[]>()
  for (const one of all) found.set(one.t, [...(found.get(one.t) ?? []), one])
  return found
}

const key = (all: readonly Told[]): string => all.map((one) => `${one.label} ${one.words}`).join('\n')

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
