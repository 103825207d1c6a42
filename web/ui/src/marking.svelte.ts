// Marks as verbs: this moment is marked, and one comes back to it. What a mark is, and where it is kept, is marks.ts.

import type { Position } from './clock'
import { MOST_MARKS, isMarked, keepMarks, keptMarks, nearest, toggled, type Mark } from './marks'
import { Moment } from './moment.svelte'
import { text } from './text'

export abstract class Marking extends Moment {
  /** What names the session at the server; "" where there is none: a page that plays by itself. */
  readonly key: string
  playing = $state(false)
  /** Nothing can be done: what is shown has happened. */
  fixed = $state(false)
  /** Moments that a person wants to come back to, in the order of time. */
  marks = $state.raw<readonly Mark[]>([])
  readonly marked: boolean = $derived(!this.playing && isMarked(this.marks, { n: this.n, t: Math.floor(this.t) }))

  readonly #kept: readonly Mark[] | null

  constructor(key: string) {
    super()
    this.key = key
    this.#kept = keptMarks(key)
    this.marks = this.#kept ?? []
  }

  abstract pause(): void
  protected abstract move(to: Position): void

  /** What the experiment came with: whether anything can be done in it, and its marks, which stand until this browser keeps some of its own. */
  protected bring({ marks, fixed }: { marks: readonly Mark[]; fixed: boolean }): void {
    this.fixed = fixed
    this.marks = this.#kept ?? marks
  }

  /** Marks this moment, or takes its mark away. */
  mark(): void {
    this.pause()
    if (!this.marked && this.marks.length >= MOST_MARKS) return void (this.said = text.time.enoughMarks(MOST_MARKS))
    this.said = (this.marked ? text.time.unmarked : text.time.markedAt)(this.t)
    this.marks = toggled(this.marks, { n: this.n, t: Math.floor(this.t) })
    keepMarks(this.key, this.marks)
  }

  /** To the next mark, or the one before. */
  toMark(by: 1 | -1): void {
    this.pause()
    const mark = nearest(this.marks, { n: this.n, t: Math.floor(this.t) }, by)
    if (mark) this.goMark(mark)
    else this.said = text.time.noMark
  }

  /** To a marked moment; where another future has come since, to the one at its time. */
  goMark(mark: Mark): void {
    this.pause()
    this.picked = null
    this.move(this.known(mark))
    this.said = text.time.atMark(this.t)
  }

  /** The moment of a mark, as far as the trace is known; of an `n` that does not fit, the one at its time. */
  protected known({ n, t }: Mark): Position {
    const { records, length } = this.story
    const fits = n <= length && (records[n - 1]?.t ?? 0) <= t && (records[n]?.t ?? Infinity) >= t
    const at = Math.min(t, this.index.warp.moments.at(-1)?.t ?? 0)
    return fits ? { n, t } : { n: this.index.warp.countAt(at), t: at }
  }
}
