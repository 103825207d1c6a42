// Where things stand on the network's map: machines, links, and a packet on its way along one. Pure, in pixels.

import type { Link, Scenario } from './channel'
import type { Flight, State } from './story'

export interface Point { x: number; y: number }
export interface Box extends Point { width: number; height: number }
export interface Size { width: number; height: number }

const MACHINE: Size = { width: 132, height: 64 }
const SMALL = 50 // high
const NARROWER = [96, 84, 74] as const // wide: as wide as stand clear of each other
export const HOOKS: Size = { width: 236, height: 132 }
const MARGIN = 12
const FOOT = 26 // room under a machine for a packet that has come to its end there
const TURNED = 430
const ROOMY = 640
const TALL = 430 // a turned map has room for the hooks below it
const APART = 8
const NOT_MOVED: ReadonlyMap<string, Point> = new Map()

/** `hooks`: where the firewall's five hooks are drawn: in its own box, or below the map where the boxes must be small; null: nowhere. */
export interface Plan { boxes: Map<string, Box>; hooks: (Point & { width: number; inside: boolean }) | null; small: boolean; turned: boolean }

/** Spreads places over 0 to 1; where all are equal, the middle. */
function spread(places: readonly number[]): number[] {
  const [low, high] = [Math.min(...places), Math.max(...places)]
  return places.map((place) => (high > low ? (place - low) / (high - low) : 0.5))
}

/** `small`: how wide a small box is; null: they are roomy. */
function sizeOf(firewall: boolean, small: number | null, stage: Size): Size {
  if (small) return { width: small, height: SMALL }
  const size = firewall ? HOOKS : MACHINE
  return { ...size, width: size.width * Math.max(firewall ? 0.86 : 0.72, Math.min(1, stage.width / ROOMY)) }
}

/** How many machines stand one beside the other, where the map is not turned. */
export const columns = (scenario: Scenario): number => new Set(scenario.machines.map((machine) => machine.x)).size

/** The map for a stage: roomy, or with small boxes and the hooks below where roomy ones would not stand clear of each other, or on a narrow stage turned,
 * from top to bottom, with the hooks below where it is tall. `moved`: how far machines were put elsewhere by hand. */
export function plan(scenario: Scenario, stage: Size, moved: ReadonlyMap<string, Point> = NOT_MOVED): Plan {
  const turned = stage.width < TURNED
  const roomy = !turned && (stage.width >= ROOMY || columns(scenario) <= 2) && clear([...boxesOf(scenario, stage, false, null, stage.height - FOOT).values()])
  const below = !roomy && (turned ? columns(scenario) <= 3 && stage.height > TALL : stage.height > 260)
  const height = stage.height - FOOT - (below ? HOOKS.height - 20 : 0)
  const drawn = (wide: number | null): Map<string, Box> => boxesOf(scenario, stage, turned, wide, height)
  const boxes = drawn(roomy ? null : (NARROWER.find((wide) => clear([...drawn(wide).values()])) ?? NARROWER[2]))
  for (const [name, by] of moved) {
    const box = boxes.get(name)
    if (box) boxes.set(name, { ...box, x: box.x + by.x, y: box.y + by.y })
  }
  return { boxes, hooks: hooksOf(boxes.get(scenario.firewall), !roomy, below, stage), small: !roomy, turned }
}

/** Whether each stands apart from all others, so that a link between them is seen. */
function clear(boxes: readonly Box[]): boolean {
  const apart = (a: Box, b: Box): boolean =>
    Math.abs(a.x - b.x) >= (a.width + b.width) / 2 + APART || Math.abs(a.y - b.y) >= (a.height + b.height) / 2 + APART
  return boxes.every((a, i) => boxes.slice(i + 1).every((b) => apart(a, b)))
}

function boxesOf(scenario: Scenario, stage: Size, turned: boolean, small: number | null, height: number): Map<string, Box> {
  const across = spread(scenario.machines.map((machine) => (turned ? machine.y : machine.x)))
  const down = spread(scenario.machines.map((machine) => (turned ? machine.x : machine.y)))
  const boxes = new Map<string, Box>()
  scenario.machines.forEach((machine, i) => {
    const size = sizeOf(machine.name === scenario.firewall, small, stage)
    const [left, top] = [MARGIN + size.width / 2, MARGIN + size.height / 2]
    const x = left + (across[i] ?? 0.5) * Math.max(0, stage.width - 2 * left)
    const y = top + (down[i] ?? 0.5) * Math.max(0, height - 2 * top)
    boxes.set(machine.name, { x, y, ...size })
  })
  return boxes
}

function hooksOf(firewall: Box | undefined, small: boolean, below: boolean, stage: Size): Plan['hooks'] {
  if (!firewall || (small && !below)) return null
  if (!small) return { x: firewall.x - firewall.width / 2, y: firewall.y - firewall.height / 2, width: firewall.width, inside: true }
  return { x: (stage.width - HOOKS.width) / 2, y: stage.height - HOOKS.height, width: HOOKS.width, inside: false }
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

const LANE = 26 // packets keep to the right, so that those that meet can both be read

/** The size of a packet's label with these lines. */
export function labelSize(lines: readonly string[]): Size {
  return { width: Math.max(1, ...lines.map((line) => line.length)) * 6.4 + 14, height: Math.max(1, lines.length) * 14 + 6 }
}

/** The straight way of packets from one machine to another: where its label of this `size` has left the one box, and how far it goes until it
 * would touch the other. `flat`: more across than down. */
export interface Leg { x: number; y: number; dx: number; dy: number; flat: boolean }
export function leg(sender: string, receiver: string, placed: ReadonlyMap<string, Box>, size: Size): Leg | null {
  const [a, b] = [placed.get(sender), placed.get(receiver)]
  if (!a || !b) return null
  const [from, to] = [edge(a, b), edge(b, a)]
  const [dx, dy] = [to.x - from.x, to.y - from.y]
  const length = Math.hypot(dx, dy) || 1
  const [cos, sin] = [Math.abs(dx) / length, Math.abs(dy) / length]
  const clear = Math.min(0.42, Math.min(size.width / 2 / (cos || 1e-9), size.height / 2 / (sin || 1e-9)) / length)
  const [x, y] = [from.x + dx * clear - (dy / length) * LANE, from.y + dy * clear + (dx / length) * LANE]
  return { x, y, dx: dx * (1 - 2 * clear), dy: dy * (1 - 2 * clear), flat: cos >= sin }
}

const LOST_AT = 0.6
const LOST_WITHIN = 5000 // µs

/** How fast a packet goes along its link (parts of the way, each µs; 0: it is there at once), and how far it comes. */
export function paceOf({ sent, arrives }: Flight): { pace: number; most: number } {
  if (arrives === null) return { pace: LOST_AT / LOST_WITHIN, most: LOST_AT }
  return { pace: arrives > sent ? 1 / (arrives - sent) : 0, most: 1 }
}

/** Where a flying packet is at time `t`. `still` shows it halfway, for those who want no motion. */
export function position(flight: Flight, t: number, placed: ReadonlyMap<string, Box>, still = false, size: Size = { width: 0, height: 0 }): Point | null {
  const way = leg(flight.from, flight.to, placed, size)
  if (!way) return null
  const { pace, most } = paceOf(flight)
  const part = still ? Math.min(0.5, most) : pace ? Math.min(most, Math.max(0, (t - flight.sent) * pace)) : most
  return { x: way.x + way.dx * part, y: way.y + way.dy * part }
}

/** How a link stands after the inputs so far: as the scenario has it, or as a person has changed it since. */
export interface LinkState { delay: number; loss: number; up: boolean }
export function linkState(link: Link, inputs: State['inputs']): LinkState {
  const now: Partial<LinkState> = {}
  for (let one = inputs; one; one = one.before) {
    const { input } = one.value
    if (input.type !== 'link' || input.link !== link.id) continue
    now.delay ??= input.delay
    now.loss ??= input.loss
    now.up ??= input.up
  }
  return { delay: now.delay ?? link.delay, loss: now.loss ?? link.loss, up: now.up ?? true }
}
