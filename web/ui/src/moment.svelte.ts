// The one moment and the one chosen packet, and what follows from them: the state, the packet's way, the conversation that is looked at.
// Nothing here moves the moment.

import { Asking } from './asking.svelte'
import type { Scenario } from './channel'
import { belongs, conversation, type Conversation } from './conversation'
import { Index, type Trip } from './index'
import { journey, type Journey } from './journey'
import { Story, type State } from './story'
import { text } from './text'

export abstract class Moment extends Asking {
  scenario = $state.raw<Scenario | null>(null)
  /** Records told so far, and the time (µs): the moment. */
  n = $state(0)
  t = $state(0)
  /** Grows whenever the trace does, or is cut. */
  version = $state(0)
  picked = $state<number | null>(null)
  said = $state('')
  story = new Story('')
  index = new Index('')

  readonly state: State = $derived.by(() => (this.version, this.story.seek(this.n)))
  readonly chosen: Trip | undefined = $derived.by(() => (this.version, this.index.trip(this.picked ?? this.state.packet)))
  /** The chosen packet's way through the firewall, as far as the moment has come. */
  readonly way: Journey | null = $derived.by(() => (this.version, this.chosen ? journey(this.chosen, this.story.firewall, this.n) : null))
  /** The machine whose rules and connections are shown: the firewall, until another is chosen. */
  readonly machine: string = $derived(this.inspected || (this.scenario?.firewall ?? ''))
  readonly conversation: Conversation | null = $derived.by(() => {
    const trip = (this.version, this.index.trip(this.lens))
    return trip ? conversation(this.index, trip) : null
  })
  readonly packets: number = $derived.by(() => (this.version, this.index.order.length))

  /** Show the life of an entry. */
  follow(machine: string, conn: number): void {
    this.entry = { machine, conn }
    this.stage = 'entry'
  }

  /** Look at the chosen packet's conversation alone, or at everything again. */
  focus(): void {
    this.lens = this.lens === null ? (this.chosen?.packet ?? null) : null
    const all = this.index.order.filter((trip) => !this.faint(trip)).length
    this.said = this.lens === null ? text.stage.whole : text.stage.alone(all, this.index.order.length)
  }

  /** Whether a packet is of another conversation than the one that is looked at. */
  faint(trip: Trip | undefined): boolean {
    return this.conversation !== null && !belongs(this.conversation, trip)
  }
}
