// The ladder's geometry: lifelines from the scenario, rows from the index, arrows from a packet's records. Pure, in pixels.

import type { Scenario } from './channel'
import { until, type Index, type Trip } from './index'
import type { RecordOf, TraceRecord } from './records'
import { text } from './text'
import { POWER } from './story'
import { countUpTo, SILENCE } from './warp'

export interface Lifeline { machine: string; role: 'machine' | 'netfilter' | 'programs'; title: string; short: string; firewall: boolean }

const neighbours = (scenario: Scenario, name: string): number[] =>
  scenario.links
    .filter((link) => link.a.machine === name || link.b.machine === name)
    .map((link) => (link.a.machine === name ? link.b.machine : link.a.machine))
    .map((other) => scenario.machines.find((machine) => machine.name === other)?.x ?? 0)

/** A firewall that is an end of connections itself stands twice: its netfilter, and behind it its programs. */
function lifelinesOf(scenario: Scenario, machine: Scenario['machines'][number]): Lifeline[] {
  const firewall = machine.name === scenario.firewall
  const whole: Lifeline = { machine: machine.name, role: 'machine', title: machine.name, short: machine.name, firewall }
  if (!firewall || (machine.kind !== 'host' && machine.services.length === 0)) return [whole]
  const service = machine.services.length === 1 ? (machine.services[0]?.split(' ')[0] ?? '') : ''
  const programs = service === 'ssh' ? 'sshd' : service || text.ladder.programs
  const pair: Lifeline[] = [
    { ...whole, role: 'netfilter', title: text.ladder.netfilter(machine.name), short: text.ladder.filter },
    { ...whole, role: 'programs', title: `${machine.name}: ${programs}`, short: programs, firewall: false },
  ]
  const others = neighbours(scenario, machine.name)
  const left = others.filter((x) => x < machine.x).length * 2 >= others.length
  return left ? pair : pair.reverse()
}

const fromLeft = (a: Scenario['machines'][number], b: Scenario['machines'][number]): number => a.x - b.x || a.y - b.y
const ALL: ReadonlySet<string> = new Set()

/** From left to right; `hidden` machines have none. */
export function lifelines(scenario: Scenario, hidden = ALL): Lifeline[] {
  const machines = scenario.machines.filter(({ name }) => !hidden.has(name)).sort(fromLeft)
  return machines.flatMap((machine) => lifelinesOf(scenario, machine))
}

/** The two lifelines of one machine stand closer than those of two machines. */
const CLOSE = 0.8

/** The lifelines' distances from the first, in the unit of two machines' distance. */
export function spacing(lines: readonly Lifeline[]): number[] {
  let at = 0
  return lines.map((line, i) => (at += i === 0 ? 0 : line.machine === lines[i - 1]?.machine ? CLOSE : 1))
}

const WIDEST = 156
const BETWEEN = 6

/** How wide the heads may be so that the closest do not touch, when all stand in `room` pixels. */
export function headWidth(shares: readonly number[], room: number): number {
  const all = shares.at(-1) ?? 0
  const closest = Math.min(...shares.slice(1).map((share, i) => share - (shares[i] ?? 0)), all || 1) / (all || 1)
  return Math.max(40, Math.min(WIDEST, (room * closest - BETWEEN) / (1 + closest)))
}

/** An arrow from lifeline to lifeline, or to a place beside them. `reach` is how far it came, 0 to 1; `end` what stands at its tip. */
export interface Arrow { from: number; to: number; reach: number; end: 'arrow' | 'cross' | 'none' }
/** `beside`: where the machine it goes to would stand, if that has no lifeline here. */
type Leg = Arrow & { beside: number }

/** Which lifeline a machine has towards the network, and which its programs; -1: it has none here. `beside`: between which it would stand, 1.5 for the second and the third. */
interface Places { outer(machine: string): number; inner(machine: string): number; beside(machine: string): number }
export function places(lines: readonly Lifeline[], scenario: Scenario | null): Places {
  const find = (machine: string, role: Lifeline['role']): number => lines.findIndex((one) => one.machine === machine && one.role === role)
  const either = (machine: string, role: Lifeline['role']): number => Math.max(find(machine, role), find(machine, 'machine'))
  const names = [...(scenario?.machines ?? [])].sort(fromLeft).map(({ name }) => name)
  const beside = (machine: string): number => lines.filter((line) => names.indexOf(line.machine) < names.indexOf(machine)).length - 0.5
  return { outer: (machine) => either(machine, 'netfilter'), inner: (machine) => either(machine, 'programs'), beside }
}

const OUTSIDE = 44

/** Where a place stands in a drawing of this width: on its lifeline, half-way between two, or a little outside of them all. */
export function xOf(xs: readonly number[], place: number, width: number): number {
  const [before, after] = [xs[Math.floor(place)], xs[Math.ceil(place)]]
  if (before === undefined) return Math.max(18, (after ?? 0) - OUTSIDE)
  return after === undefined ? Math.min(width - 18, before + OUTSIDE) : (before + after) / 2
}

const LOST_AT = 0.6

function extend(arrows: Leg[], record: TraceRecord, at: Places, t: number): void {
  const last = arrows.at(-1)
  const inside = (from: number, to: number): void => void (from !== to && arrows.push({ from, to, reach: 1, end: 'arrow', beside: to }))
  if (record.kind === 'hook' && record.hook === 'OUTPUT') inside(at.inner(record.machine), at.outer(record.machine))
  else if (record.kind === 'sent') {
    const reach = record.arrives === null || record.arrives === record.t ? 1 : Math.min(1, (t - record.t) / (record.arrives - record.t))
    arrows.push({ from: at.outer(record.machine), to: at.outer(record.to), reach: Math.max(0, reach), end: 'none', beside: at.beside(record.to) })
  } else if (record.kind === 'arrived' && last) Object.assign(last, { reach: 1, end: 'arrow' })
  else if (record.kind === 'delivered') inside(at.outer(record.machine), at.inner(record.machine))
  else if (record.kind === 'lost' && last) Object.assign(last, { reach: LOST_AT, end: 'cross' })
  else if (record.kind === 'dropped') {
    if (last) Object.assign(last, { reach: 1, end: 'cross' })
    else arrows.push({ from: at.inner(record.machine), to: at.outer(record.machine), reach: 1, end: 'cross', beside: at.outer(record.machine) })
  }
}

/** Legs through machines that have no lifeline here are one arrow, from the last machine that has one to the next, or to where it ended. */
function joined(legs: readonly Leg[]): Arrow[] {
  const drawn: Arrow[] = []
  let away = null as Leg | null // gone to where no lifeline is
  for (const leg of legs) {
    const { from, to, reach, end } = leg
    if (from >= 0 && to >= 0) drawn.push({ from, to, reach, end })
    else if (to >= 0 && away && away.from !== to) drawn.push({ from: away.from, to, reach, end })
    if (to >= 0) away = null
    else if (from >= 0) away = leg
    else if (away) away = { ...leg, from: away.from }
  }
  if (away?.end === 'cross') drawn.push({ from: away.from, to: away.beside, reach: away.reach, end: away.end })
  return drawn
}

/** What of the packet's way is to be drawn after `n` records, at time `t`. */
export function arrows(trip: Trip, n: number, t: number, at: Places): Arrow[] {
  const drawn: Leg[] = []
  for (const record of until(trip, n)) extend(drawn, record, at, t)
  return joined(drawn)
}

/** Whether a row has anything to show between these lifelines. */
export const between = (at: Places, scenario: Scenario | null) => (item: Item): boolean => {
  if ('trip' in item) return arrows(item.trip, Infinity, Infinity, at).length > 0
  const { input } = item.input
  const machine = 'machine' in input ? input.machine : 'terminal' in input ? scenario?.terminals.find((one) => one.id === input.terminal)?.machine : undefined
  return machine === undefined || at.inner(machine) >= 0
}

/** `n`: the row is there once more records than this have been told. */
export type Row = { y: number; height: number; n: number; t: number } & (
  | { kind: 'packet'; trip: Trip }
  | { kind: 'silence'; span: number }
  | { kind: 'input'; input: RecordOf<'input'> }
  | { kind: 'fold'; trips: Trip[]; key: number }
)
export interface Opened { chosen: number | null; folds: ReadonlySet<number> }

const HEIGHT = { packet: 32, tall: 62, silence: 26, input: 28, fold: 28 }
const REPEATS = 3 // from so many repeats in a row on, all but the last are folded

export type Item = { n: number; t: number; trip: Trip } | { n: number; t: number; input: RecordOf<'input'> }

/** Packets and inputs in the order in which they appear. */
export function items(index: Index): Item[] {
  const packets = index.order.map((trip): Item => ({ n: trip.records[0]?.n ?? 0, t: trip.records[0]?.t ?? 0, trip }))
  const inputs = index.inputs.map((input): Item => ({ n: input.n, t: input.t, input }))
  return [...packets, ...inputs].sort((a, b) => a.n - b.n)
}

const repeats = (item: Item | undefined): boolean => item !== undefined && 'trip' in item && (item.trip.about?.again ?? 0) > 0

class Rows {
  readonly rows: Row[] = []
  y = 8

  push(row: Row, height: number): void {
    this.rows.push({ ...row, y: this.y, height })
    this.y += height
  }

  silence(item: Item): void {
    const last = this.rows.at(-1)
    if (last && item.t - last.t >= SILENCE) this.push({ kind: 'silence', span: item.t - last.t, n: item.n, t: item.t, y: 0, height: 0 }, HEIGHT.silence)
  }

  item(item: Item, chosen: number | null): void {
    this.silence(item)
    if ('input' in item) return this.push({ kind: 'input', input: item.input, n: item.n, t: item.t, y: 0, height: 0 }, HEIGHT.input)
    const tall = item.trip.packet === chosen && item.trip.end?.kind === 'dropped'
    this.push({ kind: 'packet', trip: item.trip, n: item.n, t: item.t, y: 0, height: 0 }, tall ? HEIGHT.tall : HEIGHT.packet)
  }

  fold(folded: Item[]): void {
    const [first, last] = [folded[0] as Item, folded.at(-1) as Item]
    const trips = folded.flatMap((item) => ('trip' in item ? [item.trip] : []))
    this.push({ kind: 'fold', trips, key: trips[0]?.packet ?? 0, n: first.n, t: last.t, y: 0, height: 0 }, HEIGHT.fold)
  }
}

/** The rows from top to bottom. Repeats in a row are folded but for the last, the chosen one and what was opened. */
export function rows(all: readonly Item[], opened: Opened): Row[] {
  const laid = new Rows()
  for (let i = 0; i < all.length; ) {
    let end = i
    while (repeats(all[end])) end++
    const run = all.slice(i, end)
    const mine = run.some((item) => 'trip' in item && item.trip.packet === opened.chosen)
    const first = run[0]
    const open = !first || mine || ('trip' in first && opened.folds.has(first.trip.packet))
    if (run.length >= REPEATS && !open) {
      laid.fold(run.slice(0, -1))
      laid.item(run.at(-1) as Item, opened.chosen)
    } else for (const item of run.length ? run : all.slice(i, i + 1)) laid.item(item, opened.chosen)
    i = Math.max(end, i + 1)
  }
  return laid.rows
}

/** Where on its lifeline a machine did not run, from the note that says so to the one that says that it is up again; `to` null: it still does not. */
export interface Outage { machine: string; from: number; to: number | null }
export function outages(remarks: readonly RecordOf<'note'>[], laid: readonly Row[], n: number): Outage[] {
  const found: Outage[] = []
  const place = (at: number): number => laid[countUpTo(laid, at, (row) => row.n)]?.y ?? end(laid.at(-1))
  for (const { code, machine, n: at } of remarks) {
    if (!(code in POWER) || at >= n) continue
    const open = found.find((one) => one.machine === machine && one.to === null)
    if (POWER[code] === null && open) open.to = place(at)
    else if (POWER[code] !== null && !open) found.push({ machine, from: place(at), to: null })
  }
  return found
}

/** Where a row ends. */
export const end = (row: Row | undefined): number => (row ? row.y + row.height : 0)
