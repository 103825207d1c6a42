// What a moment is, in a sentence for those who hear the page rather than see it. Pure.

import type { Index, Trip } from './index'
import { journey, labelAt } from './journey'
import type { RecordOf, TraceRecord } from './records'
import type { State } from './story'
import { text } from './text'

const say = text.say

/** Where a packet comes from and goes to: machine names where the trace tells them. */
export function ends(trip: Trip): { from: string; to: string } {
  const first = trip.records[0]
  const sent = trip.records.filter((record) => record.kind === 'sent')
  return { from: sent[0]?.machine ?? first?.machine ?? '', to: sent.at(-1)?.to ?? first?.machine ?? '' }
}

/** What a person would call the packet: TCP PSH "ls", UDP DNS query. */
export function aboutOf(trip: Trip): string {
  const protocol = trip.about?.headers['protocol']
  const about = trip.about?.about ?? ''
  const named = typeof protocol === 'string' && !about.toUpperCase().startsWith(protocol.toUpperCase())
  return named ? `${protocol.toUpperCase()} ${about}` : about
}

/** What decided about the packet: "policy of INPUT", "rule 2 of INPUT"; null where no chain did. */
export function decider(trip: Trip, n: number, machine: string): string | null {
  const verdict = journey(trip, machine, n).passes.findLast((pass) => pass.verdict)?.verdict
  if (!verdict || !/DROP|REJECT/i.test(verdict.verdict)) return null // it was let through there, and ended for another reason
  if (verdict.by === 'policy') return say.policyOf(verdict.chain)
  const rule = trip.records.find((one) => one.kind === 'rule' && one.rule === verdict.rule) as RecordOf<'rule'> | undefined
  return rule ? say.ruleOf(rule.number, rule.chain) : verdict.chain
}

export function outcome(trip: Trip, n: number): string {
  const end = trip.end && trip.end.n < n ? trip.end : null
  if (end?.kind === 'dropped') return say.droppedBy(decider(trip, n, end.machine) ?? end.by)
  if (end?.kind === 'lost') return say.lost(end.reason.text)
  if (end) return say.delivered(end.to)
  return trip.decided <= n ? say.passed : say.underWay
}

/** "Packet 16, laptop to server, TCP PSH, ESTABLISHED, dropped by policy of INPUT". */
export function tellPacket(trip: Trip, n: number): string {
  const { from, to } = ends(trip)
  return [say.packet(trip.ordinal, from, to, aboutOf(trip)), labelAt(trip, n), outcome(trip, n)].filter(Boolean).join(', ')
}

function tellPacketEvent(record: TraceRecord): string {
  switch (record.kind) {
    case 'hook': return say.hook(record.hook)
    case 'routed': return say.routed(record.decision)
    case 'label': return say.label(record.label, record.reason.text)
    case 'nat': return say.rewritten(record.what, record.before, record.after)
    case 'rule': return say.rule(record.number, record.chain, record.matched)
    case 'verdict': return say.verdict(record.verdict, record.by === 'policy' ? say.policyOf(record.chain) : record.chain)
    default: return ''
  }
}

function tellOther(record: TraceRecord): string {
  switch (record.kind) {
    case 'entry-new': return say.created(record.entry.state ?? '')
    case 'entry-update': return say.updated(record.entry.state ?? '')
    case 'entry-expired': return say.expired
    case 'entry-destroy': return say.destroyed(record.reason.text)
    case 'output': return say.printed(record.terminal, record.text.trim())
    case 'input': return say.typed(record.text)
    case 'socket': return say.socket(record.machine, record.state)
    case 'rules': return say.rules(record.machine)
    case 'reach': return say.reached(record.name, record.reason.text)
    case 'note': case 'kernel-log': return record.text
    default: return tellPacketEvent(record)
  }
}

/** One record in a sentence: what a step by event announces. */
export function tellEvent(state: State, index: Index): string {
  const { record } = state
  if (!record) return say.begin
  const own = tellOther(record)
  const trip = 'packet' in record ? index.trip(record.packet) : undefined
  const packet = trip && !own ? tellPacket(trip, state.n) : trip ? say.packet(trip.ordinal, ends(trip).from, ends(trip).to, aboutOf(trip)) : ''
  return [say.at(state.t), packet, own].filter(Boolean).join(': ')
}
