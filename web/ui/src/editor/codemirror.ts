// CodeMirror as the editors use it: colours by word, mistakes under the words, counters beside the lines. Loaded late. Not pure.

import { defaultKeymap, history, historyKeymap, redo, redoDepth, undo, undoDepth } from '@codemirror/commands'
import { EditorState, StateEffect, StateField, Transaction, type Extension } from '@codemirror/state'
import {
  Decoration, EditorView, GutterMarker, MatchDecorator, ViewPlugin, WidgetType, drawSelection, gutter, highlightActiveLine, keymap, lineNumbers,
  type DecorationSet, type ViewUpdate,
} from '@codemirror/view'
import { told as inTongue } from '../tongue'

export interface Wrong { line: number; column: number; length: number; message: string; hint: string }
/** What stands beside the text: `lit` lines belong to the rule under the cursor of the other text, `grey` ones have no counterpart. */
export interface Marks { wrong: readonly Wrong[]; lit: readonly number[]; grey: ReadonlyMap<number, string>; counts: ReadonlyMap<number, number> }
export interface Options {
  text: string; label: string; counts?: string; colours?: RegExp
  changed(text: string): void
  moved(line: number): void
  /** Asked first when something is to be taken back, or done again: true where that was done elsewhere. */
  back?(how: 'undo' | 'redo'): boolean
}

const setMarks = StateEffect.define<Marks>()
const NONE: Marks = { wrong: [], lit: [], grey: new Map(), counts: new Map() }

/** Words of both languages that have a colour; the group that matched names it. */
export const RULES = /(?<note>#.*)|(?<text>"[^"]*"?)|(?<NEW>(?<![\w-])(?:NEW|new)(?![\w-]))|(?<ESTABLISHED>(?<![\w-])(?:ESTABLISHED|established)(?![\w-]))|(?<RELATED>(?<![\w-])(?:RELATED|related)(?![\w-]))|(?<INVALID>(?<![\w-])(?:INVALID|invalid)(?![\w-]))|(?<UNTRACKED>(?<![\w-])(?:UNTRACKED|untracked)(?![\w-]))|(?<act>(?<![\w-])(?:ACCEPT|DROP|REJECT|RETURN|LOG|MASQUERADE|SNAT|DNAT|REDIRECT|MARK|CT|NOTRACK|accept|drop|reject|return|log|masquerade|snat|dnat|redirect|jump|goto|queue|notrack)(?![\w-]))|(?<head>^\*\w+|^:\S+|^COMMIT\b|(?<![\w-])(?:table|chain|set|map|type|hook|policy|priority|elements)(?![\w-]))|(?<word>(?<=\s|^)--?[A-Za-z][\w-]*)/g
export const YAML = /(?<note>(?<=^|\s)#.*)|(?<head>^\s*(?:- )?[\w.-]+(?=:))|(?<text>"[^"]*"?)/g

class Told extends WidgetType {
  readonly wrong: Wrong
  constructor(wrong: Wrong) {
    super()
    this.wrong = wrong
  }
  override eq(other: Told): boolean {
    return JSON.stringify(other.wrong) === JSON.stringify(this.wrong)
  }
  toDOM(): HTMLElement {
    const { column, message, hint } = this.wrong
    const element = document.createElement('div')
    element.className = 'cm-told'
    element.style.setProperty('--column', `${column - 1}ch`)
    const caret = element.appendChild(document.createElement('span'))
    caret.className = 'caret'
    caret.ariaHidden = 'true'
    caret.textContent = '↑'
    element.append(` ${message}${hint ? ` · ${inTongue(hint)}` : ''}`)
    return element
  }
}

class Count extends GutterMarker {
  readonly count: number
  readonly title: string
  constructor(count: number, title: string) {
    super()
    this.count = count
    this.title = title
  }
  override eq(other: Count): boolean {
    return other.count === this.count
  }
  override toDOM(): Node {
    const element = document.createElement('span')
    element.textContent = String(this.count)
    element.title = this.title
    return element
  }
}

function decorate(state: EditorState, marks: Marks): DecorationSet {
  const lines = state.doc.lines
  const found: { from: number; to: number; what: Decoration; first: number }[] = []
  const whole = (number: number, what: Decoration): void => {
    if (number >= 1 && number <= lines) found.push({ from: state.doc.line(number).from, to: state.doc.line(number).from, what, first: -1 })
  }
  for (const number of marks.lit) whole(number, Decoration.line({ class: 'cm-lit' }))
  for (const [number, why] of marks.grey) whole(number, Decoration.line({ class: 'cm-alone', attributes: { title: inTongue(why) } }))
  for (const wrong of marks.wrong) {
    const line = state.doc.line(Math.min(Math.max(1, wrong.line), lines))
    const from = Math.min(line.from + wrong.column - 1, line.to)
    const to = Math.min(from + wrong.length, line.to)
    if (to > from) found.push({ from, to, what: Decoration.mark({ class: 'cm-wrong' }), first: 0 })
    found.push({ from: line.to, to: line.to, what: Decoration.widget({ widget: new Told(wrong), block: true, side: 1 }), first: 1 })
  }
  return Decoration.set(found.map(({ from, to, what }) => what.range(from, to)), true)
}

const marksField = StateField.define<{ marks: Marks; drawn: DecorationSet }>({
  create: () => ({ marks: NONE, drawn: Decoration.none }),
  update(value, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setMarks)) return { marks: effect.value, drawn: decorate(transaction.state, effect.value) }
    }
    return transaction.docChanged ? { ...value, drawn: value.drawn.map(transaction.changes) } : value
  },
  provide: (field) => EditorView.decorations.from(field, (value) => value.drawn),
})

function counters(title: string): Extension {
  return gutter({
    class: 'cm-counts',
    lineMarker: (view, block) => {
      const count = view.state.field(marksField).marks.counts.get(view.state.doc.lineAt(block.from).number)
      return count === undefined ? null : new Count(count, title)
    },
    lineMarkerChange: (update) => update.transactions.some((one) => one.effects.some((effect) => effect.is(setMarks))),
    initialSpacer: () => new Count(0, title),
  })
}

function colours(words: RegExp): Extension {
  const names: { [name: string]: Decoration } = {}
  const matcher = new MatchDecorator({
    regexp: words,
    decoration: (match) => {
      const name = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined)?.[0] ?? ''
      return (names[name] ??= Decoration.mark({ class: `cm-is-${name}` }))
    },
  })
  return ViewPlugin.fromClass(
    class {
      drawn: DecorationSet
      constructor(view: EditorView) {
        this.drawn = matcher.createDeco(view)
      }
      update(update: ViewUpdate): void {
        this.drawn = matcher.updateDeco(update, this.drawn)
      }
    },
    { decorations: (plugin) => plugin.drawn },
  )
}

/** What of a text becomes what: only the middle in which they differ, so that marks, cursor and what can be taken back stay in place. */
export function difference(from: string, to: string): { from: number; to: number; insert: string } {
  const most = Math.min(from.length, to.length)
  let [start, end] = [0, 0]
  while (start < most && from[start] === to[start]) start++
  while (end < most - start && from[from.length - 1 - end] === to[to.length - 1 - end]) end++
  return { from: start, to: from.length - end, insert: to.slice(start, to.length - end) }
}

const BACK: { readonly [key: string]: 'undo' | 'redo' } = { 'Mod-z': 'undo', 'Mod-y': 'redo', 'Mod-Shift-z': 'redo' }

export class Editor {
  readonly #view: EditorView
  #silent = false

  constructor(parent: HTMLElement, options: Options) {
    const told = EditorView.updateListener.of((update) => {
      if (this.#silent) return
      if (update.docChanged) options.changed(update.state.doc.toString())
      if (update.selectionSet || update.docChanged || update.focusChanged) {
        options.moved(update.state.doc.lineAt(update.state.selection.main.head).number)
      }
    })
    this.#view = new EditorView({
      parent,
      state: EditorState.create({
        doc: options.text,
        extensions: [
          lineNumbers(), ...(options.counts ? [counters(options.counts)] : []), marksField, history(), drawSelection(), highlightActiveLine(),
          EditorView.lineWrapping, keymap.of([...Object.entries(BACK).map(([key, how]) => ({ key, run: () => options.back?.(how) ?? false })), ...defaultKeymap, ...historyKeymap]), ...(options.colours ? [colours(options.colours)] : []), told,
          EditorView.contentAttributes.of({ 'aria-label': options.label, tabindex: '0', spellcheck: 'false', autocapitalize: 'off' }),
        ],
      }),
    })
  }

  /** Another text; the cursor stays on its line. Nobody is told that it changed. */
  set(text: string): void {
    if (text === this.#view.state.doc.toString()) return
    const { state } = this.#view
    const line = state.doc.lineAt(state.selection.main.head).number
    this.#silent = true
    this.#view.dispatch({ changes: difference(state.doc.toString(), text), annotations: Transaction.addToHistory.of(false) })
    const { doc } = this.#view.state
    this.#view.dispatch({ selection: { anchor: doc.line(Math.min(line, doc.lines)).from } })
    this.#silent = false
  }

  /** Takes back what was typed here last, or does it again; false where there is nothing. */
  back(how: 'undo' | 'redo'): boolean {
    return how === 'undo' ? undoDepth(this.#view.state) > 0 && undo(this.#view) : redoDepth(this.#view.state) > 0 && redo(this.#view)
  }

  mark(marks: Marks): void {
    this.#view.dispatch({ effects: setMarks.of(marks) })
  }

  /** Brings a line into sight without taking the focus. */
  show(line: number): void {
    const { doc } = this.#view.state
    this.#view.dispatch({ effects: EditorView.scrollIntoView(doc.line(Math.min(Math.max(1, line), doc.lines)).from, { y: 'nearest', yMargin: 40 }) })
  }

  /** Puts the cursor there, and the focus. */
  go(line: number, column = 1): void {
    const at = this.#view.state.doc.line(Math.min(Math.max(1, line), this.#view.state.doc.lines))
    this.#view.dispatch({ selection: { anchor: Math.min(at.from + column - 1, at.to) }, scrollIntoView: true })
    this.#view.focus()
  }

  destroy(): void {
    this.#view.destroy()
  }
}

