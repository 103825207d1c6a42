// The scenario that is being built: its data and its text, kept the same by the server, which tells what is wrong with it.

import { examine, openFile, type Examined } from '../api'
import { kept, remember } from '../remember'
import { EMPTY, problemsAt, toldOff, type Data, type Problem } from './plan'

const PAUSE = 300 // ms without a change before the server is asked
const MOST_STEPS = 100
const KEPT = 'build'

export type Chosen = { machine: string } | { link: number } | null

export class Building {
  data = $state.raw<Data>(EMPTY)
  text = $state('')
  problems = $state.raw<Problem[]>([])
  chosen = $state.raw<Chosen>(null)
  busy = $state(false)
  failure = $state('')
  /** How often it was changed from outside the text: then the text follows. */
  #past = $state.raw<Data[]>([])
  #coming = $state.raw<Data[]>([])
  #asked = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  get canUndo(): boolean {
    return this.#past.length > 0
  }

  get canRedo(): boolean {
    return this.#coming.length > 0
  }

  /** Whether what is shown is whole and right, so that it can be run. */
  get ready(): boolean {
    return !this.busy && !this.failure && this.problems.length === 0 && Object.keys(this.data.machines ?? {}).length > 0
  }

  at(...path: (string | number)[]): Problem[] {
    return problemsAt(this.problems, path)
  }

  /** Another value, by the form. */
  set(data: Data): void {
    if (data === this.data) return
    this.#past = [...this.#past, this.data].slice(-MOST_STEPS)
    this.#coming = []
    this.#show(data)
  }

  undo(): void {
    const before = this.#past.at(-1)
    if (!before) return
    this.#past = this.#past.slice(0, -1)
    this.#coming = [...this.#coming, this.data]
    this.#show(before)
  }

  redo(): void {
    const next = this.#coming.at(-1)
    if (!next) return
    this.#coming = this.#coming.slice(0, -1)
    this.#past = [...this.#past, this.data]
    this.#show(next)
  }

  /** The file itself was typed in. */
  type(text: string): void {
    if (text === this.text) return
    this.text = text
    this.#ask({ text })
  }

  /** Another file altogether: its text. */
  async open(text: string): Promise<void> {
    this.chosen = null
    await this.#take(examine({ text }), true)
  }

  async fetch(query: string): Promise<void> {
    this.chosen = null
    await this.#take(openFile(query), true)
  }

  async start(): Promise<void> {
    const before = kept(KEPT)
    await (before ? this.open(before) : this.#take(examine({ data: EMPTY }), true))
  }

  clear(): void {
    this.chosen = null
    this.set(EMPTY)
  }

  #show(data: Data): void {
    this.data = data
    if (this.chosen && 'machine' in this.chosen && !data.machines[this.chosen.machine]) this.chosen = null
    if (this.chosen && 'link' in this.chosen && !data.links?.[this.chosen.link]) this.chosen = null
    this.#ask({ data: $state.snapshot(data) })
  }

  #ask(what: { text: string } | { data: Data }): void {
    this.busy = true
    this.#asked++ // what is under way answers an older question
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#take(examine(what), 'text' in what), PAUSE)
  }

  async #take(answer: Promise<Examined>, withData: boolean): Promise<void> {
    const asked = ++this.#asked
    clearTimeout(this.#timer)
    this.busy = true
    try {
      const found = await answer
      if (asked !== this.#asked) return
      this.failure = ''
      if (found.text !== this.text) this.text = found.text
      if (withData && usable(found.data)) {
        if (this.data !== EMPTY) this.#past = [...this.#past, this.data].slice(-MOST_STEPS)
        this.data = found.data
      }
      this.problems = toldOff(this.data, found.problems)
      remember(KEPT, found.text)
    } catch (error) {
      if (asked === this.#asked) this.failure = error instanceof Error ? error.message : String(error)
    } finally {
      if (asked === this.#asked) this.busy = false
    }
  }
}

/** Whether the form can show it: what is typed by hand may be anything. */
function usable(data: unknown): data is Data {
  const mapping = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!mapping(data)) return false
  const { machines, links, terminals, traffic } = data as Data
  const lists = [links, terminals, traffic].every((one) => one === undefined || (Array.isArray(one) && one.every(mapping)))
  const whole = (links ?? []).every(({ between }) => Array.isArray(between) && between.length === 2 && between.every((end) => typeof end === 'string'))
  return lists && whole && mapping(machines) && Object.values(machines).every(mapping)
}
