// Where things stand on the network's map: machines, links, and a packet on its way along one. Pure, in pixels.

import type { Link, Scenario } from './channel'
import type { Flight } from './story'

export interface Point { x: number; y: number }
export interface Box extends Point { width: number; height: number }
export interface Size { width: number; height: number }

const MACHINE: Size = { width: 132, height: 64 }
const FIREWALL: Size = { width: 236, height: 132 }
const MARGIN = 12
const FOOT = 26 // room under a machine for a packet that has come to its end there
const TURNED = 430

/** Spreads places over 0 to 1; where all are equal, the middle. */
function spread(places: readonly number[]): number[] {
  const [low, high] = [Math.min(...places), Math.max(...places)]
  return places.map((place) => (high > low ? (place - low) / (high - low) : 0.5))
}

/** The boxes of all machines; the firewall's is large enough for its five hooks. On a small stage all shrink and the map is turned. */
export function boxes(scenario: Scenario, stage: Size): Map<string, Box> {
  const shrink = Math.min(1, stage.width / 620)
  const turned = stage.width < TURNED
  const across = spread(scenario.machines.map((machine) => (turned ? machine.y : machine.x)))
  const down = spread(scenario.machines.map((machine) => (turned ? machine.x : machine.y)))
  const placed = new Map<string, Box>()
  scenario.machines.forEach((machine, i) => {
    const firewall = machine.name === scenario.firewall
    const size = firewall ? FIREWALL : MACHINE
    const width = size.width * Math.max(firewall ? 0.86 : 0.72, shrink)
    const [left, top] = [MARGIN + width / 2, MARGIN + size.height / 2]
    const x = left + (across[i] ?? 0.5) * Math.max(0, stage.width - 2 * left)
    const y = top + (down[i] ?? 0.5) * Math.max(0, stage.height - FOOT - 2 * top)
    placed.set(machine.name, { x, y, width, height: size.height })
  })
  return placed
}

/** Where the straight line from the middle of `box` to `to` leaves the box. */
export function edge(box: Box, to: Point): Point {
  const [dx, dy] = [to.x - box.x, to.y - box.y]
  if (dx === 0 && dy === 0) return { x: box.x, y: box.y }
  const scale = Math.min(box.width / 2 / Math.abs(dx || 1e-9), box.height / 2 / Math.abs(dy || 1e-9))
  return { x: box.x + dx * scale, y: box.y + dy * scale }
}

export interface Line { link: Link; from: Point; to: Point }
export function lines(scenario: Scenario, placed: ReadonlyMap<string, Box>): Line[] {
  return scenario.links.flatMap((link) => {
    const [a, b] = [placed.get(link.a.machine), placed.get(link.b.machine)]
    return a && b ? [{ link, from: edge(a, b), to: edge(b, a) }] : []
  })
}

const LOST_AT = 0.6
const LANE = 20 // packets keep to the right, so that those that meet can both be read

/** Where a flying packet is at time `t`; `still` shows it halfway, for those who want no motion. */
export function position(flight: Flight, t: number, placed: ReadonlyMap<string, Box>, still = false): Point | null {
  const [a, b] = [placed.get(flight.from), placed.get(flight.to)]
  if (!a || !b) return null
  const [from, to] = [edge(a, b), edge(b, a)]
  const span = flight.arrives === null ? 5000 / LOST_AT : flight.arrives - flight.sent
  const passed = still ? 0.5 : span > 0 ? Math.min(1, Math.max(0, (t - flight.sent) / span)) : 1
  const part = flight.arrives === null ? Math.min(passed, LOST_AT) : passed
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1
  const [rx, ry] = [(-(to.y - from.y) / length) * LANE, ((to.x - from.x) / length) * LANE]
  return { x: from.x + (to.x - from.x) * part + rx, y: from.y + (to.y - from.y) * part + ry }
}
