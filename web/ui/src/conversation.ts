// Which packets belong to one conversation: those of an entry, both ways and on both sides of NAT, errors about them, and what a helper
// announced in them. Pure.

import type { Index, Trip } from './index'
import type { Direction, RecordOf } from './records'

/** `conns`: entries on the firewall; `ways`: addresses and ports, both ways round. */
export interface Conversation { conns: ReadonlySet<number>; ways: ReadonlySet<string> }

const way = (one: { readonly [name: string]: unknown }, protocol: unknown): string =>
  `${String(protocol)} ${String(one['src'])} ${String(one['sport'] ?? one['id'])} ${String(one['dst'])} ${String(one['dport'] ?? one['id'])}`
const turned = (one: { readonly [name: string]: unknown }): { readonly [name: string]: unknown } =>
  ({ ...one, src: one['dst'], dst: one['src'], sport: one['dport'], dport: one['sport'] })

/** The entry that expected this one, or null. */
function parentOf(index: Index, conn: number): number | null {
  const born = index.table.find((one) => one.kind === 'entry-new' && one.conn === conn && one.machine === index.firewall) as RecordOf<'entry-new'> | undefined
  const used = index.trip(born?.packet ?? null)?.records.find((one) => one.kind === 'expectation' && one.action === 'used' && one.machine === index.firewall)
  return (used as RecordOf<'expectation'> | undefined)?.conn ?? null
}

/** The entry, the one that expected it, and those that either expects. */
function family(index: Index, conn: number): Set<number> {
  const parents = new Map([...index.entries.values()].filter((life) => life.machine === index.firewall).map((life) => [life.id, parentOf(index, life.id)]))
  const root = parents.get(conn) ?? conn
  return new Set([root, conn, ...[...parents].filter(([, parent]) => parent === root).map(([child]) => child)])
}

/** The conversation to which a packet belongs. */
export function conversation(index: Index, trip: Trip): Conversation {
  const conns = trip.label?.conn == null ? new Set<number>() : family(index, trip.label.conn)
  const ways = new Set<string>()
  const add = (one: object, protocol: unknown): void => {
    const fields = one as { readonly [name: string]: unknown }
    ways.add(way(fields, protocol)).add(way(turned(fields), protocol))
  }
  for (const conn of conns) {
    const entry = index.entries.get(`${index.firewall} ${conn}`)?.changes[0]?.entry
    for (const one of entry ? [entry.original, entry.reply] : ([] as Direction[])) add(one, entry?.protocol)
  }
  const headers = trip.about?.headers
  if (headers && (headers['sport'] !== undefined || headers['id'] !== undefined)) add(headers, headers['protocol'])
  return { conns, ways }
}

/** Whether a packet belongs to the conversation. */
export function belongs({ conns, ways }: Conversation, trip: Trip | undefined): boolean {
  if (!trip) return false
  if (trip.label?.conn != null && conns.has(trip.label.conn)) return true
  const headers = trip.about?.headers
  return headers !== undefined && ways.has(way(headers, headers['protocol']))
}
