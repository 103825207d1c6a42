// A line being typed: text and cursor, edited by keys, with a history. Pure; screen.ts draws it and terminals send it.

export interface Edit { readonly line: string; readonly cursor: number; readonly past: number }

export const EMPTY: Edit = { line: '', cursor: 0, past: 0 }

const at = (edit: Edit, line: string, cursor: number): Edit => ({ ...edit, line, cursor: Math.max(0, Math.min(cursor, line.length)) })

export function insert(edit: Edit, words: string): Edit {
  return at(edit, edit.line.slice(0, edit.cursor) + words + edit.line.slice(edit.cursor), edit.cursor + words.length)
}

/** Replaces from `start` to the cursor, as a completion does. */
export function replace(edit: Edit, start: number, words: string): Edit {
  return at(edit, edit.line.slice(0, start) + words + edit.line.slice(edit.cursor), start + words.length)
}

/** `history` is oldest first; `past` counts how many lines one has gone back, 0 is the line of one's own. */
export function recall(edit: Edit, history: readonly string[], by: 1 | -1): Edit {
  const past = Math.max(0, Math.min(history.length, edit.past + by))
  if (past === edit.past) return edit
  const line = past === 0 ? '' : (history[history.length - past] ?? '')
  return { line, cursor: line.length, past }
}

/** A search back through the history: `found` counts as `past` does, 0 where nothing fits. */
export interface Search { readonly wanted: string; readonly found: number }

/** The next line further back than `from` that has `wanted` in it. */
export function searched(history: readonly string[], wanted: string, from: number): Search {
  for (let past = from + 1; past <= history.length; past++) {
    if (wanted && history[history.length - past]?.includes(wanted)) return { wanted, found: past }
  }
  return { wanted, found: 0 }
}

const wordStart = (edit: Edit): number => edit.line.slice(0, edit.cursor).search(/\S+\s*$/) >>> 0

/** What a key's sequence, as xterm sends it, does to the line; null when it is no editing key. */
export function key(edit: Edit, sequence: string): Edit | null {
  const { line, cursor } = edit
  const cut = (from: number, to: number): Edit => at(edit, line.slice(0, from) + line.slice(to), from)
  switch (sequence) {
    case '\x7f': case '\b': return cursor ? cut(cursor - 1, cursor) : edit
    case '\x1b[3~': return cut(cursor, cursor + 1)
    case '\x1b[D': case '\x02': return at(edit, line, cursor - 1)
    case '\x1b[C': case '\x06': return at(edit, line, cursor + 1)
    case '\x1b[H': case '\x1bOH': case '\x01': return at(edit, line, 0)
    case '\x1b[F': case '\x1bOF': case '\x05': return at(edit, line, line.length)
    case '\x15': return cut(0, cursor)
    case '\x0b': return cut(cursor, line.length)
    case '\x17': return cut(Math.min(wordStart(edit), cursor), cursor)
    default: return null
  }
}

/** The longest beginning that all words share: what Tab can add without asking. */
export function common(words: readonly string[]): string {
  const [first = '', ...others] = words
  let length = first.length
  for (const word of others) while (!word.startsWith(first.slice(0, length))) length--
  return first.slice(0, length)
}

/** The column (from 0) at which text ends that is written on a screen of `columns`, escape sequences not counted. */
export function tailColumn(written: string, columns: number): number {
  const tail = written.slice(Math.max(written.lastIndexOf('\n'), written.lastIndexOf('\r')) + 1)
  const shown = tail.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '')
  return shown.length % columns
}
