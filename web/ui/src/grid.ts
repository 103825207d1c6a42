// TCP's grid as the server sends it, fetched once; and which of its cells packets have met. The page has no table of its own.

import type { Cell, Grid } from './channel'
import type { Visit } from './lives'

export interface Met { times: number; last: boolean }

/** Of each cell, by its code, how often it was met, and whether it decided last. */
export function met(visits: readonly Visit[]): ReadonlyMap<string, Met> {
  const found = new Map<string, Met>()
  visits.forEach(({ cell }, i) => found.set(cell, { times: (found.get(cell)?.times ?? 0) + 1, last: i === visits.length - 1 }))
  const last = visits.at(-1)?.cell
  for (const [cell, one] of found) found.set(cell, { ...one, last: cell === last })
  return found
}

/** The cell of this code. */
export function cellOf(grid: Grid, code: string): Cell | undefined {
  for (const { rows } of grid.directions) for (const row of rows) for (const cell of row) if (cell.code === code) return cell
  return undefined
}

/** Two letters as the kernel's source has them: SYN_SENT is SS, FIN_WAIT FW, ESTABLISHED ES. */
export function short(state: string): string {
  if (state === 'SYN_SENT2') return 'S2'
  const [first = '', second] = state.split('_')
  return second ? first.charAt(0) + second.charAt(0) : first.slice(0, 2)
}
