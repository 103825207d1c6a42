// Simulated time and shown time. Between two instants at which something happens the page lets pass at most a second, however
// long the silence was; a link's few milliseconds are stretched so that a packet can be seen. Clock and timeline share this.

import type { TraceRecord } from './records'

/** An instant at which something happened: its time (µs), the number of records up to and with it, its place in shown seconds. */
export interface Moment { readonly t: number; readonly n: number; readonly x: number }

/** Shown seconds for a gap of `gap` µs: 1 s for a second and more, 0.63 for 100 ms, 0.40 for 10 ms, 0.25 for 1 ms. */
export function beat(gap: number): number {
  return gap <= 0 ? 0 : Math.min(1, (gap / 1_000_000) ** 0.2)
}

/** From this gap on (µs) the timeline draws silence as folded. */
export const SILENCE = 2_000_000

/** How many of `items` (sorted by `key`) have a key of at most `limit`. */
export function countUpTo<T>(items: readonly T[], limit: number, key: (item: T) => number): number {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (key(items[middle] as T) <= limit) low = middle + 1
    else high = middle
  }
  return low
}

const byTime = (moment: Moment): number => moment.t
const byPlace = (moment: Moment): number => moment.x

export class Warp {
  readonly moments: Moment[] = []

  add(record: TraceRecord): void {
    const last = this.moments.at(-1)
    const n = record.n + 1
    if (!last) this.moments.push({ t: record.t, n, x: beat(record.t) })
    else if (record.t === last.t) this.moments[this.moments.length - 1] = { ...last, n }
    else this.moments.push({ t: record.t, n, x: last.x + beat(record.t - last.t) })
  }

  /** Forget everything from record `from` on. */
  cut(from: number, records: readonly TraceRecord[]): void {
    while (this.moments.length && (this.moments.at(-1) as Moment).n > from) this.moments.pop()
    const kept = this.moments.at(-1)?.n ?? 0
    for (let n = kept; n < from; n++) this.add(records[n] as TraceRecord)
  }

  /** Shown seconds from the start to the last instant. */
  get end(): number {
    return this.moments.at(-1)?.x ?? 0
  }

  /** The number of records at or before time `t`. */
  countAt(t: number): number {
    return this.moments[countUpTo(this.moments, t, byTime) - 1]?.n ?? 0
  }

  placeOf(t: number): number {
    const at = countUpTo(this.moments, t, byTime)
    const [before, after] = [this.moments[at - 1] ?? { t: 0, x: 0 }, this.moments[at]]
    return after ? before.x + ((after.x - before.x) * (t - before.t)) / (after.t - before.t) : before.x
  }

  timeAt(x: number): number {
    const at = countUpTo(this.moments, x, byPlace)
    const [before, after] = [this.moments[at - 1] ?? { t: 0, x: 0 }, this.moments[at]]
    return after ? before.t + ((after.t - before.t) * (x - before.x)) / (after.x - before.x) : before.t
  }

  /** Silences of `SILENCE` and more, as the instants at their two ends. */
  silences(): { from: Moment; to: Moment }[] {
    const found = []
    for (let i = 1; i < this.moments.length; i++) {
      const [from, to] = [this.moments[i - 1] as Moment, this.moments[i] as Moment]
      if (to.t - from.t >= SILENCE) found.push({ from, to })
    }
    return found
  }
}
