// A packet's way through one machine, read from its records: stations passed, chains with the rules tried, label, end. Pure.

import { until, type Trip } from './index'
import type { RecordOf, TraceRecord } from './records'

export interface Station { name: string; end: boolean }
/** A base chain that judged the packet; `tried` holds the rules of the chains it called as well. */
export interface ChainPass {
  hook: string; language: string; table: string; chain: string; tried: RecordOf<'rule'>[]; verdict: RecordOf<'verdict'> | null
}
export interface Journey {
  stations: Station[]
  passes: ChainPass[]
  label: RecordOf<'label'> | null
  end: RecordOf<'dropped' | 'lost' | 'delivered'> | null
  entries: RecordOf<'entry-new' | 'entry-update' | 'entry-destroy'>[]
  rewritten: RecordOf<'nat'>[]
  log: string[]
}

function openPass(journey: Journey, record: RecordOf<'rule' | 'verdict'>): ChainPass {
  const { hook, language, table, chain } = record
  const last = journey.passes.at(-1)
  if (last && !last.verdict && last.hook === hook && last.language === language && last.table === table) return last
  const pass: ChainPass = { hook, language, table, chain, tried: [], verdict: null }
  journey.passes.push(pass)
  return pass
}

function judged(journey: Journey, record: RecordOf<'verdict'>): void {
  const pass = openPass(journey, record)
  pass.verdict = record
  pass.chain = record.chain
}

function station(journey: Journey, name: string): void {
  journey.stations.push({ name, end: false })
}

function ended(journey: Journey, record: RecordOf<'dropped' | 'lost' | 'delivered'>): void {
  journey.end = record
  const last = journey.stations.at(-1)
  if (record.kind === 'delivered') station(journey, 'delivered')
  else if (last) last.end = true
}

function follow(journey: Journey, record: TraceRecord): void {
  switch (record.kind) {
    case 'hook': return station(journey, record.hook)
    case 'routed': return station(journey, `routing: ${record.decision}`)
    case 'rule': return void openPass(journey, record).tried.push(record)
    case 'verdict': return judged(journey, record)
    case 'nat':
      station(journey, record.what.toUpperCase())
      return void journey.rewritten.push(record)
    case 'kernel-log': return void journey.log.push(record.text)
    case 'delivered': case 'dropped': case 'lost': return ended(journey, record)
    case 'entry-new': case 'entry-update': case 'entry-destroy': return void journey.entries.push(record)
    case 'label':
      station(journey, 'conntrack')
      journey.label ??= record
      return void journey.log.push(...record.kernel_log)
    default: return
  }
}

/** The way of `trip` through `machine`, as far as the first `n` records tell. */
export function journey(trip: Trip, machine: string, n: number): Journey {
  const way: Journey = { stations: [], passes: [], label: null, end: null, entries: [], rewritten: [], log: [] }
  for (const record of until(trip, n)) if (record.machine === machine) follow(way, record)
  return way
}

/** How a trip stands at the firewall after `n` records. */
export type Fate = 'under way' | 'passed' | 'dropped' | 'lost'
export function fate(trip: Trip, n: number): Fate {
  const end = trip.end && trip.end.n < n ? trip.end : null
  if (end?.kind === 'dropped') return 'dropped'
  if (end?.kind === 'lost') return 'lost'
  return end || trip.decided <= n ? 'passed' : 'under way'
}

/** The label that the firewall had given after `n` records. */
export function labelAt(trip: Trip, n: number): string | null {
  return trip.label && trip.label.n < n ? trip.label.label : null
}
