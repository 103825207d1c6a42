// What a person has chosen to look at: views, machine, terminal, language of rules. Nothing here is about time or the trace.

import type { Language } from './channel'
import { remember, remembered } from './remember'
import { UNTOUCHED, type Arranged } from './viewport'

export type StageView = 'ladder' | 'topology' | 'beliefs' | 'entry' | 'futures'
export type PacketView = 'way' | 'inside'
export type TableView = 'table' | 'lines' | 'rules'

export class Shown {
  stage = $state<StageView>('ladder')
  tables = $state<TableView>('table')
  /** The entry whose life is shown; null: that of the chosen packet. */
  entry = $state.raw<{ machine: string; conn: number } | null>(null)
  /** The machine whose rules and connections are shown; "" is the firewall. */
  inspected = $state('')
  /** How the map is looked at. */
  map = $state.raw<Arranged>(UNTOUCHED)
  packetView = $state<PacketView>('way')
  language = $state<Language | 'both'>(remembered('language', ['iptables', 'nft', 'both']) ?? 'iptables')
  terminal = $state('')
  help = $state(false)
  /** Whether the ladder shows packets of clients that act by themselves. */
  clients = $state(false)
  /** Machines that the ladder leaves out. */
  hidden = $state.raw<ReadonlySet<string>>(new Set())
  /** What is worked on in place of the views, if anything. */
  bench = $state<'rules' | 'craft' | null>(null)
  sharing = $state(false)
  /** A packet of the one conversation that is looked at, while all else is faint; null: everything is. */
  lens = $state<number | null>(null)

  setLanguage(language: Language | 'both'): void {
    this.language = language
    remember('language', language)
  }
}
