// The whole known trace, its future too, arranged for the views: packets with all that happened to them, lives of entries and
// sockets, what happened to the table, inputs. Grows and is cut with the trace. A view that may not tell the future asks with `n`.

import type { RecordOf, TraceRecord } from './records'
import { packetOf } from './records'
import { POWER } from './story'
import { countUpTo, Warp } from './warp'

/** A packet's way. `decided`: how many records there are once the firewall (or a loss) has decided about it. */
export interface Trip {
  readonly packet: number
  ordinal: number // from 1, in the order in which packets appear
  records: TraceRecord[]
  label: RecordOf<'label'> | null // the firewall's
  end: RecordOf<'dropped' | 'lost' | 'delivered'> | null
  about: RecordOf<'sent'> | null // where it was first put on a link
  decided: number
}

export interface Life<K extends 'socket' | 'entry'> {
  readonly machine: string
  readonly id: number
  changes: (K extends 'socket' ? RecordOf<'socket'> : EntryRecord)[]
  told: RecordOf<'entry-told'>[] // what conntrack -E prints of it; of sockets nothing
}
export type EntryRecord = RecordOf<'entry-new' | 'entry-update' | 'entry-destroy'>

const PATIENCE = 10_000_000 // µs
const CLIENTS = new Set(['probe', 'talk'])
const DOING = new Set(['sent', 'arrived', 'label', 'delivered', 'dropped', 'lost', 'output'])
const REMARKS = new Set(['rules', 'power', ...Object.keys(POWER), 'command', 'walk', 'there']) // notes of what happens by itself, on the timeline
const counts = (record: TraceRecord): boolean => DOING.has(record.kind) || (record.kind === 'note' && record.code.startsWith('power'))

function summarise(trip: Trip, record: TraceRecord, firewall: string): void {
  if (record.kind === 'sent') trip.about ??= record
  if (record.kind === 'label' && record.machine === firewall) trip.label ??= record
  const ends = record.kind === 'dropped' || record.kind === 'lost' || record.kind === 'delivered'
  if (ends) trip.end = record
  if (record.machine === firewall || record.kind === 'dropped' || record.kind === 'lost') trip.decided = record.n + 1
}

function cutList<T extends { readonly n: number }>(list: T[], from: number): void {
  while (list.length && (list.at(-1) as T).n >= from) list.pop()
}

function cutLives<T extends { changes: { readonly n: number }[]; told: { readonly n: number }[] }>(lives: Map<string, T>, from: number): void {
  for (const [key, life] of lives) {
    cutList(life.changes, from)
    cutList(life.told, from)
    if (life.changes.length === 0) lives.delete(key)
  }
}

export class Index {
  readonly firewall: string
  readonly warp = new Warp()
  readonly order: Trip[] = []
  readonly table: (EntryRecord | RecordOf<'entry-expired'>)[] = []
  readonly inputs: RecordOf<'input'>[] = []
  /** What happened by itself and is told in words: rules that went back, a machine that is up again. */
  readonly remarks: RecordOf<'note'>[] = []
  /** How many records there are once a packet has come to each hook of the firewall, or has been labelled there. */
  readonly stations: { readonly n: number }[] = []
  readonly entries = new Map<string, Life<'entry'>>()
  readonly sockets = new Map<string, Life<'socket'>>()
  /** The record with which a machine first had rules; null: none ever has. */
  ruled: number | null = null
  /** How many records there are up to the last one in which a packet moved or something was printed. */
  lastDoing = 0
  /** "address:port address:port" of the sockets of clients that act by themselves, both ways round. */
  readonly clients = new Set<string>()
  readonly #trips = new Map<number, Trip>()
  #decided: Trip[] | null = null

  constructor(firewall: string) {
    this.firewall = firewall
  }

  trip(packet: number | null): Trip | undefined {
    return packet === null ? undefined : this.#trips.get(packet)
  }

  add(record: TraceRecord): void {
    this.#decided = null
    this.warp.add(record)
    if (counts(record)) this.lastDoing = record.n + 1
    const packet = packetOf(record)
    if (packet !== null) this.#addToTrip(packet, record)
    if (record.kind === 'input') this.inputs.push(record)
    if (record.kind === 'rules' && record.tables.length) this.ruled ??= record.n
    if (record.kind === 'note' && REMARKS.has(record.code)) this.remarks.push(record)
    if (record.machine === this.firewall && (record.kind === 'hook' || record.kind === 'label')) this.stations.push(record)
    if (record.kind === 'socket') this.#noteClient(record)
    if (record.kind === 'socket') this.#live(this.sockets, record.machine, record.socket).changes.push(record)
    if (record.kind === 'entry-expired') this.table.push(record)
    if (record.kind === 'entry-told') this.#live(this.entries, record.machine, record.conn).told.push(record)
    if (record.kind === 'entry-new' || record.kind === 'entry-update' || record.kind === 'entry-destroy') {
      this.table.push(record)
      this.#live(this.entries, record.machine, record.conn).changes.push(record)
    }
  }

  /** Forget everything from record `from` on; `records` are those before it. */
  cut(from: number, records: readonly TraceRecord[]): void {
    this.#decided = null
    this.warp.cut(from, records)
    for (const trip of this.order) this.#cutTrip(trip, from)
    while (this.order.length && (this.order.at(-1) as Trip).records.length === 0) {
      this.#trips.delete((this.order.pop() as Trip).packet)
    }
    if (this.ruled !== null && this.ruled >= from) this.ruled = null
    cutList(this.table, from)
    cutList(this.inputs, from)
    cutList(this.remarks, from)
    cutList(this.stations, from)
    cutLives(this.entries, from)
    cutLives(this.sockets, from)
    this.lastDoing = 0
    for (let n = from - 1; n >= 0 && !this.lastDoing; n--) if (counts(records[n] as TraceRecord)) this.lastDoing = n + 1
  }

  /** Where a person who has done something at record `from` would say that nothing new will happen: after the last packet or output,
   * or before a long silence that ends with one more try of the same packet, and the try leads to nothing that is printed. */
  restAfter(from: number, records: readonly TraceRecord[]): number {
    let last: TraceRecord | undefined
    let rest: number | null = null
    for (let n = from; n < this.lastDoing; n++) {
      const record = records[n] as TraceRecord
      if (!counts(record) || this.ofClient(this.trip(packetOf(record)))) continue
      if (record.kind === 'output') rest = null
      else if (last && this.#triesAgain(record, last)) {
        if (rest !== null) return rest
        rest = last.n + 1
      }
      last = record
    }
    return rest ?? Math.max((last?.n ?? -1) + 1, Math.min(from + 1, records.length)) // what was done counts, even if nothing came of it
  }

  /** Whether the packet is of a client that acts by itself: a probe, a talk, an attempt. */
  ofClient(trip: Trip | undefined): boolean {
    const headers = trip?.about?.headers
    if (!headers || this.clients.size === 0) return false
    return this.clients.has(`${String(headers['src'])}:${String(headers['sport'])} ${String(headers['dst'])}:${String(headers['dport'])}`)
  }

  #noteClient({ program, local, remote }: RecordOf<'socket'>): void {
    if (!CLIENTS.has(program)) return
    this.clients.add(`${local} ${remote}`)
    this.clients.add(`${remote} ${local}`)
  }

  #triesAgain(record: TraceRecord, last: TraceRecord): boolean {
    return record.t - last.t >= PATIENCE && (this.trip(packetOf(record))?.about?.again ?? 0) > 0
  }

  /** Packets in the order in which the firewall decided about them. */
  get decided(): readonly Trip[] {
    return (this.#decided ??= this.order.slice().sort((a, b) => a.decided - b.decided))
  }

  /** The first packet decided after `n` records, or the last one decided before, of those that are wanted. */
  nextAfter(n: number, wanted: (trip: Trip) => boolean = () => true): Trip | undefined {
    let at = countUpTo(this.decided, n, (trip) => trip.decided)
    while (at < this.decided.length && !wanted(this.decided[at] as Trip)) at++
    return this.decided[at]
  }

  lastBefore(n: number, wanted: (trip: Trip) => boolean = () => true): Trip | undefined {
    let at = countUpTo(this.decided, n - 1, (trip) => trip.decided) - 1
    while (at >= 0 && !wanted(this.decided[at] as Trip)) at--
    return this.decided[at]
  }

  /** The number of records with which a packet comes to a hook of the firewall: the next after `n` up to `to`, or the one before; or null. */
  stationAfter(n: number, to: number): number | null {
    const next = this.stations[countUpTo(this.stations, n - 1, (one) => one.n)]
    return next && next.n < to ? next.n + 1 : null
  }

  stationBefore(n: number): number | null {
    const last = this.stations[countUpTo(this.stations, n - 2, (one) => one.n) - 1]
    return last ? last.n + 1 : null
  }

  /** The number of records after which the next (or the previous) entry has run out of time, or null. */
  expiryAfter(n: number): number | null {
    return this.table.find((one) => one.kind === 'entry-expired' && this.#afterDeath(one.n) > n)?.n ?? null
  }

  expiryBefore(n: number): number | null {
    return this.table.findLast((one) => one.kind === 'entry-expired' && this.#afterDeath(one.n) < n)?.n ?? null
  }

  /** The records up to and with the entry-destroy that follows an entry-expired. */
  #afterDeath(expired: number): number {
    return expired + 2
  }

  #addToTrip(packet: number, record: TraceRecord): void {
    let trip = this.#trips.get(packet)
    if (!trip) {
      trip = { packet, ordinal: this.order.length + 1, records: [], label: null, end: null, about: null, decided: record.n + 1 }
      this.#trips.set(packet, trip)
      this.order.push(trip)
    }
    trip.records.push(record)
    summarise(trip, record, this.firewall)
  }

  #cutTrip(trip: Trip, from: number): void {
    const last = trip.records.at(-1)
    if (!last || last.n < from) return
    trip.records = trip.records.filter((record) => record.n < from)
    Object.assign(trip, { label: null, end: null, about: null, decided: (trip.records[0]?.n ?? 0) + 1 })
    for (const record of trip.records) summarise(trip, record, this.firewall)
  }

  #live<L extends Life<'socket'> | Life<'entry'>>(lives: Map<string, L>, machine: string, id: number): L {
    const key = `${machine} ${id}`
    let life = lives.get(key)
    if (!life) lives.set(key, (life = { machine, id, changes: [], told: [] } as unknown as L))
    return life
  }
}

/** The records of a trip that lie before record `n`. */
export function until(trip: Trip, n: number): readonly TraceRecord[] {
  return (trip.records.at(-1)?.n ?? 0) < n ? trip.records : trip.records.filter((record) => record.n < n)
}
