// Very many packets at once, on a canvas: each is a small mark in its label's colour and shape, and as many as have room carry the word
// too. What a frame needs lies in arrays that are kept: between two records nothing is allocated and only places are computed.
// Pure but for the pad that it is given.

import { look } from './labels'
import type { Pad, Stamp } from './pad'
import type { Flight, State } from './story'
import { labelSize, leg, paceOf, type Box, type Leg, type Point } from './topology'
import type { View } from './viewport'

/** From so many packets on the way on, they are stamped. */
export const CROWD = 40
export const MARK = 12 // pixels across
const LANES = 5 // side by side, so that not every one lies on the one before
const LANE = 11 // pixels from one to the next
const ALL = (): boolean => true
const MOST_WORDS = 64 // packets that are asked whether their word has room

/** What can be stamped: a kind for each label, and each as a mark, with its word, or chosen. */
export const KINDS: readonly (string | null)[] = [null, 'NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED']
export type Form = 'mark' | 'word' | 'chosen'
export const FORMS: readonly Form[] = ['mark', 'word', 'chosen']
export const stampAt = (kind: number, form: Form): number => kind * FORMS.length + FORMS.indexOf(form)
export const STAMPS = KINDS.length * FORMS.length

/** The word on a stamp. */
export function wordOf(label: string | null): string {
  const { shape, short } = look(label)
  return `${shape} ${short}`.trim() || '·'
}

export const sizeOf = (label: string | null): { width: number; height: number } => labelSize([wordOf(label)])
const WORD = sizeOf('NEW')
const ROOM = { width: MARK, height: MARK }

/** How many zeros a number ends with: packets with many speak first, so that who speaks does not change when one comes or goes. */
const rank = (packet: number): number => (packet === 0 ? 32 : 31 - Math.clz32(packet & -packet))

export class Crowd {
  size = 0
  packets = new Int32Array(0)
  xs = new Float64Array(0)
  ys = new Float64Array(0)
  kinds = new Uint8Array(0)
  readonly counts = new Int32Array(KINDS.length)
  #stamps = new Uint8Array(0)
  #sent = new Float64Array(0)
  #pace = new Float64Array(0) // of the way, each µs
  #most = new Float64Array(0) // how far it comes
  #legs: Leg[] = []
  #known = new Map<string, Map<string, Leg | null>>()
  #placed: ReadonlyMap<string, Box> | null = null

  /** Takes on the packets that are on the way; anew only after another record. `still`: they stand halfway. */
  take(state: State, placed: ReadonlyMap<string, Box>, still: boolean, chosen: number | null, t: number, wanted: (packet: number) => boolean = ALL): void {
    if (placed !== this.#placed) this.#known = new Map()
    this.#placed = placed
    this.#grow(state.flying.size)
    this.size = 0
    this.counts.fill(0)
    state.flying.forEach((flight) => wanted(flight.packet) && this.#add(flight, state, still))
    this.move(t)
    this.#word(chosen)
  }

  /** Where every one is at time `t` (µs). */
  move(t: number): void {
    for (let i = 0; i < this.size; i++) {
      const { x, y, dx, dy, flat } = this.#legs[i] as Leg
      const pace = this.#pace[i] as number
      const part = pace === 0 ? (this.#most[i] as number) : Math.min(this.#most[i] as number, Math.max(0, (t - (this.#sent[i] as number)) * pace))
      const aside = (((this.packets[i] as number) % LANES) - (LANES - 1) / 2) * LANE
      this.xs[i] = x + dx * part + (flat ? 0 : aside)
      this.ys[i] = y + dy * part + (flat ? aside : 0)
    }
  }

  /** Stamps them all: marks first, then those with a word, the chosen one last. `scale`: pixels of the pad a pixel of the page. */
  paint(pad: Pad, stamps: readonly Stamp[], scale: number, view: View): void {
    pad.clear()
    for (let form = 0; form < FORMS.length; form++)
      for (let i = 0; i < this.size; i++) {
        if ((this.#stamps[i] as number) % FORMS.length !== form) continue
        const stamp = stamps[this.#stamps[i] as number] as Stamp
        const left = Math.round(((this.xs[i] as number) * view.k + view.x) * scale - stamp.width / 2)
        const top = Math.round(((this.ys[i] as number) * view.k + view.y) * scale - stamp.height / 2)
        pad.stamp(stamp, left, top)
      }
  }

  /** The packet nearest to a point of the map, if a stamp lies there; null where there is none. */
  hit(point: Point): number | null {
    let [found, best] = [null as number | null, Infinity]
    for (let i = 0; i < this.size; i++) {
      const [dx, dy] = [Math.abs(point.x - (this.xs[i] as number)), Math.abs(point.y - (this.ys[i] as number))]
      const worded = (this.#stamps[i] as number) % FORMS.length !== 0
      const [wide, high] = worded ? [WORD.width / 2, WORD.height / 2] : [MARK / 2 + 3, MARK / 2 + 3]
      const away = worded ? -1 / (1 + dx + dy) : dx + dy // words lie above marks
      if (dx <= wide && dy <= high && away < best) [found, best] = [this.packets[i] as number, away]
    }
    return found
  }

  /** How many there are of each label, the most frequent first. */
  told(): [string | null, number][] {
    return KINDS.map((label, kind): [string | null, number] => [label, this.counts[kind] as number]).filter(([, count]) => count).sort((a, b) => b[1] - a[1])
  }

  /** Which stamp packet `i` has. */
  stamp(i: number): number {
    return this.#stamps[i] as number
  }

  #add(flight: Flight, state: State, still: boolean): void {
    const way = this.#leg(flight.from, flight.to)
    if (!way) return
    const i = this.size++
    const label = state.labels.get(flight.packet)?.label ?? null
    const kind = Math.max(0, KINDS.indexOf(label))
    const { pace, most } = paceOf(flight)
    this.packets[i] = flight.packet
    this.kinds[i] = kind
    this.counts[kind] = (this.counts[kind] as number) + 1
    this.#sent[i] = flight.sent
    this.#pace[i] = still ? 0 : pace
    this.#most[i] = still ? Math.min(0.5, most) : most
    this.#legs[i] = way
  }

  #leg(from: string, to: string): Leg | null {
    let known = this.#known.get(from)
    if (!known) this.#known.set(from, (known = new Map()))
    let found = known.get(to)
    if (found === undefined) known.set(to, (found = this.#placed ? leg(from, to, this.#placed, ROOM) : null))
    return found
  }

  /** Gives a word to those that have room for it. */
  #word(chosen: number | null): void {
    const least = Math.max(0, Math.ceil(Math.log2(this.size / MOST_WORDS)))
    const speaking: number[] = []
    for (let i = 0; i < this.size; i++) {
      this.#stamps[i] = stampAt(this.kinds[i] as number, this.packets[i] === chosen ? 'chosen' : 'mark')
      if (this.packets[i] === chosen) speaking.unshift(i)
      else if (rank(this.packets[i] as number) >= least) speaking.push(i)
    }
    const first = speaking[0] !== undefined && this.packets[speaking[0]] === chosen ? 1 : 0
    const asked = [...speaking.slice(0, first), ...speaking.slice(first).sort((a, b) => rank(this.packets[b] as number) - rank(this.packets[a] as number))]
    const heard: number[] = []
    for (const i of asked) if (heard.every((other) => this.#apart(i, other))) heard.push(i)
    for (const i of heard) if (this.packets[i] !== chosen) this.#stamps[i] = stampAt(this.kinds[i] as number, 'word')
  }

  #apart(i: number, other: number): boolean {
    const [dx, dy] = [Math.abs((this.xs[i] as number) - (this.xs[other] as number)), Math.abs((this.ys[i] as number) - (this.ys[other] as number))]
    return dx > WORD.width + 6 || dy > WORD.height + 4
  }

  #grow(size: number): void {
    if (size <= this.packets.length) return
    const room = 2 ** Math.ceil(Math.log2(size + 1))
    this.packets = new Int32Array(room)
    this.kinds = new Uint8Array(room)
    this.#stamps = new Uint8Array(room)
    this.xs = new Float64Array(room)
    this.ys = new Float64Array(room)
    this.#sent = new Float64Array(room)
    this.#pace = new Float64Array(room)
    this.#most = new Float64Array(room)
  }
}
