// The trace as the page receives it: one interface a kind of record, as sim/trace.py writes them. Types only.

export interface Reason { code: string; text: string; numbers: Readonly<{ [name: string]: unknown }> }
export interface Because { text: string; matched: boolean; value: string; words: string }

/** The header fields that the simulator read; which there are depends on the protocol. */
export interface Headers { readonly [name: string]: unknown }

/** One direction of an entry; ICMP has type, code and id in place of ports. */
export interface Direction { src: string; dst: string; sport?: number; dport?: number; type?: number; code?: number; id?: number }

/** A view of a conntrack entry. `timeout` and `expires` are µs; `expires` is absolute. */
export interface Entry {
  family: string; protocol: string; protonum: number; state: string | null; original: Direction; reply: Direction
  unreplied: boolean; assured: boolean; mark: number; zone: number; status: readonly string[]; helper: string | null
  timeout: number; expires: number
  line: string // what conntrack -L printed for it at the record's time
}

export interface RuleView {
  id: number; number: number; handle: number | null; text: string; other: string | null; packets: number | null; bytes: number | null
}
export interface ChainView {
  name: string; hook: string | null; priority: number | null; policy: string | null
  policy_packets: number | null; policy_bytes: number | null; rules: readonly RuleView[]
}
export interface TableView { language: string; family: string; name: string; chains: readonly ChainView[] }

/** What a person did, as it is sent and as the trace tells it. */
export type Input =
  | { type: 'line'; terminal: string; text: string }
  | { type: 'key'; terminal: string; key: '^C' | '^D' }
  | { type: 'link'; link: string; delay?: number; loss?: number; up?: boolean }
  | { type: 'command'; machine: string; text: string }
  | { type: 'packet'; machine: string; packet: string }
  | { type: 'rules'; machine: string; iptables?: string; ip6tables?: string; nft?: string; timer?: number }
  | { type: 'keep'; machine: string }
  | { type: 'power'; machine: string; power: 'off' | 'on' | 'reset' }

/** What each kind of record carries beyond n, t, machine and kind. */
export interface Kinds {
  sent: {
    packet: number; dev: string; to: string; to_dev: string; arrives: number | null; data: string; headers: Headers
    text: string; about: string; again: number
  }
  lost: { packet: number; dev: string; reason: Reason }
  arrived: { packet: number; dev: string }
  hook: { packet: number; hook: string; indev: string | null; outdev: string | null }
  routed: { packet: number; decision: string; dev: string | null; via: string | null }
  label: {
    packet: number; hook: string; label: string; direction: string | null; conn: number | null; reason: Reason
    kernel_log: readonly string[]
  }
  nat: { packet: number; hook: string; what: string; before: string; after: string }
  rule: {
    packet: number; hook: string; language: string; table: string; chain: string; rule: number; number: number; text: string
    matched: boolean; verdict: string | null; because: readonly Because[]
  }
  verdict: {
    packet: number; hook: string; language: string; table: string; chain: string; verdict: string; by: string; rule: number | null
  }
  delivered: { packet: number; to: string }
  dropped: { packet: number; where: string; by: string; reason: Reason }
  'entry-new': { conn: number; packet: number | null; entry: Entry; reason: Reason }
  'entry-update': {
    conn: number; packet: number | null; entry: Entry; changed: readonly string[]; told: boolean; reason: Reason
  }
  'entry-expired': { conn: number }
  'entry-destroy': { conn: number; packet: number | null; entry: Entry; reason: Reason }
  'entry-told': { conn: number; packet: number | null; event: 'NEW' | 'UPDATE' | 'DESTROY'; line: string }
  expectation: { action: string; conn: number; packet: number | null; expectation: Readonly<{ [name: string]: unknown }>; reason: Reason }
  output: { terminal: string; text: string }
  terminal: { terminal: string; state: string; prompt: string; program: string; user_at: string }
  socket: {
    socket: number; protocol: string; local: string; remote: string; state: string; program: string; unacked: string
    tries: number; retry_at: number | null
  }
  rules: { tables: readonly TableView[]; by: string }
  sysctl: { key: string; value: string; old: string }
  'kernel-log': { packet: number | null; text: string }
  input: { text: string; input: Input }
  reach: { what: 'probe' | 'talk' | 'attempt'; name: string; to: string; ok: boolean; began: number; down: number; reason: Reason }
  note: { code: string; text: string }
}

export type Kind = keyof Kinds
/** Number from 0, time in µs, the machine ("" for the simulation itself). */
export interface Head { readonly n: number; readonly t: number; readonly machine: string }
export type RecordOf<K extends Kind> = K extends Kind ? Head & { readonly kind: K } & Readonly<Kinds[K]> : never
export type TraceRecord = RecordOf<Kind>

/** The packet that a record speaks of, or null. */
export function packetOf(record: TraceRecord): number | null {
  return 'packet' in record ? record.packet : null
}
