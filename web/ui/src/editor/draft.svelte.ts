// Rules that are being edited for one machine: the texts in both languages, which of them is typed in, what the server said of it.
// The other language follows. Nothing happens to the machine until `apply`.

import type { Lab } from '../lab.svelte'
import { machineOf } from '../story'
import { NOTHING, decides, docsOf, other, type Doc, type Source, type Studied, type Texts } from './study'

const PAUSE = 250 // ms without a key before what was typed is studied
const EMPTY: Texts = { iptables: '', ip6tables: '', nft: '' }
const BARE = '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n'

export class Draft {
  readonly #lab: Lab
  machine = $state('')
  source = $state<Source>('iptables')
  texts = $state.raw<Texts>(EMPTY)
  /** What the machine had when this was fetched. */
  loaded = $state.raw<Texts>(EMPTY)
  studied = $state.raw<Studied>(NOTHING)
  busy = $state(false)
  failed = $state(false)
  /** The text that was typed in last. */
  edited: Doc | null = null
  /** Whether the other language's rules go when these are applied. */
  alone = $state(true)
  #asked = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(lab: Lab, machine: string) {
    this.#lab = lab
    this.machine = machine
  }

  get dirty(): boolean {
    return docsOf(this.source).some((doc) => this.texts[doc] !== this.loaded[doc] && !(this.texts[doc] === BARE && this.loaded[doc] === ''))
  }

  /** Whether the machine has rules of the other language too, so that a packet must pass both. */
  get both(): boolean {
    return decides(machineOf(this.#lab.state, this.machine).tables, other(this.source))
  }

  get ready(): boolean {
    return this.dirty && !this.busy && this.studied.mistakes.length === 0
  }

  /** The machine's rules as they are at the moment shown; what was typed is gone. */
  async load(source?: Source): Promise<void> {
    clearTimeout(this.#timer)
    const asked = ++this.#asked
    this.busy = true
    const found = await this.#lab.ask<Texts>('rules', { machine: this.machine, at: Math.floor(this.#lab.t) })
    if (asked !== this.#asked) return
    this.busy = false
    this.failed = !found
    if (!found) return
    this.loaded = found
    this.source = source ?? this.#spoken(found)
    const bare = this.source === 'iptables' && !found.iptables && !found.ip6tables
    this.texts = bare ? { ...found, iptables: BARE } : found
    await this.#study()
  }

  /** The language that the machine's rules are in; where that is both or none, the one that the learner has chosen. */
  #spoken(found: Texts): Source {
    const { tables } = machineOf(this.#lab.state, this.machine)
    const [ours, theirs] = [decides(tables, 'iptables'), decides(tables, 'nft')]
    if (ours !== theirs) return ours ? 'iptables' : 'nft'
    if (this.#lab.language !== 'both') return this.#lab.language
    return found.nft && !found.iptables ? 'nft' : 'iptables'
  }

  /** Something was typed: from now on this language leads. */
  edit(doc: Doc, text: string): void {
    if (text === this.texts[doc]) return
    this.edited = doc
    const source: Source = doc === 'nft' ? 'nft' : 'iptables'
    if (source !== this.source) this.source = source
    this.texts = { ...this.texts, [doc]: text }
    this.busy = true
    this.#asked++ // what is under way answers an older question
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#study(), PAUSE)
  }

  async #study(): Promise<void> {
    const asked = ++this.#asked
    this.busy = true
    const texts = Object.fromEntries(docsOf(this.source).map((doc) => [doc, this.texts[doc]]))
    const studied = await this.#lab.ask<Studied>('study', { machine: this.machine, source: this.source, texts })
    if (asked !== this.#asked) return
    this.busy = false
    this.failed = !studied
    if (!studied) return
    this.studied = studied
    if (studied.others) this.texts = { ...this.texts, ...studied.others }
  }

  /** Loads them into the machine, at the moment shown. `timer` (µs): on trial. */
  apply(timer: number | null): void {
    const changed = Object.fromEntries(docsOf(this.source).filter((doc) => this.texts[doc] !== this.loaded[doc]).map((doc) => [doc, this.texts[doc]]))
    const gone = this.both && this.alone ? Object.fromEntries(docsOf(other(this.source)).filter((doc) => this.loaded[doc]).map((doc) => [doc, ''])) : {}
    this.loaded = { ...this.loaded, ...Object.fromEntries(docsOf(this.source).map((doc) => [doc, this.texts[doc]])), ...gone }
    this.#lab.give({ type: 'rules', machine: this.machine, ...changed, ...gone, ...(timer !== null && { timer }) })
  }

  keep(): void {
    this.#lab.give({ type: 'keep', machine: this.machine })
  }
}
