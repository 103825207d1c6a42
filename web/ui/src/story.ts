// The story: State after n records is a fold of `apply` over the trace, and nothing else. Pure: no DOM, no clock, no server.
// `apply` never changes what it is given; states share what did not change (intmap.ts, Chain), so keeping many is cheap.
// What spans the whole known trace, the future too, is arranged in index.ts.

import { IntMap } from './intmap'
import type { Entry, Headers, Input, Kind, Reason, RecordOf, TableView, TraceRecord } from './records'

/** A list that grows at its end and shares its past: the newest link, or null. */
export type Chain<T> = { readonly value: T; readonly before: Chain<T>; readonly length: number } | null

export function append<T>(chain: Chain<T>, value: T): Chain<T> {
  return { value, before: chain, length: (chain?.length ?? 0) + 1 }
}

/** The links after `since` (a link of this chain, or null), oldest first; null when `since` does not belong to `chain`. */
export function linksAfter<T>(chain: Chain<T>, since: Chain<T>): T[] | null {
  const found: T[] = []
  let link = chain
  for (; link !== since && link !== null; link = link.before) found.push(link.value)
  return link === since ? found.reverse() : null
}

/** The newest links for which `holds`, oldest first; the first that does not ends the walk. */
export function lastWhile<T>(chain: Chain<T>, holds: (value: T) => boolean): T[] {
  const found: T[] = []
  for (let link = chain; link !== null && holds(link.value); link = link.before) found.push(link.value)
  return found.reverse()
}

/** A packet between two machines. `arrives` is null when the link loses it. Times in µs. */
export interface Flight {
  packet: number; from: string; dev: string; to: string; toDev: string; sent: number; arrives: number | null
  headers: Headers; text: string; about: string; again: number
}
/** How a packet's way ended, at the instant it did. */
export interface Settled { packet: number; machine: string; how: 'delivered' | 'dropped' | 'lost'; by: string; n: number }
export interface Label { label: string; direction: string | null; machine: string }

/** An entry, with what its latest change was. `born` and `t` in µs; `before` is its view before that change. */
export interface EntryState {
  conn: number; entry: Entry; before: Entry | null; changed: readonly string[]; reason: Reason; packet: number | null
  n: number; t: number; born: number
}
export interface Gone { conn: number; entry: Entry; reason: Reason; n: number; t: number }
export interface Expected { conn: number; expectation: RecordOf<'expectation'>['expectation']; reason: Reason; n: number }
export interface LogLine { t: number; packet: number | null; text: string }

export interface MachineState {
  tables: readonly TableView[]
  loadedBy: string
  matches: IntMap<number> // rule id -> packets matched, from the counter it was loaded with
  policies: Readonly<{ [chain: string]: number }> // chainKey -> packets that the policy decided
  entries: IntMap<EntryState>
  gone: Chain<Gone>
  expectations: readonly Expected[]
  sockets: IntMap<RecordOf<'socket'>>
  sysctls: Readonly<{ [key: string]: string }>
  log: Chain<LogLine>
}

/** `typed`: lines typed and not yet echoed: over ssh the far end echoes them, and may never hear of them. */
export interface TerminalState {
  output: Chain<string>; state: string; prompt: string; program: string; userAt: string; typed: readonly string[]
}

/** The lab after `n` records. `packet` is the one that the firewall (or a loss) spoke of last. */
export interface State {
  firewall: string
  n: number
  t: number
  record: TraceRecord | null
  packet: number | null
  machines: Readonly<{ [name: string]: MachineState }>
  flying: IntMap<Flight>
  labels: IntMap<Label> // of packets whose way has not ended
  settled: readonly Settled[] // at this very instant
  terminals: Readonly<{ [id: string]: TerminalState }>
  inputs: Chain<{ n: number; t: number; text: string; input: Input }>
  notes: Chain<{ t: number; code: string; text: string }>
  /** Machines that do not run: without power, or on their way up. */
  dark: Readonly<{ [machine: string]: Dark }>
  /** What each client that acts by itself found out last, by machine, what it does and its name. */
  reached: Readonly<{ [client: string]: RecordOf<'reach'> }>
}

/** What a note of power means: the machine is off, on its way up, or runs again (null). */
export type Dark = 'off' | 'boots'
export const POWER: { readonly [code: string]: Dark | null } = { 'power-off': 'off', 'power-boots': 'boots', 'power-up': null }

function darkened(before: State['dark'], machine: string, how: Dark | null): State['dark'] {
  const { [machine]: _, ...others } = before
  return how === null ? others : { ...others, [machine]: how }
}

const NEW_MACHINE: MachineState = {
  tables: [], loadedBy: '', matches: IntMap.empty(), policies: {}, entries: IntMap.empty(), gone: null, expectations: [],
  sockets: IntMap.empty(), sysctls: {}, log: null,
}
const NEW_TERMINAL: TerminalState = { output: null, state: 'prompt', prompt: '', program: '', userAt: '', typed: [] }

export function beginning(firewall: string): State {
  return {
    firewall, n: 0, t: 0, record: null, packet: null, machines: {}, flying: IntMap.empty(), labels: IntMap.empty(), settled: [],
    terminals: {}, inputs: null, notes: null, dark: {}, reached: {},
  }
}

export const machineOf = (state: State, name: string): MachineState => state.machines[name] ?? NEW_MACHINE
export const terminalOf = (state: State, id: string): TerminalState => state.terminals[id] ?? NEW_TERMINAL

/** Names a chain within its machine: `table` as the records write it, "filter" (iptables) or "ip filter" (nft). */
export const chainKey = (language: string, table: string, chain: string): string => `${language} ${table} ${chain}`
export const tableName = (table: TableView): string =>
  table.language === 'nft' ? `${table.family} ${table.name}` : table.name

type Patch = Partial<State>

function onMachine(state: State, name: string, change: (machine: MachineState) => Partial<MachineState>): Patch {
  const machine = machineOf(state, name)
  return { machines: { ...state.machines, [name]: { ...machine, ...change(machine) } } }
}

function onTerminal(state: State, id: string, change: (terminal: TerminalState) => Partial<TerminalState>): Patch {
  const terminal = terminalOf(state, id)
  return { terminals: { ...state.terminals, [id]: { ...terminal, ...change(terminal) } } }
}

function settle(state: State, record: RecordOf<'delivered' | 'dropped' | 'lost'>, by: string): Patch {
  const { packet, machine, kind: how, n } = record
  return { flying: state.flying.delete(packet), settled: [...state.settled, { packet, machine, how, by, n }] }
}

function entryChange(record: RecordOf<'entry-new' | 'entry-update'>, old: EntryState | undefined): EntryState {
  const { conn, entry, reason, packet, n, t } = record
  const changed = record.kind === 'entry-update' ? record.changed : []
  return { conn, entry, before: old?.entry ?? null, changed, reason, packet, n, t, born: old?.born ?? t }
}

function loadedPolicies(tables: readonly TableView[]): { [chain: string]: number } {
  const policies: { [chain: string]: number } = {}
  for (const table of tables)
    for (const chain of table.chains) policies[chainKey(table.language, tableName(table), chain.name)] = chain.policy_packets ?? 0
  return policies
}

/** Counters that the load tells of are taken as told; a rule without one is counted here from the moment it was loaded. */
function loadedMatches(tables: readonly TableView[], old: IntMap<number>): IntMap<number> {
  let matches = IntMap.empty<number>()
  for (const table of tables)
    for (const chain of table.chains)
      for (const rule of chain.rules) matches = matches.set(rule.id, rule.packets ?? old.get(rule.id) ?? 0)
  return matches
}

function expectations(old: readonly Expected[], record: RecordOf<'expectation'>): readonly Expected[] {
  const { action, conn, expectation, reason, n } = record
  const named = JSON.stringify(expectation)
  const others = old.filter((one) => one.conn !== conn || JSON.stringify(one.expectation) !== named)
  return action === 'created' || action === 'new' ? [...others, { conn, expectation, reason, n }] : others
}

/** The typed lines that are not among what is printed now. */
function unechoed(typed: readonly string[], printed: string): readonly string[] {
  let [echoed, from] = [0, 0]
  for (const line of typed) {
    const at = printed.indexOf(`${line}\n`, from)
    if (at < 0) break
    from = at + line.length + 1
    echoed++
  }
  return echoed ? typed.slice(echoed) : typed
}

type Handlers = { readonly [K in Kind]: (state: State, record: RecordOf<K>) => Patch }

/** A handler a kind of record; `n`, `t`, `record` and `packet` are kept by `apply`. */
export const HANDLERS: Handlers = {
  sent: (state, { packet, machine, dev, to, to_dev, t, arrives, headers, text, about, again }) => ({
    flying: state.flying.set(packet, { packet, from: machine, dev, to, toDev: to_dev, sent: t, arrives, headers, text, about, again }),
  }),
  lost: (state, record) => settle(state, record, record.reason.text),
  arrived: (state, { packet }) => ({ flying: state.flying.delete(packet) }),
  hook: () => ({}), // a packet's way is read from index.ts; the moment alone is kept here
  routed: () => ({}),
  label: (state, { packet, label, direction, machine }) => ({ labels: state.labels.set(packet, { label, direction, machine }) }),
  nat: () => ({}),
  rule: (state, { machine, rule, matched }) =>
    matched ? onMachine(state, machine, ({ matches }) => ({ matches: matches.set(rule, (matches.get(rule) ?? 0) + 1) })) : {},
  verdict: (state, { machine, by, language, table, chain }) => {
    if (by !== 'policy') return {}
    const key = chainKey(language, table, chain)
    return onMachine(state, machine, ({ policies }) => ({ policies: { ...policies, [key]: (policies[key] ?? 0) + 1 } }))
  },
  delivered: (state, record) => settle(state, record, record.to),
  dropped: (state, record) => settle(state, record, record.by),
  'entry-new': (state, record) =>
    onMachine(state, record.machine, ({ entries }) => ({ entries: entries.set(record.conn, entryChange(record, undefined)) })),
  'entry-update': (state, record) =>
    onMachine(state, record.machine, ({ entries }) => ({
      entries: entries.set(record.conn, entryChange(record, entries.get(record.conn))),
    })),
  'entry-expired': () => ({}), // its entry-destroy follows
  'entry-destroy': (state, { machine, conn, entry, reason, n, t }) =>
    onMachine(state, machine, ({ entries, gone }) => ({
      entries: entries.delete(conn), gone: append(gone, { conn, entry, reason, n, t }),
    })),
  'entry-told': () => ({}), // the entry's own record has said it; the tool's line is read from index.ts
  expectation: (state, record) =>
    onMachine(state, record.machine, (machine) => ({ expectations: expectations(machine.expectations, record) })),
  output: (state, { terminal, text }) =>
    onTerminal(state, terminal, ({ output, typed }) => ({ output: append(output, text), typed: unechoed(typed, text) })),
  terminal: (state, { terminal, state: waits, prompt, program, user_at }) =>
    onTerminal(state, terminal, ({ typed }) => ({ state: waits, prompt, program, userAt: user_at, typed: waits === 'running' ? typed : [] })),
  socket: (state, record) =>
    onMachine(state, record.machine, ({ sockets }) => ({
      sockets: record.state === 'CLOSED' ? sockets.delete(record.socket) : sockets.set(record.socket, record),
    })),
  rules: (state, { machine, tables, by }) =>
    onMachine(state, machine, ({ matches }) => ({
      tables, loadedBy: by, matches: loadedMatches(tables, matches), policies: loadedPolicies(tables),
    })),
  sysctl: (state, { machine, key, value }) =>
    onMachine(state, machine, ({ sysctls }) => ({ sysctls: { ...sysctls, [key]: value } })),
  'kernel-log': (state, { machine, t, packet, text }) =>
    onMachine(state, machine, ({ log }) => ({ log: append(log, { t, packet, text }) })),
  input: (state, { n, t, text, input }) => ({
    inputs: append(state.inputs, { n, t, text, input }),
    ...(input.type === 'line' ? onTerminal(state, input.terminal, ({ typed }) => ({ typed: [...typed, input.text] })) : {}),
  }),
  reach: (state, record) => ({ reached: { ...state.reached, [`${record.machine} ${record.what} ${record.name}`]: record } }),
  note: (state, { t, code, text, machine }) => ({ notes: append(state.notes, { t, code, text }), ...(code in POWER && { dark: darkened(state.dark, machine, POWER[code] ?? null) }) }),
}

/** Whose packet this instant is about: the firewall's latest, or one that was lost or dropped anywhere. */
function packetAt(state: State, record: TraceRecord): number | null {
  const packet = 'packet' in record ? record.packet : null
  if (packet === null) return state.packet
  const speaks = record.machine === state.firewall || record.kind === 'dropped' || record.kind === 'lost'
  return speaks || state.packet === null ? packet : state.packet
}

/** What ended at an earlier instant is no longer to be seen. */
function cleared(state: State, t: number): Patch {
  if (t === state.t || state.settled.length === 0) return {}
  let labels = state.labels
  for (const { packet } of state.settled) if (!state.flying.get(packet)) labels = labels.delete(packet)
  return { settled: [], labels }
}

/** The state after one more record. Throws on a kind that this page does not know. */
export function apply(state: State, record: TraceRecord): State {
  const handler = HANDLERS[record.kind] as ((state: State, record: TraceRecord) => Patch) | undefined
  if (!handler) throw new Error(`the page has no handler for records of kind '${String(record.kind)}'`)
  const fresh = { ...state, ...cleared(state, record.t) }
  return {
    ...fresh, ...handler(fresh, record), n: record.n + 1, t: record.t, record, packet: packetAt(state, record),
  }
}

/** The records known so far, and the state after any number of them. */
export class Story {
  readonly firewall: string
  readonly records: TraceRecord[] = []
  readonly #every: number
  readonly #keyframes: State[]
  #latest: State

  /** A state is kept every `every` records: a seek folds fewer than that. */
  constructor(firewall: string, every = 16) {
    this.firewall = firewall
    this.#every = every
    this.#latest = beginning(firewall)
    this.#keyframes = [this.#latest]
  }

  get length(): number {
    return this.records.length
  }

  /** Records from number `from` on are now these. Throws when there would be a gap. */
  replace(from: number, records: readonly TraceRecord[]): void {
    if (from > this.length) throw new Error(`records from ${from} on came, but only ${this.length} are here`)
    this.records.length = from
    this.#keyframes.length = Math.min(this.#keyframes.length, Math.floor(from / this.#every) + 1)
    for (const record of records) this.records.push(record)
    let state = this.#keyframes.at(-1) as State
    while (state.n < this.length) {
      state = apply(state, this.records[state.n] as TraceRecord)
      if (state.n % this.#every === 0) this.#keyframes.push(state)
    }
    this.#latest = state
  }

  /** The state after `n` records, for `n` from 0 to `length`; beyond, the nearest. */
  seek(n: number): State {
    const wanted = Math.max(0, Math.min(n, this.length))
    const keyframe = this.#keyframes[Math.floor(wanted / this.#every)] as State
    const near = this.#latest.n <= wanted && this.#latest.n >= keyframe.n
    let state = near ? this.#latest : keyframe
    while (state.n < wanted) state = apply(state, this.records[state.n] as TraceRecord)
    this.#latest = state
    return state
  }
}
