// What the server says of rules that are being typed, and what follows from it for an editor: counters and sentences by line. Pure.

import type { RuleView, TableView } from '../records'
import type { State } from '../story'

export type Doc = 'iptables' | 'ip6tables' | 'nft'
export type Source = 'iptables' | 'nft'
export type Texts = { [doc in Doc]: string }
export interface Mistake { doc: Doc; line: number; column: number; length: number; message: string; hint: string }
export interface Place { doc: Doc; line: number }
export interface Seen extends Place { table: string; chain: string; text: string; sentence: string; twins: Place[] }
export interface Missing extends Place { text: string; why: string }
/** `others`: the other language's texts; null while there are mistakes. */
export interface Studied { mistakes: Mistake[]; rules: Seen[]; others: Partial<Texts> | null; missing: Missing[] }

export const NOTHING: Studied = { mistakes: [], rules: [], others: null, missing: [] }
export const docsOf = (source: Source): Doc[] => (source === 'nft' ? ['nft'] : ['iptables', 'ip6tables'])
export const other = (source: Source): Source => (source === 'nft' ? 'iptables' : 'nft')

/** How many packets each rule matched, by `doc line`, in its own text and in its translation; of rules that the machine really has. */
export function counts(studied: Studied, source: Source, tables: readonly TableView[], matches: (rule: number) => number): Map<string, number> {
  const rules = new Map<string, RuleView[]>()
  for (const table of tables) {
    for (const chain of table.language === source ? table.chains : []) {
      for (const rule of chain.rules) {
        const key = `${table.family} ${table.name} ${chain.name} ${rule.text}`
        rules.set(key, [...(rules.get(key) ?? []), rule])
      }
    }
  }
  const found = new Map<string, number>()
  for (const seen of studied.rules) {
    const rule = rules.get(`${seen.table} ${seen.chain} ${seen.text}`)?.shift()
    if (!rule) continue
    for (const { doc, line } of [seen, ...seen.twins]) found.set(`${doc} ${line}`, (found.get(`${doc} ${line}`) ?? 0) + matches(rule.id))
  }
  return found
}

/** The rules of a line, in whichever of the two languages it stands. */
export function rulesAt(studied: Studied, at: Place): Seen[] {
  return studied.rules.filter((rule) => [rule, ...rule.twins].some(({ doc, line }) => doc === at.doc && line === at.line))
}

/** Lines as they are read out: "5, 8–9, 18". */
export function spans(lines: readonly number[]): string {
  const found: [number, number][] = []
  for (const line of [...new Set(lines)].sort((a, b) => a - b)) {
    const last = found.at(-1)
    if (last && line === last[1] + 1) last[1] = line
    else found.push([line, line])
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ')
}

/** Why rules have no counterpart, each reason once with its lines, in the order of the text. */
export function reasons(missing: readonly Missing[]): { why: string; lines: number[] }[] {
  const found = new Map<string, number[]>()
  for (const { why, line } of [...missing].sort((a, b) => a.line - b.line)) found.set(why, [...(found.get(why) ?? []), line])
  return [...found].map(([why, lines]) => ({ why, lines }))
}

/** Whether these tables let something else happen than letting all pass. */
export function decides(tables: readonly TableView[], language: Source): boolean {
  const chains = tables.filter((table) => table.language === language).flatMap((table) => table.chains)
  return chains.some((chain) => chain.rules.length > 0 || chain.policy === 'DROP')
}

/** When (µs) the rules on trial on a machine go back; null when none are. `inputs` is the newest first. */
export function trialEnds(inputs: State['inputs'], machine: string, t: number): number | null {
  for (let one = inputs; one; one = one.before) {
    const { input, t: at } = one.value
    if (input.type === 'keep' && input.machine === machine) return null
    if (input.type === 'rules' && input.machine === machine) return input.timer && at + input.timer > t ? at + input.timer : null
  }
  return null
}
