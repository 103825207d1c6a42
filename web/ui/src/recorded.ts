// A trace in place of a server: what the single-file page has behind it. It answers as the lab would, as far as the recording goes.
// `stepwise`: what was typed is told stretch by stretch, each when its turn comes; else all of it at once. Pure but for its ears.

import type { Branch, Channel, Completion, Ears, Grid, Hello, Messages } from './channel'
import type { Layer } from './inside'
import type { Input, TraceRecord } from './records'
import { text } from './text'

/** What web/export.py writes into the file. `goals`: when (µs) each goal of the lesson is met; `layers`: packets' insides by their bytes. */
export interface Recording {
  version: 1
  hello: Hello
  records: TraceRecord[]
  stepwise: boolean
  goals: { [id: string]: number }
  layers: { [data: string]: Layer[] }
  grid: Grid
  futures: Future[]
}
/** Another course of things, from where it parts from the records. `change`: the what-if that leads to it; null: one that was kept. */
export interface Future { id: number; at: number; text: string; change: Input | null; from: number; records: TraceRecord[] }
const HOME = 0 // names what the file was recorded of, while another future is shown

/** An input in one form, whatever the order of its fields, and whether what it leaves open is null or missing. */
const form = (input: Input): string => JSON.stringify(Object.entries(input).filter(([, value]) => value !== null && value !== undefined).sort())

export class Recorded {
  readonly #recording: Recording
  readonly #ears: Ears
  readonly #inputs: number[]
  #told = 0
  #away: Future | null = null
  #asked: Future | null = null // the what-if that was asked last
  #met: { [id: string]: boolean } = {}
  #answers: { [prediction: string]: number } = {}

  constructor(recording: Recording, ears: Ears) {
    this.#recording = recording
    this.#ears = ears
    this.#inputs = recording.records.flatMap((record, n) => (record.kind === 'input' ? [n] : []))
    queueMicrotask(() => this.#begin())
  }

  say<E extends keyof Messages>(event: E, data: Messages[E]): void {
    queueMicrotask(() => this.#hear(event, data as never))
  }

  complete(_terminal: string, _line: string, cursor: number): Promise<Completion> {
    return Promise.resolve({ start: cursor, words: [] })
  }

  future(branch: number): Promise<TraceRecord[] | null> {
    const { records, futures } = this.#recording
    const one = futures.find(({ id }) => id === branch)
    return Promise.resolve(branch === HOME ? records.slice(0, this.#told) : one ? [...records.slice(0, one.from), ...one.records] : null)
  }

  dissect(n: number): Promise<Layer[] | null> {
    const record = this.#recording.records[n]
    return Promise.resolve((record?.kind === 'sent' && this.#recording.layers[record.data]) || null)
  }

  grid(): Promise<Grid> {
    return Promise.resolve(this.#recording.grid)
  }

  close(): void {
    // nothing is open
  }

  #begin(): void {
    const { hello, records, stepwise } = this.#recording
    this.#away = null
    this.#ears.connected(true)
    this.#ears.hello(hello)
    this.#tell(0, stepwise ? (this.#inputs[0] ?? records.length) : records.length, null)
  }

  /** Tells the records from `from` up to `to`; `playFrom` as the server's. */
  #tell(from: number, to: number, playFrom: number | null): void {
    const { records } = this.#recording
    const begin = Math.min(from, this.#away?.from ?? from) // back from another future: what it has in this place goes
    this.#away = null
    this.#told = to
    this.#ears.trace({ from: begin, begin: from, records: records.slice(begin, to), more: to < records.length, branches: this.#branches(), playFrom })
  }

  /** What can be compared and gone to: the futures that were kept; seen from another one, what was recorded. */
  #branches(): Branch[] {
    const { futures, records } = this.#recording
    const offered = [...futures.filter((one) => one.change === null), ...(this.#asked ? [this.#asked] : [])]
    const kept = offered.filter((one) => one !== this.#away).map(({ id, at, text: what, from, records: own }) => ({ id, at, text: what, records: from + own.length }))
    return this.#away ? [...kept, { id: HOME, at: this.#away.at, text: text.recorded.asRecorded, records: this.#told || records.length }] : kept
  }

  /** Another future beside this one: it can be compared and gone to. */
  #compare(one: Future | undefined): void {
    if (!one) return this.#ears.refused({ error: text.recorded.needsLab, event: 'change' })
    this.#asked = one
    const from = this.#away ? this.#away.from + this.#away.records.length : this.#told
    this.#ears.trace({ from, begin: from, records: [], more: !this.#away && from < this.#recording.records.length, branches: this.#branches(), playFrom: null })
  }

  /** Into another future, from where it parts. */
  #go(one: Future | undefined, event: string, playFrom: number | null): void {
    if (!one) return this.#ears.refused({ error: text.recorded.needsLab, event })
    if (this.#away || one.from > this.#told) this.#tell(Math.min(this.#told, this.#away?.from ?? this.#told), Math.max(this.#told, one.from), null)
    this.#away = one
    this.#ears.trace({ from: one.from, begin: one.from, records: one.records, more: false, branches: this.#branches(), playFrom })
  }

  #restore(branch: number): void {
    const away = this.#away
    if (branch === HOME && away) return this.#tell(away.from, Math.max(this.#told, away.from), null)
    this.#go(this.#recording.futures.find(({ id }) => id === branch), 'restore', null)
  }

  #hear(event: string, data: { at: number; t: number; branch: number; input: Input | Input[]; aside?: boolean; prediction: string; choice: number }): void {
    if (event === 'input') return this.#play(Array.isArray(data.input) ? data.input : [data.input])
    if (event === 'change') {
      const other = this.#recording.futures.find(({ change }) => change && form(change) === form(data.input as Input))
      return data.aside ? this.#compare(other) : this.#go(other, event, data.at)
    }
    if (event === 'restore') return this.#restore(data.branch)
    if (event === 'more') return this.#tell(this.#told, this.#endAfter(this.#told), null)
    if (event === 'position') return this.#away ? undefined : this.#progress(data.t)
    if (event === 'restart') return this.#begin()
    if (event === 'answer') this.#answers = { [data.prediction]: data.choice, ...this.#answers }
    else this.#ears.refused({ error: text.recorded.needsLab, event })
  }

  /** What is given here was recorded, or cannot be answered: the next time it was typed, else the first. */
  #play(given: Input[]): void {
    const from = this.#find(given)
    if (from === undefined) return this.#ears.refused({ error: text.recorded.notTyped, event: 'input' })
    const last = this.#inputs[this.#inputs.indexOf(from) + given.length - 1] ?? from
    const { records, stepwise } = this.#recording
    if (from > this.#told) this.#tell(this.#told, from, null) // what was passed over has happened before it
    this.#tell(from, stepwise ? this.#endAfter(last) : records.length, records[from]?.t ?? 0)
  }

  #find(given: Input[]): number | undefined {
    const { records } = this.#recording
    const fits = (at: number): boolean => given.every((input, i) => {
      const record = records[this.#inputs[this.#inputs.indexOf(at) + i] ?? -1]
      return record?.kind === 'input' && form(record.input) === form(input)
    })
    const found = this.#inputs.filter(fits)
    return found.find((at) => at >= this.#told) ?? found[0]
  }

  /** The number of the first record of the next input after record `n`, or of all. */
  #endAfter(n: number): number {
    return this.#inputs.find((input) => input > n) ?? this.#recording.records.length
  }

  #progress(t: number): void {
    const { goals, hello } = this.#recording
    const met = { ...this.#met, ...Object.fromEntries(Object.entries(goals).filter(([, at]) => at <= t).map(([id]) => [id, true])) }
    if (Object.keys(met).length === Object.keys(this.#met).length) return
    this.#met = met
    this.#ears.progressed({ ...hello.progress, answers: { ...this.#answers, ...hello.progress.answers }, goals: { ...hello.progress.goals, ...met } })
  }
}

/** The recording as the page's channel. What is asked of it that a recording cannot answer is answered with nothing. */
export function recorded(recording: Recording, ears: Ears): Channel {
  const channel = new Recorded(recording, ears)
  return new Proxy(channel, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : () => Promise.resolve(null)
    },
  }) as unknown as Channel
}

/** Unpacks what stands in the file: JSON, deflated, in base64. */
export async function unpack(packed: string): Promise<Recording> {
  const bytes = Uint8Array.from(atob(packed.trim()), (character) => character.charCodeAt(0))
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'))
  return (await new Response(stream).json()) as Recording
}
