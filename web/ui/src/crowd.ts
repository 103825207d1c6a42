// Very many packets at once: a picture of each kind of label is drawn once, and stamped wherever such a packet flies. Colour, shape and
// word stay together on every stamp. Pure but for the canvases that it is given.

import { look } from './labels'
import type { State } from './story'
import type { Box, Point } from './topology'
import { labelSize, position } from './topology'

/** From so many packets on the way on, they are stamped. */
export const CROWD = 40
const LANES = 5 // side by side, so that not every one lies on the one before
const LANE = 11 // pixels from one to the next

export interface Stamp { image: CanvasImageSource; width: number; height: number }
/** The picture for a label (null: none yet); `chosen` has a thicker frame. */
export type Stamps = (label: string | null, chosen: boolean) => Stamp

/** The word on a stamp. */
export function wordOf(label: string | null): string {
  const { shape, short } = look(label)
  return `${shape} ${short}`.trim() || '·'
}

export const sizeOf = (label: string | null): { width: number; height: number } => labelSize([wordOf(label)])

export interface Placed extends Point { packet: number; label: string | null }

/** Where every packet on the way is at time `t`; the chosen one last, above the others. */
export function crowd(state: State, t: number, placed: ReadonlyMap<string, Box>, still: boolean, chosen: number | null): Placed[] {
  const found: Placed[] = []
  let last: Placed | null = null
  for (const flight of state.flying.values()) {
    const label = state.labels.get(flight.packet)?.label ?? null
    const at = position(flight, t, placed, still, sizeOf(label))
    if (!at) continue
    const [from, to] = [placed.get(flight.from), placed.get(flight.to)]
    const aside = ((flight.packet % LANES) - (LANES - 1) / 2) * LANE
    const flat = Math.abs((to?.x ?? 0) - (from?.x ?? 0)) >= Math.abs((to?.y ?? 0) - (from?.y ?? 0))
    const one = { packet: flight.packet, label, x: at.x + (flat ? 0 : aside), y: at.y + (flat ? aside : 0) }
    if (flight.packet === chosen) last = one
    else found.push(one)
  }
  return last ? [...found, last] : found
}

/** Stamps them all. `scale`: pixels of the canvas a pixel of the page. */
export function paint(context: CanvasRenderingContext2D, all: readonly Placed[], stamps: Stamps, scale: number, chosen: number | null): void {
  context.setTransform(1, 0, 0, 1, 0, 0)
  context.clearRect(0, 0, context.canvas.width, context.canvas.height)
  for (const { packet, label, x, y } of all) {
    const { image, width, height } = stamps(label, packet === chosen)
    context.drawImage(image, Math.round((x - width / 2) * scale), Math.round((y - height / 2) * scale))
  }
}

/** The packet under a point, the topmost; null where there is none. */
export function hit(all: readonly Placed[], point: Point): number | null {
  return all.findLast(({ label, x, y }) => {
    const { width, height } = sizeOf(label)
    return Math.abs(point.x - x) <= width / 2 && Math.abs(point.y - y) <= height / 2
  })?.packet ?? null
}

/** How many there are of each label, the most frequent first. */
export function counts(state: State): [string, number][] {
  const found = new Map<string, number>()
  for (const { packet } of state.flying.values()) {
    const word = look(state.labels.get(packet)?.label ?? null).word
    found.set(word, (found.get(word) ?? 0) + 1)
  }
  return [...found].sort((a, b) => b[1] - a[1])
}
