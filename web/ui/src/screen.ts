// A terminal's screen: xterm, loaded when the first terminal is shown. Draws what was printed and, behind it, the line being typed.
// Knows neither the lab nor the machines; what keys mean for a line is lineedit.ts.

import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'
import { tailColumn, type Edit } from './lineedit'
import { painted, type Labels } from './paint'
import { linksAfter, type Chain } from './story'

/** What to draw: what was printed, the prompt, what was typed and is not echoed, the line, and whether that is still being computed. */
export interface Picture { output: Chain<string>; prompt: string; unheard: string; edit: Edit; waiting: boolean }

const COLOURS = {
  background: '#0c1116', foreground: '#d5dde5', cursor: '#ff9a62', cursorAccent: '#0c1116', selectionBackground: '#34465a', green: '#7ee0b5',
  brightGreen: '#7ee0b5', red: '#ff9a62', magenta: '#e59bd2', blue: '#6bb7ff', brightBlue: '#6bb7ff', brightBlack: '#8d9bab',
}
const GREY = '\x1b[90m'
const MOST = 100_000 // characters
const AT_ONCE = 6_000 // characters that are drawn at once when all is drawn anew, as while scrubbing; the rest comes when it rests
const REST = 300 // ms
const MANY = 300 // so many pieces of output at once are a leap
const PAGE = /(^|\n)NAME\n/ // a page of the manual, which is read from its begin
const PLAIN = '\x1b[0m'
const RESET = '\x1bc' // as a sequence, so that it comes after what is still being written

export class Screen {
  readonly #term: Terminal
  readonly #fit = new FitAddon()
  readonly #labels: Labels
  #printed: Chain<string> = null
  #drawn: Picture | null = null
  #redrawn = -REST
  #later: ReturnType<typeof setTimeout> | undefined
  #completing: ReturnType<typeof setTimeout> | undefined
  #rowsUp = 0 // rows from the line's start down to the cursor
  #column = 0 // where the line starts

  /** `data` gets what is typed, as xterm says it; `leave` is called on Escape; `labels` tells of tcpdump's lines. */
  constructor(element: HTMLElement, data: (sequence: string) => void, leave: () => void, labels: Labels) {
    this.#labels = labels
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

  /** Draws what is new; all of it where the past has changed. While one scrubs that waits for a moment of rest. */
  draw(picture: Picture, anew = false): void {
    clearTimeout(this.#later)
    if (!anew && this.#drawn && same(this.#drawn, picture)) return
    const news = anew ? null : linksAfter(picture.output, this.#printed)
    const all = news === null || news.length > MANY
    if (all && !anew && performance.now() - this.#redrawn < REST / 3) {
      this.#later = setTimeout(() => this.draw(picture), REST / 3)
      return
    }
    this.#drawn = picture
    const before = all ? RESET : this.#erase()
    const printed = all ? lastOf(picture.output, AT_ONCE) : news.join('')
    this.#printed = picture.output
    this.#column = tailColumn(tail(picture.output), this.#term.cols)
    const begin = !all && PAGE.test(printed) ? this.#term.registerMarker(0) : undefined
    this.#term.write(before + painted(printed, this.#labels) + this.#line(picture), () => begin && this.#term.scrollToLine(begin.line))
    if (all) this.#completeSoon(printed.length)
  }

  /** Everything above the line out of sight, as ^L does. */
  clear(): void {
    this.#term.clear()
  }

  /** The earlier output too, once nothing has been drawn anew for a while. */
  #completeSoon(drawn: number): void {
    this.#redrawn = performance.now()
    clearTimeout(this.#completing)
    if (drawn < AT_ONCE) return
    this.#completing = setTimeout(() => {
      const { output } = this.#drawn as Picture
      this.#term.write(RESET + painted(lastOf(output, MOST), this.#labels) + this.#line(this.#drawn as Picture))
    }, REST)
  }

  dispose(): void {
    clearTimeout(this.#completing)
    clearTimeout(this.#later)
    this.#term.dispose()
  }

  #erase(): string {
    const up = this.#rowsUp ? `\x1b[${this.#rowsUp}A` : ''
    return `${up}\r${this.#column ? `\x1b[${this.#column}C` : ''}\x1b[J`
  }

  #line({ prompt, unheard, edit, waiting }: Picture): string {
    const { cols } = this.#term
    const before = this.#column + prompt.length + unheard.length
    const [end, place] = [before + edit.line.length, before + edit.cursor]
    const [lastRow, row] = [Math.floor(end / cols), Math.floor(place / cols)]
    this.#rowsUp = row
    const full = end > this.#column && end % cols === 0 ? '\r\n' : '' // at the right edge the terminal would wait before it wraps
    const back = lastRow > row ? `\x1b[${lastRow - row}A` : ''
    const shown = waiting ? `${GREY}${edit.line}${PLAIN}` : edit.line
    return `${prompt}${unheard && `${GREY}${unheard}${PLAIN}`}${shown}${full}${back}\r${place % cols ? `\x1b[${place % cols}C` : ''}`
  }
}

const same = (a: Picture, b: Picture): boolean =>
  a.output === b.output && a.prompt === b.prompt && a.unheard === b.unheard && a.edit === b.edit && a.waiting === b.waiting

/** As much of what was printed as is worth drawing anew. */
function lastOf(output: Chain<string>, most: number): string {
  const found: string[] = []
  let size = 0
  for (let link = output; link && size < most; link = link.before) {
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
