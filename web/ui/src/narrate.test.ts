import { expect, test } from 'vitest'
import { Index } from './index'
import { everyKind } from './made'
import { aboutOf, ends, tellEvent, tellPacket } from './narrate'
import type { Trip } from './index'
import { Story } from './story'

const records = everyKind()
const index = new Index('server')
for (const record of records) index.add(record)
const story = new Story('server')
story.replace(0, records)

function trip(packet: number): Trip {
  const found = index.trip(packet)
  if (!found) throw new Error(`no packet ${packet}`)
  return found
}
const after = (kind: string, packet: number): number => records.findIndex((one) => one.kind === kind && 'packet' in one && one.packet === packet) + 1

test('a dropped packet is told with its ends, its name, its label and what dropped it', () => {
  expect(tellPacket(trip(3), records.length)).toBe('Packet 3, laptop to server, TCP PSH "ls", INVALID, dropped by policy of INPUT')
})

test('a packet under way is told without a label that it does not have yet', () => {
  expect(tellPacket(trip(1), after('sent', 1))).toBe('Packet 1, laptop to server, TCP SYN, on its way')
})

test('a delivered packet says where it was delivered, a lost one how it was lost', () => {
  expect(tellPacket(trip(1), records.length)).toContain('NEW, delivered to tcp 192.168.1.20:22')
  expect(tellPacket(trip(2), records.length)).toContain('lost: by chance')
})

test('a step by event says the time, the packet and the event', () => {
  const said = tellEvent(story.seek(after('label', 1)), index)
  expect(said).toBe('At 0.005 seconds: Packet 1, laptop to server, TCP SYN: labelled NEW. a reason')
})

test('no event is told by an empty sentence', () => {
  for (let n = 0; n <= records.length; n++) expect(tellEvent(story.seek(n), index).length).toBeGreaterThan(10)
})

test('protocol and ends come from the trace', () => {
  expect(aboutOf(trip(1))).toBe('TCP SYN')
  expect(ends(trip(2))).toEqual({ from: 'server', to: 'laptop' })
})
