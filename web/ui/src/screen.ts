// A terminal's screen: xterm, loaded when the first terminal is shown. Draws what was printed and, behind it, the line being typed.
// Knows neither the lab nor the machines; what keys mean for a line is lineedit.ts.

import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'
import { tailColumn, type Edit } from './lineedit'
import { linksAfter, type Chain } from './story'

/** What to draw: what was printed, the prompt, the line, and whether it is still to be answered. */
export interface Picture { output: Chain<string>; prompt: string; edit: Edit; waiting: boolean }

const COLOURS = {
  background: '#0c1116', foreground: '#d5dde5', cursor: '#ff9a62', cursorAccent: '#0c1116', selectionBackground: '#34465a', green: '#7ee0b5',
  brightGreen: '#7ee0b5', red: '#ff9a62', blue: '#6bb7ff', brightBlue: '#6bb7ff', brightBlack: '#8d9bab',
}
const GREY = '\x1b[90m'
const MOST = 100_000 // characters
const PLAIN = '\x1b[0m'
const RESET = '\x1bc' // as a sequence, so that it comes after what is still being written

export class Screen {
  readonly #term: Terminal
  readonly #fit = new FitAddon()
  #printed: Chain<string> = null
  #rowsUp = 0 // rows from the line's start down to the cursor
  #column = 0 // where the line starts

  /** `data` gets what is typed, as xterm says it; `leave` is called on Escape. */
  constructor(element: HTMLElement, data: (sequence: string) => void, leave: () => void) {
    this.#term = new Terminal({
      convertEol: true, cursorBlink: false, cursorInactiveStyle: 'underline', fontFamily: getComputedStyle(element).fontFamily, fontSize: 12.5, lineHeight: 1.25,
      screenReaderMode: true, scrollback: 5000, theme: COLOURS,
    })
    this.#term.loadAddon(this.#fit)
    this.#term.open(element)
    this.#term.attachCustomKeyEventHandler((event) => {
      if (event.type === 'keydown' && event.key === 'Escape') leave()
      const own = event.key === 'Escape' || (event.ctrlKey && event.shiftKey) || event.metaKey
      return !own
    })
    this.#term.onData(data)
  }

  /** What a screen reader calls it. */
  name(title: string): void {
    this.#term.textarea?.setAttribute('aria-label', title)
  }

  /** Fit to the element; true when the columns changed, and everything is to be drawn anew. */
  resize(): boolean {
    const before = this.#term.cols
    this.#fit.fit()
    return this.#term.cols !== before
  }

  draw(picture: Picture, anew = false): void {
    const news = anew ? null : linksAfter(picture.output, this.#printed)
    const before = news === null ? RESET : this.#erase()
    const printed = news === null ? lastOf(picture.output) : news.join('')
    this.#printed = picture.output
    this.#column = tailColumn(tail(picture.output), this.#term.cols)
    this.#term.write(before + printed + this.#line(picture))
  }

  /** Everything above the line out of sight, as ^L does. */
  clear(): void {
    this.#term.clear()
  }

  dispose(): void {
    this.#term.dispose()
  }

  #erase(): string {
    const up = this.#rowsUp ? `\x1b[${this.#rowsUp}A` : ''
    return `${up}\r${this.#column ? `\x1b[${this.#column}C` : ''}\x1b[J`
  }

  #line({ prompt, edit, waiting }: Picture): string {
    const { cols } = this.#term
    const end = this.#column + prompt.length + edit.line.length
    const place = this.#column + prompt.length + edit.cursor
    const [lastRow, row] = [Math.floor(end / cols), Math.floor(place / cols)]
    this.#rowsUp = row
    const full = end > this.#column && end % cols === 0 ? '\r\n' : '' // at the right edge the terminal would wait before it wraps
    const back = lastRow > row ? `\x1b[${lastRow - row}A` : ''
    const shown = waiting ? `${GREY}${edit.line}${PLAIN}` : edit.line
    return `${prompt}${shown}${full}${back}\r${place % cols ? `\x1b[${place % cols}C` : ''}`
  }
}

/** As much of what was printed as is worth drawing anew. */
function lastOf(output: Chain<string>): string {
  const found: string[] = []
  let size = 0
  for (let link = output; link && size < MOST; link = link.before) {
    found.push(link.value)
    size += link.value.length
  }
  return found.reverse().join('')
}

/** The end of what was printed, from its last line break on. */
function tail(output: Chain<string>): string {
  let found = ''
  for (let link = output; link; link = link.before) {
    found = link.value + found
    if (link.value.includes('\n')) break
  }
  return found
}
