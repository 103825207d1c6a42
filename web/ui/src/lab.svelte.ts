// The lab as the views see it: one moment, one chosen packet, what the server said. The glue of channel, story, index and clock.
// Views read its fields and call its verbs; none of them talks to the server or keeps a moment of its own.

import { Ahead } from './ahead'
import type { Branch, Channel, Ears, Hello, Lesson, Refusal, TraceBatch } from './channel'
import { CROWD } from './crowd'
import { Clock, SPEEDS, type Position } from './clock'
import { Index, type Trip } from './index'
import { Marking } from './marking.svelte'
import { tellEvent, tellPacket } from './narrate'
import type { Input } from './records'
import { Story } from './story'
import { text } from './text'
import { inTongue } from './tongue'

export type { PacketView, StageView, TableView } from './shown.svelte'
const FIRST_INPUT = 1000 // µs: not at the very start, so that one can go back to before it
const WALKED = 2 // up to this speed packets are seen to walk through the firewall's hooks, while the map is shown
const TICK = 50 // ms: so often the clock's digits and the time-outs change while it plays; nobody reads faster

export class Lab extends Marking implements Ears {
  lesson = $state.raw<Lesson | null>(null)
  step = $state(0)
  speed = $state(1)
  more = $state(false)
  waiting = $state(false)
  branches = $state.raw<Branch[]>([])
  refusal = $state.raw<Refusal | null>(null)
  online = $state(true)

  #ticked = $state(0)
  /** The time (µs) as digits say it: the moment's, but while it plays only some twenty times a second. */
  readonly told: number = $derived(this.playing ? this.#ticked : this.t)

  readonly #clock: Clock
  readonly #ahead = new Ahead({ more: () => this.more, ask: () => this.channel.say('more', {}) })
  protected readonly channel: Channel
  #resume: Position | null = { n: 0, t: 0 }
  #look: number | null = null
  #done = 0 // behind what was done last: while its answer plays, what is done next comes after it, even if nothing of it was shown yet
  #playFor: number | null = null // µs: how long a block's `wait` is
  #openEnded = false // playing because a person pressed play: then more is computed as it is needed
  #tickedAt = -TICK
  #saving: ReturnType<typeof setTimeout> | null = null

  constructor(key: string, channel: (ears: Ears) => Channel) {
    super(key)
    this.#clock = new Clock({
      warp: () => this.index.warp,
      position: () => ({ n: this.n, t: this.t }),
      move: (to) => this.move(to),
      arrived: () => this.#arrived(),
      pause: (n, to) => (this.stage === 'topology' && this.speed <= WALKED && this.state.flying.size <= CROWD ? this.index.stationAfter(n, to) : null),
    })
    this.#clock.stepwise = matchMedia('(prefers-reduced-motion: reduce)').matches
    this.channel = channel(this)
  }

  // ---- what the server says

  hello(message: Hello): void {
    const rejoined = this.scenario !== null
    const { firewall, terminals } = message.scenario
    this.#resume = rejoined ? { n: this.n, t: this.t } : { n: Infinity, ...message.position }
    this.step = Math.min(rejoined ? this.step : message.position.step, Math.max(0, (message.lesson?.steps.length ?? 1) - 1))
    this.story = new Story(firewall)
    this.index = new Index(firewall)
    this.progress = message.progress
    this.lesson = message.lesson
    if (!rejoined) this.bring(message)
    this.terminal ||= terminals[0]?.id ?? ''
    this.scenario = message.scenario
    this.version++
  }

  trace(message: TraceBatch): void {
    if (message.playFrom !== null) this.waiting = false // the last batch of an answer to what was given
    this.#ahead.answered()
    const present = { n: this.n, t: this.t }
    this.index.cut(message.from, this.story.records)
    const records = message.records.map(inTongue)
    this.story.replace(message.from, records)
    for (const record of records) this.index.add(record)
    this.more = message.more
    this.branches = message.branches
    this.version++
    this.#find(message, present)
    this.#looking()
    this.#ahead.look()
  }

  refused(message: Refusal): void {
    this.waiting = false
    this.#ahead.answered()
    this.#ahead.forget()
    this.refusal = message
  }

  connected(yes: boolean): void {
    this.online = yes
    if (yes) return
    this.waiting = false
    this.#ahead.answered()
  }

  // ---- the moment

  /** Play or pause. At the end of what is known the lab is asked for more. */
  toggle(): void {
    if (this.playing) return this.pause()
    this.playing = this.#openEnded = true
    this.picked = null
    this.#goOn()
  }

  pause(): void {
    this.#clock.stop()
    this.playing = false
    this.#ahead.forget()
  }

  faster(by: 1 | -1): void {
    this.setSpeed(SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, SPEEDS.indexOf(this.speed as 1) + by))] ?? 1)
  }

  setSpeed(speed: number): void {
    this.#clock.speed = this.speed = speed
  }

  /** To the moment after `n` records. */
  seek(n: number): void {
    this.pause()
    this.picked = null
    const wanted = Math.max(0, Math.min(n, this.story.length))
    this.move({ n: wanted, t: this.story.records[wanted - 1]?.t ?? 0 })
  }

  /** To a time in µs, between events too. */
  seekTime(t: number): void {
    this.pause()
    this.picked = null
    this.move({ n: this.index.warp.countAt(t), t })
  }

  /** One event on or back. */
  stepEvent(by: 1 | -1): void {
    this.seek(this.n + by)
    this.said = tellEvent(this.state, this.index)
  }

  /** To where a packet enters the next hook of the firewall, or is labelled there; or to the one before. */
  stepHook(by: 1 | -1): void {
    this.pause()
    if (by < 0) return this.#toStation(this.index.stationBefore(this.n), 0)
    this.#ahead.want(() => {
      const next = this.index.stationAfter(this.n, Infinity)
      if (next !== null) this.#toStation(next, this.story.length)
      return next !== null
    }, () => this.seek(this.story.length))
  }

  /** To the next packet that the firewall decides about, or the one before. */
  stepPacket(by: 1 | -1): void {
    this.pause()
    const mine = (trip: Trip): boolean => !this.faint(trip)
    if (by < 0) return this.#toTrip(this.index.lastBefore(this.n, mine), 0)
    this.#ahead.want(() => {
      const next = this.index.nextAfter(this.n, mine)
      if (next) this.#toTrip(next, this.story.length)
      return next !== undefined
    }, () => this.seek(this.story.length))
  }

  toStart(): void {
    this.seek(0)
    this.said = text.say.begin
  }

  toEnd(): void {
    this.seek(this.story.length)
    this.said = text.say.at(this.t)
  }

  /** To the next entry that runs out of time, or the one before. */
  toExpiry(by: 1 | -1): void {
    this.pause()
    const look = (): boolean => {
      const at = by > 0 ? this.index.expiryAfter(this.n) : this.index.expiryBefore(this.n)
      if (at === null) return false
      this.seek(at + 2)
      this.said = tellEvent(this.state, this.index)
      return true
    }
    if (by < 0) look()
    else this.#ahead.want(look, () => (this.said = text.time.noExpiry))
  }

  /** Choose a packet, and with it the moment at which the firewall decided about it. */
  choose(packet: number): void {
    const trip = this.index.trip(packet)
    if (!trip) return
    if (this.faint(trip)) this.lens = packet
    this.seek(trip.decided)
    this.picked = packet
    this.said = tellPacket(trip, this.n)
  }

  // ---- what a person does

  /** Give the machines something to do now; what was to come is another future then.
   * `wait`: how long (µs) time goes on after each; without it, until nothing new happens; 0: all at once. */
  give(input: Input | Input[], wait: number | null = null): void {
    const at = this.#inputTime()
    this.pause()
    this.waiting = true
    this.refusal = null
    this.#playFor = wait ? wait * (Array.isArray(input) ? input.length : 1) : null
    this.channel.say('input', { at, input, ...(wait !== null && { wait }) })
  }

  /** What if this had been done at `at` (µs; this moment), and all that came later again? Then both futures are shown. `aside`: the present stays. */
  change(input: Input, at = this.#inputTime(), aside = false): void {
    this.pause()
    this.waiting = !aside
    this.refusal = null
    this.stage = 'futures'
    this.channel.say('change', { at, input, ...(aside && { aside }) })
  }

  /** Into the future of that branch, to the moment at which this packet was decided about. */
  lookAt(branch: number, packet: number): void {
    this.#look = packet
    this.restore(branch)
  }

  goTo(step: number): void {
    this.step = Math.max(0, Math.min(step, (this.lesson?.steps.length ?? 1) - 1))
    this.#save()
  }

  restart(): void {
    this.pause()
    this.#resume = { n: 0, t: 0 }
    this.channel.say('restart', {})
  }

  restore(branch: number): void {
    this.pause()
    this.channel.say('restore', { branch })
  }

  // ---- inside

  /** When (µs) what is done now is done: at this moment, but before an input that is still to come at the same instant. */
  #inputTime(): number {
    const next = this.index.inputs.find((input) => input.n >= Math.max(this.n, this.playing && !this.#openEnded ? this.#done : 0))
    const at = Math.max(FIRST_INPUT, Math.floor(this.t))
    return next && next.t <= at ? Math.max(0, next.t - 1) : at
  }

  /** Where we are once a batch has come: back where we were, at the new future's start, or where we stood. */
  #find(message: TraceBatch, present: Position): void {
    const { warp } = this.index
    const restarted = this.#resume?.t === 0 && message.begin === 0
    if (message.playFrom !== null && !restarted) {
      const t = message.playFrom
      this.#resume = null
      this.move({ n: Math.min(message.begin, this.story.length), t })
      this.picked = null
      this.playing = true
      this.#openEnded = false
      this.#done = message.begin + 1
      const span = this.#playFor
      this.#playFor = null
      return span === null ? this.#clock.play(this.index.restAfter(message.begin, this.story.records)) : this.#clock.play(null, t + span)
    }
    const last = warp.moments.at(-1)?.t ?? 0
    const t = Math.min(present.t, last)
    if (this.#resume) this.move(this.known(this.#resume))
    else if (message.from < present.n) this.move({ n: Math.min(warp.countAt(t), this.story.length), t })
    const there = this.#resume && (last > this.#resume.t || (last === this.#resume.t && (this.#resume.n === Infinity || this.#resume.n <= this.story.length)))
    if (!message.more || there) this.#resume = null
  }

  /** What is looked for may lie in a batch that is still to come, or further ahead than was computed. */
  #looking(): void {
    const packet = this.#look
    if (packet === null) return
    const go = (): boolean => {
      if (!this.index.trip(packet)?.end) return false
      this.#look = null
      this.choose(packet)
      return true
    }
    this.#ahead.want(go, () => (this.#look = null))
  }

  protected move(to: Position): void {
    this.n = to.n
    this.t = to.t
    const now = performance.now()
    if (!this.playing || now - this.#tickedAt >= TICK) [this.#ticked, this.#tickedAt] = [to.t, now]
    this.#save()
    if (this.playing && to.n >= this.story.length - 5 && this.more && this.#openEnded) this.#ahead.ask()
  }

  #toTrip(trip: Trip | undefined, otherwise: number): void {
    this.seek(trip?.decided ?? otherwise)
    if (!trip) return
    this.picked = trip.packet
    this.said = tellPacket(trip, this.n)
  }

  #toStation(n: number | null, otherwise: number): void {
    this.seek(n ?? otherwise)
    this.said = tellEvent(this.state, this.index)
  }

  #goOn(): void {
    this.#ahead.want(() => {
      const ahead = this.n < this.story.length || this.t < (this.index.warp.moments.at(-1)?.t ?? 0)
      if (ahead) this.#clock.play()
      return ahead
    }, () => void (this.playing = false))
  }

  #arrived(): void {
    if (this.#openEnded && this.more) return this.#goOn()
    this.playing = false
    if (this.chosen) this.said = tellPacket(this.chosen, this.n)
  }

  /** Whether the server has been told where we are. */
  get saved(): boolean {
    return this.#saving === null
  }

  #save(): void {
    this.#saving ??= setTimeout(() => {
      this.#saving = null
      this.channel.say('position', { t: Math.floor(this.t), n: this.n, step: this.step })
    }, 400)
  }
}
