import { afterEach, expect, test } from 'vitest'
import { said } from './german/said'
import { Maker as Made } from './made'
import { inTongue, told, use } from './tongue'

afterEach(() => use(null))

test('a sentence is said in German with its values in their places, the closer of two that fit', () => {
  use(said())
  expect(told('Its TCP checksum is wrong.')).toBe('Seine TCP-Prüfsumme ist falsch.')
  expect(told('There is no way to 10.0.0.1.')).toBe('Kein Weg führt zu 10.0.0.1.')
  expect(told('There is no way to 10.0.0.1, where NAT sends it.')).toBe('Kein Weg führt zu 10.0.0.1, wohin NAT es schickt.')
  expect(told('Rule 2 of INPUT decided: -p tcp. And so on. -j DROP. This packet is gone, and nobody is told.')).toBe(
    'Regel 2 von INPUT hat entschieden: -p tcp. And so on. -j DROP. Dieses Paket ist fort, und niemand erfährt es.')
})

test('a value that is a sentence is said in German too, and several with semicolons', () => {
  use(said())
  expect(told('server is up again: no connection is known, and the rules of nft are those that were saved; iptables refuses the rules it finds (x).')).toBe(
    'server läuft wieder: keine Verbindung ist bekannt. Regeln: die von nft sind die gespeicherten; iptables lehnt die vorgefundenen ab (x).')
})

test('why a rule has no counterpart is said in German', () => {
  use(said())
  expect(told("none of iptables' tables has a filter chain at INPUT with priority 10")).toBe('keine Tabelle von iptables hat eine filter-Kette an INPUT mit Priorität 10')
  expect(told('nft has no words for this')).toBe('nft hat dafür keine Worte')
})

test('what no table has stays, and without tables all does', () => {
  expect(told('Its TCP checksum is wrong.')).toBe('Its TCP checksum is wrong.')
  use(said())
  expect(told('Something else.')).toBe('Something else.')
})

test('reasons, remarks and the words beside each match are said in German, and what a tool prints is not', () => {
  use(said())
  const made = new Made()
  made.add('a', 'note', { code: 'rules', text: 'a: There was nothing to keep: no rules are on trial.' })
  made.add('a', 'output', { terminal: 'a', text: 'Its TCP checksum is wrong.' })
  made.add('a', 'lost', { packet: 1, dev: 'eth0', reason: { code: 'down', text: 'The link lan is cut.', numbers: {} } })
  const because = [{ text: '', matched: false, value: '', words: 'port 80, not 22' }, { text: '', matched: true, value: '', words: 'label is NEW' }, { text: '', matched: true, value: '', words: 'TCP yes' }]
  made.add('a', 'rule', { packet: 1, hook: 'INPUT', language: 'iptables', table: 'filter', chain: 'INPUT', rule: 1, number: 1, text: '', matched: true, verdict: null, because })
  const [note, output, lost, rule] = made.records.map(inTongue)
  expect(note).toMatchObject({ text: 'a: Es gab nichts zu behalten: keine Regeln sind auf Probe.' })
  expect(output).toMatchObject({ text: 'Its TCP checksum is wrong.' })
  expect(lost).toMatchObject({ reason: { code: 'down', text: 'Die Leitung lan ist getrennt.' } })
  expect(rule).toMatchObject({ because: [{ words: 'Port 80, nicht 22' }, { words: 'Label ist NEW' }, { words: 'TCP: ja' }] })
})
