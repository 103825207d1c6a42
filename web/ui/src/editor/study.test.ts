import { describe, expect, it } from 'vitest'
import type { Input, TableView } from '../records'
import { append, type State } from '../story'
import { RULES } from './codemirror'
import { counts, decides, reasons, rulesAt, spans, trialEnds, type Seen, type Studied } from './study'

const rule = (id: number, text: string) => ({ id, number: id, handle: 0, text, other: null, packets: 0, bytes: 0 })
const table = (policy: string, ...texts: string[]): TableView => ({
  language: 'iptables', family: 'ip', name: 'filter',
  chains: [{ name: 'INPUT', hook: 'INPUT', priority: 0, policy, policy_packets: 0, policy_bytes: 0, rules: texts.map((text, i) => rule(i + 1, text)) }],
})
const seen = (line: number, text: string): Seen => ({
  doc: 'iptables', line, table: 'ip filter', chain: 'INPUT', text, sentence: '', twins: [{ doc: 'nft', line: line + 10 }],
})
const studied: Studied = { mistakes: [], others: null, missing: [], rules: [seen(2, '-j LOG'), seen(3, '-j DROP'), seen(4, '-j DROP'), seen(5, '-j ACCEPT')] }

describe('counters beside the lines', () => {
  it('go to equal rules in their order, and to the lines that say them in the other language', () => {
    const found = counts(studied, 'iptables', [table('ACCEPT', '-j DROP', '-j DROP')], (id) => id * 100)
    expect([...found]).toEqual([['iptables 3', 100], ['nft 13', 100], ['iptables 4', 200], ['nft 14', 200]])
  })
  it('are not given to rules of a language that is not loaded', () => {
    expect(counts(studied, 'nft', [table('ACCEPT', '-j DROP')], () => 1).size).toBe(0)
  })
})

it('a rule is found from either side', () => {
  expect(rulesAt(studied, { doc: 'nft', line: 13 })).toEqual(rulesAt(studied, { doc: 'iptables', line: 3 }))
})

it('tables decide something when there is a rule, or a policy that drops', () => {
  expect([table('ACCEPT'), table('DROP'), table('ACCEPT', '-j LOG')].map((one) => decides([one], 'iptables'))).toEqual([false, true, true])
})

it('a trial ends after its time, when it is kept, and when rules come for good', () => {
  const given = (...inputs: [number, Input][]): State['inputs'] =>
    inputs.reduce<State['inputs']>((chain, [t, input]) => append(chain, { n: 0, t, text: '', input }), null)
  const trial: Input = { type: 'rules', machine: 'a', nft: '', timer: 30 }
  expect(trialEnds(given([10, trial]), 'a', 20)).toBe(40)
  expect(trialEnds(given([10, trial]), 'b', 20)).toBe(null)
  expect(trialEnds(given([10, trial]), 'a', 40)).toBe(null)
  expect(trialEnds(given([10, trial], [20, { type: 'keep', machine: 'a' }]), 'a', 30)).toBe(null)
  expect(trialEnds(given([10, trial], [20, { type: 'rules', machine: 'a', nft: '' }]), 'a', 30)).toBe(null)
})

it('rules without a counterpart are told by their reason, with lines in a row said as a span', () => {
  const one = (line: number, why: string) => ({ doc: 'nft' as const, line, text: '', why })
  const missing = [one(18, 'no chain leads there'), one(5, 'no such priority'), one(19, 'no chain leads there'), one(20, 'no such priority')]
  expect(spans(missing.map(({ line }) => line))).toBe('5, 18–20')
  expect(reasons(missing)).toEqual([{ why: 'no such priority', lines: [5, 20] }, { why: 'no chain leads there', lines: [18, 19] }])
})

it('a word has its colour where it is a word, and not within the name of a chain', () => {
  const found = (line: string): string[] => [...line.matchAll(RULES)].map(([word]) => word)
  expect(found('-A ufw-user-limit-accept -m comment --comment "a b" -j ACCEPT')).toEqual(['-A', '-m', '--comment', '"a b"', '-j', 'ACCEPT'])
  expect(found('ct state new jump skip-to-policy-input')).toEqual(['new', 'jump'])
})
