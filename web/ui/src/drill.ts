// What a drill measures, as it happens: what its probes and talks have told by the moment. The points are the server's. Pure.

import type { State } from './story'

export interface Measured { name: string; machine: string; seconds: number; ok: boolean }
export interface Score { probes: Measured[]; talks: Measured[]; lost: number }

/** By the moment of `state`: seconds of downtime by what is probed; which live connections go on, hang, or are lost. */
export function score(state: State): Score {
  const all = Object.values(state.reached)
  const measured = (what: string): Measured[] =>
    all.filter((one) => one.what === what)
      .map(({ name, machine, down, ok }) => ({ name, machine, seconds: Math.floor(down / 1e6), ok }))
  const lost = all.filter((one) => one.what === 'talk' && !one.ok && one.reason.code !== 'silence').length
  return { probes: measured('probe'), talks: measured('talk'), lost }
}
