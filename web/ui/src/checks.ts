// The check that decided, as something that can be drawn: a segment against the window, a tuple against an expectation, an age against a
// time-out, a checksum against the right one, a RST against what was acknowledged, a cell of TCP's table, a table that is full. Pure; the numbers are the engine's, but for the checksum, which is summed from the bytes.

import type { Trip } from './index'
import { bytes, transport } from './inside'
import type { Entry, Reason, RecordOf } from './records'

/** A stretch of sequence numbers on a line that starts at `base`: relative to it, so that what wraps around stays in order. */
export interface Span { from: number; to: number }
/** `allowed`: where the segment may lie; `found`: where it lies. `acks` the same for what it acknowledges, null without ACK. */
export interface WindowCheck { kind: 'window'; base: number; allowed: Span; found: Span; fits: boolean; acks: { base: number; allowed: Span; at: number; fits: boolean } | null }
export interface Compared { name: string; expected: string | null; found: string; fits: boolean }
export interface TupleCheck { kind: 'tuple'; rows: Compared[]; helper: string; conn: number }
export interface AgeCheck { kind: 'age'; age: number; timeout: number }
export interface SumCheck { kind: 'sum'; found: number; right: number }
/** A RST so many bytes before what its receiver has acknowledged. */
export interface RstCheck { kind: 'rst'; seq: number; acknowledged: number; behind: number }
/** The state that a connection had, the segment that came, the state since (INVALID: none). */
export interface CellCheck { kind: 'cell'; direction: 'original' | 'reply'; segment: string; before: string; after: string }
export interface FullCheck { kind: 'full'; count: number }
export type Check = WindowCheck | TupleCheck | AgeCheck | SumCheck | RstCheck | CellCheck | FullCheck

/** The distance from `base` to `value` around the circle of 32-bit numbers, the short way. */
export const apart = (value: number, base: number): number => (value - base) | 0

function windowCheck(numbers: Reason['numbers'], ack: boolean): WindowCheck | null {
  const get = (name: string): number | null => (typeof numbers[name] === 'number' ? (numbers[name] as number) : null)
  const [lowest, highest, seq, end] = [get('lowest'), get('highest'), get('seq'), get('end')]
  if (lowest === null || highest === null || seq === null || end === null) return null
  const allowed = { from: apart(lowest, seq), to: apart(highest, seq) }
  const found = { from: 0, to: apart(end, seq) }
  const [ackLowest, ackHighest, sack] = [get('ack_lowest'), get('ack_highest'), get('sack')]
  const told = ack && ackLowest !== null && ackHighest !== null && sack !== null
  const acks = told ? { base: sack, allowed: { from: apart(ackLowest, sack), to: apart(ackHighest, sack) }, at: 0, fits: apart(ackHighest, sack) >= 0 && apart(ackLowest, sack) <= 0 } : null
  return { kind: 'window', base: seq, allowed, found, fits: allowed.to >= 0 && found.to >= allowed.from, acks }
}

const shown = (value: unknown): string | null => (value === null || value === undefined ? null : String(value))

/** The expectation that this packet met on `machine`, field by field. */
function tupleCheck(trip: Trip, machine: string): TupleCheck | null {
  const used = trip.records.find((one) => one.kind === 'expectation' && one.action === 'used' && one.machine === machine) as RecordOf<'expectation'> | undefined
  const headers = trip.about?.headers
  if (!used || !headers) return null
  const born = trip.records.find((one) => one.kind === 'entry-new' && one.machine === machine) as RecordOf<'entry-new'> | undefined
  const tuple: { readonly [name: string]: unknown } = { ...headers, ...(born?.entry.original ?? {}) }
  const rows = ['protocol', 'src', 'sport', 'dst', 'dport'].map((name): Compared => {
    const [expected, found] = [shown(used.expectation[name]), shown(tuple[name]) ?? '']
    return { name, expected, found, fits: expected === null || expected === found || expected.includes('/') }
  })
  return { kind: 'tuple', rows, helper: shown(used.reason.numbers['helper']) ?? '', conn: used.conn }
}

/** The bytes in which a packet came to a machine, or left it where it began there. */
function bytesAt(trip: Trip, machine: string): number[] {
  const sent = trip.records.filter((one) => one.kind === 'sent')
  const one = sent.find((record) => record.to === machine) ?? sent[0]
  return bytes(one?.data ?? '')
}

function rstCheck({ code, numbers }: Reason): RstCheck | null {
  const { seq, maxack } = numbers
  if (code !== 'tcp-rst-old' || typeof seq !== 'number' || typeof maxack !== 'number') return null
  return { kind: 'rst', seq, acknowledged: maxack, behind: apart(maxack, seq) }
}

const CELL = /^tcp-(original|reply)-([a-z]+)-([A-Z_0-9]+)$/

/** The cell of TCP's table that the packet met, and the state that its entry has since. */
function cellCheck(label: RecordOf<'label'>, trip: Trip): CellCheck | null {
  const told = CELL.exec(String(label.reason.numbers['cell'] ?? label.reason.code))
  if (!told) return null
  const [, direction, segment, before] = told as unknown as [string, 'original' | 'reply', string, string]
  const change = trip.records.find((one) => (one.kind === 'entry-new' || one.kind === 'entry-update') && one.machine === label.machine) as RecordOf<'entry-new'> | undefined
  return { kind: 'cell', direction, segment: segment.toUpperCase(), before, after: label.label === 'INVALID' ? 'INVALID' : (change?.entry.state ?? before) }
}

/** How full a table was that had no room for one entry more. */
export function fullCheck(reason: Reason, count: number): FullCheck[] {
  return reason.code === 'table-full' ? [{ kind: 'full', count }] : []
}

/** What can be drawn of why a packet got its label on a machine. */
export function checksOf(label: RecordOf<'label'>, trip: Trip): Check[] {
  const found: (Check | null)[] = []
  const flags = String(trip.about?.headers['flags'] ?? '')
  if (label.label === 'RELATED') found.push(tupleCheck(trip, label.machine))
  found.push(cellCheck(label, trip), rstCheck(label.reason))
  found.push(windowCheck(label.reason.numbers, flags.includes('.') || flags.includes('A')))
  if (label.reason.code === 'bad-checksum') {
    const sum = transport(bytesAt(trip, label.machine))
    found.push(sum && { kind: 'sum', ...sum })
  }
  return found.filter((one) => one !== null)
}

/** Age against time-out, where an entry ran out of time; `before` is its last change before that. */
export function ageOf(gone: { t: number; reason: Reason }, before: { t: number; entry: Entry } | undefined): AgeCheck | null {
  if (gone.reason.code !== 'expired' || !before) return null
  return { kind: 'age', age: gone.t - before.t, timeout: before.entry.expires - before.t }
}
