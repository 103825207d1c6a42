// The socket to the server: every message both ways, as web/README.md's table has them. Knows nothing of what they mean.

import { io, type Socket } from 'socket.io-client'
import type { Layer } from './inside'
import type { Mark } from './marks'
import type { Input, TraceRecord } from './records'
import { text } from './text'

export interface Machine {
  name: string; kind: string; x: number; y: number; interfaces: { dev: string; addresses: string[] }[]; services: string[]
  note?: string
}
export interface LinkEnd { machine: string; dev: string }
export interface Link { id: string; a: LinkEnd; b: LinkEnd; delay: number; loss: number }
export interface Terminal { id: string; machine: string; title: string }
export interface Scenario {
  id: string; title: string; summary?: string; firewall: string; machines: Machine[]; links: Link[]; terminals: Terminal[]
}

/** `misconception`: the name of what one believes who chooses it, or "". */
export interface Option { html: string; right: boolean; why: string; misconception?: string }
export type Language = 'iptables' | 'nft'
type ForLanguage = { language?: Language | null }
export type Block = ForLanguage & (
  | { type: 'html'; html: string }
  | { type: 'run' | 'solution'; act: 'type' | 'packet' | 'link' | 'power'; terminal: string; lines: string[]; inputs: Input[]; wait: number | null }
  | { type: 'output'; terminal: string; text: string }
  | { type: 'predict'; id: string; question: string; options: Option[]; change?: Input | null; before?: string }
  | { type: 'goal'; id: string; text: string }
  | { type: 'hint'; html: string }
)
/** One way through a drill, good or bad; `why` is HTML. */
export interface Way { id: string; title: string; why: string; reached: boolean; runs: { terminal: string; lines: string[]; language: Language | null }[] }
/** What the judge found: how many tests passed of how many, the first that failed with its packet's way, and the score. */
export interface Judgement {
  passed: number; all: number; score: { points: number; seconds: number; lost: string[] }
  failure: { text: string; why: string; packet: number | null; way: string[]; branch: number | null } | null
}
export interface Lesson {
  kind: 'lesson' | 'drill' | 'challenge'; end: number; judged: number; asked: string[]; ways: Way[]
  id: string; title: string; part: string; minutes: number; languages: Language[]; steps: { title: string; blocks: Block[] }[]
}
export interface Progress { answers: { [id: string]: number }; goals: { [id: string]: boolean }; step: number }
export interface Branch { id: number; at: number; text: string; records: number }

export interface Hello {
  key: string; scenario: Scenario; lesson: Lesson | null; position: { t: number; step: number; n?: number }; progress: Progress
  marks: Mark[] // those it came with
  fixed: boolean // nothing can be done in it: it has happened
}
/** `begin`: where the answer begins of which this is a batch. The last batch has `playFrom`: the time (µs) from which it is played. */
export interface TraceBatch { from: number; begin: number; records: TraceRecord[]; more: boolean; branches: Branch[]; playFrom: number | null }
export interface Refusal { error: string; event: string }
/** TCP's states by the kinds of segment: a cell names the state after, or IV (INVALID), IG (let through, changes nothing). */
export interface Cell { code: string; word: string; why: string }
export interface Grid { states: string[]; segments: string[]; directions: { name: string; rows: Cell[][] }[] }
/** `key` at `least` seconds instead of `now`; set at `at` (µs). `runs`: what was tried, and whether the entry survived. */
export interface Survival { key: string; now: number; least: number; at: number; packet: number; runs: [number, boolean][] }
export interface Completion { start: number; words: string[] }

/** What the page is told. */
export interface Ears {
  hello(message: Hello): void
  trace(message: TraceBatch): void
  progressed(message: Progress): void
  refused(message: Refusal): void
  /** What is wrong with the lesson's file as it was saved last; "" when it is right again. */
  mistaken?(text: string): void
  connected(yes: boolean): void
}

/** What the page says. */
export interface Messages {
  input: { at: number; input: Input | Input[]; wait?: number }
  more: object
  position: { t: number; step: number; n?: number }
  answer: { prediction: string; choice: number }
  restart: object
  restore: { branch: number }
  change: { at: number; input: Input; aside?: boolean }
}

/** What a person did who is cut off from the lab, and what need not wait for an answer: it is said when the lab is back. */
const LATER: readonly string[] = ['answer', 'position']

export class Channel {
  readonly #socket: Socket
  readonly #ears: Ears
  #joined = false // the server answers each message by itself: what comes before it has said hello knows of no session
  readonly #later = new Map<string, [event: string, data: object]>()

  /** Joins the session `key`, and joins it again whenever the connection comes back. */
  constructor(key: string, ears: Ears, socket: Socket = io({ transports: ['websocket', 'polling'] })) {
    this.#ears = ears
    this.#socket = socket
    this.#socket.on('connect', () => {
      this.#socket.emit('join', { key })
      ears.connected(true)
    })
    this.#socket.on('disconnect', () => {
      this.#joined = false
      ears.connected(false)
    })
    this.#socket.on('connect_error', () => ears.connected(false))
    this.#socket.on('hello', (message: Hello) => {
      this.#joined = true
      ears.hello(message)
      for (const [event, data] of this.#later.values()) this.#socket.emit(event, data)
      this.#later.clear()
    })
    this.#socket.on('trace', (message: TraceBatch) => ears.trace(message))
    this.#socket.on('progress', (message: Progress) => ears.progressed(message))
    this.#socket.on('refused', (message: Refusal) => ears.refused(message))
    this.#socket.on('mistake', (message: { text: string }) => ears.mistaken?.(message.text))
  }

  /** Says it. Without a connection the socket would keep it, and say it ahead of everything else. */
  say<E extends keyof Messages>(event: E, data: Messages[E]): void {
    if (this.#joined) this.#socket.emit(event, data)
    else if (LATER.includes(event)) this.#later.set(`${event} ${(data as { prediction?: string }).prediction ?? ''}`, [event, data])
    else this.#ears.refused({ error: text.away, event })
  }

  /** The words that could stand at the cursor; none when the server does not answer within two seconds. */
  async complete(terminal: string, line: string, cursor: number): Promise<Completion> {
    return (await this.#within<Completion>(2000, 'complete', { terminal, line, cursor })) ?? { start: cursor, words: [] }
  }

  /** What the server acknowledges a message with; null when it refuses, or does not answer within five seconds. */
  ask<T>(event: string, data: object): Promise<T | null> {
    return this.#within<T>(5000, event, data)
  }

  /** The records of a future that was cut off; null when the server does not answer within ten seconds, or keeps it no longer. */
  future(branch: number): Promise<TraceRecord[] | null> {
    return this.#within(10_000, 'future', { branch })
  }

  /** The layers of the packet that record `n` (a `sent`) put on a link; null when the server does not answer within five seconds. */
  dissect(n: number): Promise<Layer[] | null> {
    return this.#within(5000, 'dissect', { n })
  }

  /** Conntrack's own TCP table; null when the server does not answer within five seconds. */
  grid(): Promise<Grid | null> {
    return this.#within(5000, 'grid', {})
  }

  /** The least time-out with which an entry would have lived on; null when there is none, or the server does not answer within a minute. */
  survive(machine: string, conn: number): Promise<Survival | null> {
    return this.#within(60_000, 'survive', { machine, conn })
  }

  /** What was done in a drill or a challenge is judged; null when the server refuses, or does not answer within a minute. */
  judge(): Promise<Judgement | null> {
    return this.#within(60_000, 'judge', {})
  }

  close(): void {
    this.#socket.close()
  }

  async #within<T>(milliseconds: number, event: string, data: object): Promise<T | null> {
    if (!this.#joined) return null
    try {
      return (await this.#socket.timeout(milliseconds).emitWithAck(event, data)) as T | null
    } catch {
      return null
    }
  }
}
