// Ahead: what is looked for may lie further on than was computed; then the lab is asked for more until it is found, or for a while. Pure.

const TRIES = 6 // stretches asked for in a row

/** `more`: whether time goes on beyond what is known. `ask`: asks the lab for the next stretch. */
export interface Beyond { more(): boolean; ask(): void }

export class Ahead {
  readonly #beyond: Beyond
  #asked = false
  #wants: { again: () => boolean; left: number } | null = null

  constructor(beyond: Beyond) {
    this.#beyond = beyond
  }

  /** Do it, if need be once more has been computed; `otherwise` when nothing more comes. `again` says whether it was done. */
  want(again: () => boolean, otherwise: () => void = () => undefined): void {
    if (again()) return
    if (!this.#beyond.more()) return otherwise()
    this.#wants = { again, left: TRIES }
    this.ask()
  }

  /** For the next stretch, once. */
  ask(): void {
    if (this.#asked) return
    this.#asked = true
    this.#beyond.ask()
  }

  /** The lab answered, or never will. */
  answered(): void {
    this.#asked = false
  }

  /** What came has been taken in: perhaps what is wanted is among it. */
  look(): void {
    const wants = this.#wants
    if (wants && (wants.again() || !this.#beyond.more() || --wants.left <= 0)) this.#wants = null
    else if (wants) this.ask()
  }

  forget(): void {
    this.#wants = null
  }
}
