// What the simulation says in English, in another language: tables of sentences, with {} where a value stands. Pure but for what `use` keeps.
// A sentence that no table has stays as it is. Not in here: the page's own words (text.ts), what a tool prints (that is the tool's).

import type { Grid } from './channel'
import type { TraceRecord } from './records'

interface Pattern { match: RegExp; parts: string[] }
const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
const MOST = 5_000 // sentences kept

/** Sentences of one kind. `text`: an English line, and under it, behind "= ", the other one; values stand in the same order in both. */
export class Phrases {
  readonly #exact = new Map<string, string>()
  readonly #patterns: Pattern[] = []
  readonly #said = new Map<string, string>()

  constructor(...texts: string[]) {
    const lines = texts.flatMap((text) => text.trim().split('\n'))
    const pairs: [string, string][] = []
    for (let at = 0; at + 1 < lines.length; at += 2) pairs.push([lines[at] as string, (lines[at + 1] as string).slice(2)])
    const own = ([english]: [string, string]): number => english.replaceAll('{}', '').length
    for (const [english, other] of pairs.sort((one, two) => own(two) - own(one))) {
      if (!english.includes('{}')) this.#exact.set(english, other)
      else this.#patterns.push({ match: new RegExp(`^${english.split('{}').map(escaped).join('(.+?)')}$`, 's'), parts: other.split('{}') })
    }
  }

  say(text: string): string {
    let found = this.#said.get(text)
    if (found === undefined) {
      found = this.#find(text)
      if (this.#said.size > MOST) this.#said.clear()
      this.#said.set(text, found)
    }
    return found
  }

  #find(text: string): string {
    const exact = this.#exact.get(text)
    if (exact !== undefined) return exact
    for (const { match, parts } of this.#patterns) {
      const values = match.exec(text)?.slice(1)
      if (values) return parts.map((part, i) => (i ? this.#value(values[i - 1] as string) : '') + part).join('')
    }
    return text
  }

  /** A value may be a sentence of its own, or several with semicolons. */
  #value(text: string): string {
    return text.includes(' ') ? text.split('; ').map((one) => this.say(one)).join('; ') : text
  }
}

export interface Tables { reasons: Phrases; because: Phrases; rule(sentence: string): string }
let tables: Tables | null = null

/** From now on what is told is told by these. */
export function use(these: Tables | null): void {
  tables = these
}

/** A reason or remark as it is said here. */
export const told = (text: string): string => tables?.reasons.say(text) ?? text

/** What a rule says, as it is said here. */
export const ruleTold = (sentence: string): string => tables?.rule(sentence) ?? sentence

/** A record with what is said in it as it is said here. */
export function inTongue<R extends TraceRecord>(record: R): R {
  if (!tables) return record
  const { because } = tables
  if (record.kind === 'note') return { ...record, text: told(record.text) }
  if (record.kind === 'rule') return { ...record, because: record.because.map((one) => ({ ...one, words: because.say(one.words) })) }
  return 'reason' in record ? { ...record, reason: { ...record.reason, text: told(record.reason.text) } } : record
}

/** Conntrack's TCP table with the reasons of its cells as they are said here. */
export function whys(grid: Grid): Grid {
  const directions = grid.directions.map((one) => ({ ...one, rows: one.rows.map((row) => row.map((cell) => ({ ...cell, why: told(cell.why) }))) }))
  return { ...grid, directions }
}
