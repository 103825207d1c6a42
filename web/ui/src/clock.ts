// The clock: lets simulated time pass in shown time (warp.ts says how fast), moment by moment, until it is stopped or arrives.
// It knows the instants of the trace and nothing of what happens at them. Frames are injected, so that tests can tell the time.

import { countUpTo, type Warp } from './warp'

export interface Position { readonly n: number; readonly t: number }

/** What the clock needs of the page: where we are, how to move, and what to do on arrival. */
export interface Dial {
  warp(): Warp
  position(): Position
  move(to: Position): void
  /** Called once when the clock comes to the end that it was given, or to the end of what is known. */
  arrived(): void
  /** Where to linger on the way from `n` to `to` records of one instant; null: nowhere. */
  pause?(n: number, to: number): number | null
}

export interface Frames { request(next: (ms: number) => void): number; cancel(id: number): void }
const BROWSER: Frames = {
  request: (next) => requestAnimationFrame(next),
  cancel: (id) => cancelAnimationFrame(id),
}

export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16] as const
const LINGER = 0.24 // shown seconds at each place where time stands still
const LONGEST_FRAME = 0.1 // seconds: a tab that slept goes on where it was

export class Clock {
  speed = 1
  /** True: time jumps from instant to instant, and nothing glides (prefers-reduced-motion). */
  stepwise = false
  readonly #dial: Dial
  readonly #frames: Frames
  #frame: number | null = null
  #last = 0
  #place = 0
  #until: number | null = null
  #time: number | null = null
  #rest = 0 // shown seconds for which time still stands

  constructor(dial: Dial, frames: Frames = BROWSER) {
    this.#dial = dial
    this.#frames = frames
  }

  get playing(): boolean {
    return this.#frame !== null
  }

  /** Plays from where we are to the end of what is known, until `records` records have been played, or to the time `t` (µs). */
  play(records: number | null = null, t: number | null = null): void {
    this.stop()
    this.#until = records
    this.#time = t
    this.#place = this.#dial.warp().placeOf(this.#dial.position().t)
    this.#last = Number.NaN
    this.#rest = 0
    this.#frame = this.#frames.request((ms) => this.#tick(ms))
  }

  stop(): void {
    if (this.#frame !== null) this.#frames.cancel(this.#frame)
    this.#frame = null
  }

  #tick(ms: number): void {
    const passed = Number.isNaN(this.#last) ? 0 : Math.min(LONGEST_FRAME, (ms - this.#last) / 1000)
    this.#last = ms
    const rested = this.#rest > 0
    if (rested) this.#rest -= passed * this.speed
    else this.#place += passed * this.speed
    const arrived = this.#rest <= 0 && this.#show()
    this.#frame = arrived ? null : this.#frames.request((next) => this.#tick(next))
    if (arrived) this.#dial.arrived()
  }

  /** Moves to the present place; true at the end. Records of one instant are shown together. */
  #show(): boolean {
    const warp = this.#dial.warp()
    const end = this.#end(warp)
    const arrived = this.#place >= end.x
    const t = arrived ? end.t : warp.timeAt(this.#place)
    const from = this.#dial.position().n
    const n = Math.max(warp.countAt(t), from)
    const stop = this.stepwise ? null : (this.#dial.pause?.(from, n) ?? null)
    if (stop !== null) return this.#stand(warp, stop)
    const shown = this.stepwise && !arrived ? this.#instant(warp, t) : t
    this.#dial.move({ n: arrived ? Math.max(end.n, n) : n, t: shown })
    return arrived
  }

  /** Time stands still for a while after `n` records. */
  #stand(warp: Warp, n: number): false {
    const moment = warp.moments[countUpTo(warp.moments, n - 1, (one) => one.n)]
    if (moment) this.#place = moment.x
    this.#rest = LINGER
    this.#dial.move({ n, t: moment?.t ?? this.#dial.position().t })
    return false
  }

  #end(warp: Warp): { x: number; t: number; n: number } {
    const last = warp.moments.at(-1) ?? { x: 0, t: 0, n: 0 }
    const until = this.#until
    if (this.#time !== null) return { x: warp.placeOf(this.#time), t: this.#time, n: warp.countAt(this.#time) }
    return until === null ? last : (warp.moments.find((moment) => moment.n >= until) ?? last)
  }

  #instant(warp: Warp, t: number): number {
    return warp.moments[this.#indexAt(warp, t)]?.t ?? 0
  }

  #indexAt(warp: Warp, t: number): number {
    const n = warp.countAt(t)
    return warp.moments.findIndex((moment) => moment.n === n)
  }
}
