// Which words a rule is shown in: the language that the learner chose where the rule has words in it, its own otherwise; the other beside it.
// Pure.

import type { Language } from './channel'
import type { ChainView, RuleView, TableView } from './records'

/** `second` is the rule in the other language, or null; `quiet` where that is not the learner's. */
export interface RuleWords { first: string; second: string | null; language: string; quiet: boolean }

/** `other` is the rule in the language that it was not written in, or null. With "both" the own words come first. */
export function ruleWords(written: string, language: string, other: string | null, wanted: Language | 'both'): RuleWords {
  const foreign = language === 'nft' ? 'iptables' : 'nft'
  if (wanted === foreign && other !== null) return { first: other, second: written, language: foreign, quiet: true }
  return { first: written, second: other, language, quiet: wanted !== 'both' }
}

const known = new WeakMap<readonly TableView[], Map<number, RuleView>>()

/** The rules of these tables by their id; kept for as long as the tables are. */
export function rulesById(tables: readonly TableView[]): ReadonlyMap<number, RuleView> {
  let rules = known.get(tables)
  if (!rules) {
    rules = new Map(tables.flatMap((table) => table.chains.flatMap((chain) => chain.rules.map((rule) => [rule.id, rule] as const))))
    known.set(tables, rules)
  }
  return rules
}

/** The policy at a hook that matters most to a packet: DROP where any base chain there has it, or null without a chain. */
export function policyAt(tables: readonly TableView[], hook: string): string | null {
  const here = (chain: ChainView): boolean => chain.hook?.toUpperCase() === hook
  const policies = tables.flatMap((table) => table.chains.filter(here).map((chain) => chain.policy?.toUpperCase() ?? 'ACCEPT'))
  return policies.includes('DROP') ? 'DROP' : (policies[0] ?? null)
}
