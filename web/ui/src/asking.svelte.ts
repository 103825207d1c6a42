// What the page asks of the lab's server and is answered: a judgement, the inside of a packet, conntrack's table, another future. It changes
// neither the moment nor the trace.

import type { Channel, Grid, Judgement, Progress, Survival } from './channel'
import type { Layer } from './inside'
import type { RecordOf, TraceRecord } from './records'
import { Shown } from './shown.svelte'
import { inTongue, whys } from './tongue'

export abstract class Asking extends Shown {
  progress = $state.raw<Progress>({ answers: {}, goals: {}, step: 0 })
  /** What is wrong with the lesson's file, while its author mends it. */
  mistake = $state('')
  protected abstract readonly channel: Channel
  readonly #insides = new Map<string, Promise<Layer[] | null>>()
  #grid: Promise<Grid | null> | null = null

  progressed(message: Progress): void {
    this.progress = message
  }

  mistaken(text: string): void {
    this.mistake = text
  }

  /** The least time-out with which an entry that expired would have lived on: computed by running; null where none does. */
  survive(machine: string, conn: number): Promise<Survival | null> {
    return this.channel.survive(machine, conn)
  }

  answer(prediction: string, choice: number): void {
    this.progress = { ...this.progress, answers: { [prediction]: choice, ...this.progress.answers } }
    this.channel.say('answer', { prediction, choice })
  }

  /** Has what was done judged; null where there is no answer. */
  judge(): Promise<Judgement | null> {
    return this.channel.judge()
  }

  /** The records of a future that was cut off, or null. */
  async future(branch: number): Promise<TraceRecord[] | null> {
    return (await this.channel.future(branch))?.map(inTongue) ?? null
  }

  /** Asks the server something; null where it has no answer. */
  ask<T>(event: string, data: object): Promise<T | null> {
    return this.channel.ask<T>(event, data)
  }

  complete(line: string, cursor: number): Promise<{ start: number; words: string[] }> {
    return this.channel.complete(this.terminal, line, cursor)
  }

  /** Conntrack's TCP table: asked for once. */
  grid(): Promise<Grid | null> {
    this.#grid ??= this.channel.grid().then((found) => found && whys(found))
    void this.#grid.then((found) => found ?? (this.#grid = null))
    return this.#grid
  }

  /** The inside of the packet that this record put on a link: asked for once for the same bytes. */
  inside(record: RecordOf<'sent'>): Promise<Layer[] | null> {
    let asked = this.#insides.get(record.data)
    if (!asked) {
      asked = this.channel.dissect(record.n)
      this.#insides.set(record.data, asked)
      void asked.then((layers) => layers ?? this.#insides.delete(record.data))
    }
    return asked
  }
}
