// Which element draws which thing. A thing that stays in sight keeps its own; one that comes takes over what another has left, and where
// everything changes at once each gets, as far as can be, an element that drew what looks alike. So little is made or drawn anew. Pure.

const SHIFTS = 3 // so many elements may be moved to another end of the row, so that what looks alike meets

export class Elements<K> {
  #held = new Map<K, number>() // in the order in which they stand
  readonly #drew = new Map<number, string>()
  #next = 0

  /** The elements for these things, in their order. `look`: what of a thing is drawn, in a word. */
  give(wanted: readonly K[], look: (thing: K) => string = () => ''): Map<K, number> {
    const stays = new Set(wanted.filter((thing) => this.#held.has(thing)))
    const left = [...this.#held].filter(([thing]) => !stays.has(thing)).map(([, element]) => element)
    const free = stays.size ? left.sort((a, b) => a - b) : this.#alike(left, wanted.map(look))
    const given = new Map<K, number>()
    for (const thing of wanted) given.set(thing, this.#held.get(thing) ?? free.shift() ?? this.#next++)
    this.#drew.clear()
    for (const [thing, element] of given) this.#drew.set(element, look(thing))
    return (this.#held = given)
  }

  /** The elements, the first few moved to the end where more of them meet their like then. */
  #alike(free: readonly number[], looks: readonly string[]): number[] {
    const turned = (by: number): number[] => [...free.slice(by), ...free.slice(0, by)]
    const met = (all: readonly number[]): number => all.filter((element, i) => this.#drew.get(element) === looks[i]).length
    let best = turned(0)
    for (let by = 1; by < Math.min(SHIFTS, free.length); by++) if (met(turned(by)) > met(best) + by) best = turned(by)
    return best
  }
}
