// Marks: moments that a person wants to come back to. This browser keeps them for each session; what is shared takes them along.

import { kept, remember } from './remember'

/** `t` in µs; `n` records told so far. */
export interface Mark { readonly n: number; readonly t: number }

/** As many as an experiment carries (web/experiment.py). */
export const MOST_MARKS = 200
const later = (one: Mark, other: Mark): number => one.t - other.t || one.n - other.n

export const isMarked = (marks: readonly Mark[], at: Mark): boolean => marks.some((mark) => later(mark, at) === 0)

/** With a mark at this moment, or without it where there was one; in the order of time. */
export function toggled(marks: readonly Mark[], at: Mark): Mark[] {
  return isMarked(marks, at) ? marks.filter((mark) => later(mark, at) !== 0) : [...marks, at].sort(later)
}

/** The next mark after a moment, or the last one before it. */
export function nearest(marks: readonly Mark[], at: Mark, by: 1 | -1): Mark | undefined {
  return by > 0 ? marks.find((mark) => later(mark, at) > 0) : marks.findLast((mark) => later(mark, at) < 0)
}

const isMark = (one: unknown): one is Mark => typeof (one as Mark | null)?.n === 'number' && typeof (one as Mark).t === 'number'

/** Those of a session; none where what the browser kept makes no sense; null where it keeps none of this session. */
export function keptMarks(key: string): Mark[] | null {
  try {
    const said = key && kept(`marks.${key}`)
    if (!said) return null
    const list: unknown = JSON.parse(said)
    return Array.isArray(list) ? list.filter(isMark).sort(later) : []
  } catch {
    return []
  }
}

export function keepMarks(key: string, marks: readonly Mark[]): void {
  if (key) remember(`marks.${key}`, JSON.stringify(marks))
}

/** As the lab's addresses take them: "t.n,t.n". */
export const asQuery = (marks: readonly Mark[]): string => `marks=${marks.map(({ t, n }) => `${t}.${n}`).join(',')}`
