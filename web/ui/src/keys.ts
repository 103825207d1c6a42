// The lab's shortcuts: a key, a verb of the lab. Nothing happens while a person types or a dialog is open.

import type { Lab } from './lab.svelte'

const STAGES = ['ladder', 'topology', 'beliefs'] as const
const TABLES = ['table', 'lines', 'rules'] as const

const VERBS: { readonly [key: string]: (lab: Lab) => void } = {
  ' ': (lab) => lab.toggle(),
  ArrowRight: (lab) => lab.stepPacket(1),
  ArrowLeft: (lab) => lab.stepPacket(-1),
  'Shift+ArrowRight': (lab) => lab.stepEvent(1),
  'Shift+ArrowLeft': (lab) => lab.stepEvent(-1),
  '.': (lab) => lab.stepHook(1),
  ',': (lab) => lab.stepHook(-1),
  Home: (lab) => lab.toStart(),
  End: (lab) => lab.toEnd(),
  '[': (lab) => lab.toExpiry(-1),
  ']': (lab) => lab.toExpiry(1),
  m: (lab) => lab.mark(),
  '<': (lab) => lab.toMark(-1),
  '>': (lab) => lab.toMark(1),
  '+': (lab) => lab.faster(1),
  '-': (lab) => lab.faster(-1),
  n: (lab) => lab.goTo(lab.step + 1),
  b: (lab) => lab.goTo(lab.step - 1),
  f: (lab) => void (lab.stage = 'futures'),
  e: (lab) => void (lab.stage = 'entry'),
  c: (lab) => lab.focus(),
  '?': (lab) => void (lab.help = true),
  r: (lab) => void (lab.scenario?.terminals.length && lab.key && (lab.bench = 'rules')),
  p: (lab) => void (lab.scenario?.terminals.length && lab.key && (lab.bench = 'craft')),
  t: () => document.querySelector<HTMLElement>('#terminals textarea')?.focus(),
}

function verbOf(event: KeyboardEvent): ((lab: Lab) => void) | undefined {
  const number = Number(event.key)
  if (number >= 1 && number <= 3) return (lab) => void (lab.stage = STAGES[number - 1] ?? 'ladder')
  if (number >= 4 && number <= 6) return (lab) => void (lab.tables = TABLES[number - 4] ?? 'table')
  if (number === 7) return (lab) => void (lab.packetView = lab.packetView === 'way' ? 'inside' : 'way')
  const arrow = event.key.startsWith('Arrow') && event.shiftKey
  return VERBS[arrow ? `Shift+${event.key}` : event.key]
}

/** Whether the key belongs to what has the focus: a field, a terminal, a button that Space presses. */
function belongs(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement
  if (target.closest('input, textarea, select, dialog, [contenteditable]')) return true
  return event.key === ' ' && target.closest('button, a, [role=button]') !== null
}

export function shortcut(lab: Lab, event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || lab.help || belongs(event)) return
  const verb = verbOf(event)
  if (!verb) return
  event.preventDefault()
  verb(lab)
}
