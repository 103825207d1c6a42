// What part of a map is seen: how large it is drawn and where its corner lies; and which machines were put elsewhere by hand. Pure, in pixels.

import type { Point, Size } from './topology'

/** A place (x, y) of the map is drawn at (x · k + x0, y · k + y0). */
export interface View { k: number; x: number; y: number }
export const FIT: View = { k: 1, x: 0, y: 0 }
const [SMALLEST, LARGEST] = [0.5, 6]
const KEPT = 60 // so much of the map stays in sight

/** How the map is looked at: the part that is seen, and how far machines were moved. */
export interface Arranged { view: View; moved: ReadonlyMap<string, Point> }
export const UNTOUCHED: Arranged = { view: FIT, moved: new Map() }

/** Not so far that nothing of the map is left to be seen. */
function within({ k, x, y }: View, stage: Size): View {
  const keep = (at: number, size: number): number => Math.min(size - KEPT, Math.max(KEPT - size * k, at))
  return { k, x: keep(x, stage.width), y: keep(y, stage.height) }
}

/** Larger or smaller around a point of the stage, which stays where it is. */
export function zoomed(view: View, by: number, at: Point, stage: Size): View {
  const k = Math.max(SMALLEST, Math.min(LARGEST, view.k * by))
  const grown = k / view.k
  return within({ k, x: at.x - (at.x - view.x) * grown, y: at.y - (at.y - view.y) * grown }, stage)
}

export function panned(view: View, dx: number, dy: number, stage: Size): View {
  return within({ ...view, x: view.x + dx, y: view.y + dy }, stage)
}

/** The place of the map under a point of the stage. */
export const placeAt = (view: View, at: Point): Point => ({ x: (at.x - view.x) / view.k, y: (at.y - view.y) / view.k })

/** A machine put elsewhere by so many pixels of the map. */
export function shifted(arranged: Arranged, name: string, dx: number, dy: number): Arranged {
  const old = arranged.moved.get(name) ?? { x: 0, y: 0 }
  return { ...arranged, moved: new Map([...arranged.moved, [name, { x: old.x + dx, y: old.y + dy }]]) }
}
