// What client, conntrack and server each believe about one connection, change by change, and where they part. Pure.

import { endpoint } from './format'
import type { EntryRecord, Index, Life } from './index'
import type { RecordOf } from './records'

/** The three beliefs from record `n` on; null: knows nothing of it. `changed` says whose belief is new. */
export interface Moment {
  n: number; t: number; client: string | null; conntrack: string | null; server: string | null
  changed: ReadonlySet<Side>; parted: boolean
}
export type Side = 'client' | 'conntrack' | 'server'
/** `waits`: what an end has sent and not heard back about, at record `n`. `unseen`: the ends that are no machine of the lab: of them nothing is known. */
export interface Beliefs { client: string; server: string; moments: Moment[]; unseen: ReadonlySet<Side>; waits(side: Side, n: number): string }

type Change = { n: number; t: number; side: Side; state: string | null }

const PHASES: { readonly [state: string]: number } = {
  'SYN-SENT': 1, SYN_SENT: 1, 'SYN-RECV': 1, SYN_RECV: 1, SYN_SENT2: 1, ESTAB: 2, ESTABLISHED: 2, 'FIN-WAIT-1': 3, 'FIN-WAIT-2': 3, FIN_WAIT: 3,
  CLOSING: 3, 'CLOSE-WAIT': 3, CLOSE_WAIT: 3, 'LAST-ACK': 3, LAST_ACK: 3,
}

/** Beliefs agree when they are in the same phase: nothing or over, opening, open, closing. */
export function parted(beliefs: readonly (string | null)[]): boolean {
  return new Set(beliefs.map((state) => PHASES[state ?? ''] ?? 0)).size > 1
}

/** TCP's state; of other protocols what conntrack knows: whether an answer was seen. */
function stateOf({ state, assured, unreplied }: EntryRecord['entry']): string {
  return state ?? (assured ? 'ASSURED' : unreplied ? 'UNREPLIED' : 'SEEN_REPLY')
}

const entryChanges = (life: Life<'entry'>): Change[] =>
  life.changes.map((one: EntryRecord) => ({
    n: one.n, t: one.t, side: 'conntrack', state: one.kind === 'entry-destroy' ? null : stateOf(one.entry),
  }))

interface End { machine: string; records: RecordOf<'socket'>[]; changes: Change[] }

function socketChanges(index: Index, local: string, remote: string, side: Side): End {
  for (const life of index.sockets.values()) {
    const found = life.changes.some((one) => one.local === local && one.remote === remote)
    if (!found) continue
    const records = life.changes.filter((one) => one.local === local && one.remote === remote)
    const told = (one: RecordOf<'socket'>): Change => ({ n: one.n, t: one.t, side, state: one.state === 'CLOSED' ? null : one.state })
    return { machine: life.machine, records, changes: records.map(told) }
  }
  return { machine: '', records: [], changes: [] }
}

const SIDES = ['client', 'conntrack', 'server'] as const
function fold(changes: Change[], unseen: ReadonlySet<Side>): Moment[] {
  const moments: Moment[] = []
  const now: { [side in Side]: string | null } = { client: null, conntrack: null, server: null }
  for (const { n, t, side, state } of changes.sort((a, b) => a.n - b.n)) {
    if (now[side] === state) continue
    now[side] = state
    const last = moments.at(-1)
    const changed = new Set(last?.t === t ? [...last.changed, side] : [side])
    if (last?.t === t) moments.pop()
    moments.push({ n, t, ...now, changed, parted: parted(SIDES.filter((one) => !unseen.has(one)).map((one) => now[one])) })
  }
  return moments
}

/** The beliefs about the connection of an entry. Sockets are found by the addresses and ports of its two tuples; `ours`: whether a machine of the lab has an address. */
export function beliefs(index: Index, life: Life<'entry'>, ours: (address: string) => boolean): Beliefs {
  const { original, reply } = (life.changes[0] as EntryRecord).entry
  const [there, here] = [endpoint(original.src, original.sport), endpoint(original.dst, original.dport)]
  const client = socketChanges(index, there, here, 'client')
  const server = socketChanges(index, endpoint(reply.src, reply.sport), endpoint(reply.dst, reply.dport), 'server')
  const unseen = new Set<Side>()
  if (!client.machine && !ours(original.src)) unseen.add('client')
  if (!server.machine && !ours(reply.src)) unseen.add('server')
  const moments = fold([...client.changes, ...entryChanges(life), ...server.changes], unseen)
  const waits = (side: Side, n: number): string =>
    (side === 'client' ? client : server).records.findLast((one) => one.n < n)?.unacked.trim() ?? ''
  return { client: client.machine || original.src, server: server.machine || reply.src, moments, unseen, waits }
}

/** The moments at which they part: who agreed until then does no longer. */
export function partings(moments: readonly Moment[]): Moment[] {
  return moments.filter((one, i) => one.parted && !moments[i - 1]?.parted)
}

/** How long one side held one belief; `to` is null for what it holds last. */
export interface Held { side: Side; state: string | null; from: number; to: number | null }
export function lanes(moments: readonly Moment[], sides: readonly Side[]): Held[] {
  return sides.flatMap((side) => {
    const changes = moments.filter((one, i) => i === 0 || moments[i - 1]?.[side] !== one[side])
    return changes.map((one, i): Held => ({ side, state: one[side], from: one.t, to: changes[i + 1]?.t ?? null }))
  })
}
