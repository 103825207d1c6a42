// A persistent map from small ints to values: a tree 32 wide. Setting a key copies one path and shares the rest, so a thousand
// states of the lab cost little more than one. Not a general map: keys are ints from 0 to about a thousand million.

type Node = readonly unknown[]
const BITS = 5
const WIDTH = 1 << BITS
const MASK = WIDTH - 1

function put(node: Node | undefined, shift: number, key: number, value: unknown): Node {
  const copy = node ? node.slice() : []
  const at = (key >>> shift) & MASK
  copy[at] = shift === 0 ? value : put(copy[at] as Node | undefined, shift - BITS, key, value)
  return copy
}

/** The node without `key`, or undefined when nothing is left in it, so that walking costs what is there and not what was. */
function cut(node: Node, shift: number, key: number): Node | undefined {
  const at = (key >>> shift) & MASK
  const copy = node.slice()
  copy[at] = shift === 0 ? undefined : cut(copy[at] as Node, shift - BITS, key)
  return copy.some((child) => child !== undefined) ? copy : undefined
}

function* walk<T>(node: Node | undefined, shift: number, prefix: number): Generator<[number, T]> {
  if (!node) return
  for (let at = 0; at < node.length; at++) {
    if (node[at] === undefined) continue
    const key = (prefix << BITS) | at
    if (shift === 0) yield [key, node[at] as T]
    else yield* walk<T>(node[at] as Node, shift - BITS, key)
  }
}

function visit<T>(node: Node | undefined, shift: number, each: (value: T) => void): void {
  if (!node) return
  for (let at = 0; at < node.length; at++) {
    const child = node[at]
    if (child === undefined) continue
    if (shift === 0) each(child as T)
    else visit(child as Node, shift - BITS, each)
  }
}

/** Immutable: `set` and `delete` give a new map. Values may not be undefined. */
export class IntMap<T> {
  readonly size: number
  readonly #root: Node | undefined
  readonly #shift: number

  private constructor(root: Node | undefined, shift: number, size: number) {
    this.#root = root
    this.#shift = shift
    this.size = size
  }

  static empty<T>(): IntMap<T> {
    return new IntMap<T>(undefined, 0, 0)
  }

  get(key: number): T | undefined {
    if (key >>> this.#shift >= WIDTH) return undefined
    let node: unknown = this.#root
    for (let shift = this.#shift; shift >= 0; shift -= BITS) {
      if (node === undefined) return undefined
      node = (node as Node)[(key >>> shift) & MASK]
    }
    return node as T | undefined
  }

  set(key: number, value: T): IntMap<T> {
    let [root, shift] = [this.#root, this.#shift]
    while (key >>> shift >= WIDTH) {
      root = root && [root]
      shift += BITS
    }
    return new IntMap<T>(put(root, shift, key, value), shift, this.size + (this.get(key) === undefined ? 1 : 0))
  }

  delete(key: number): IntMap<T> {
    if (!this.#root || this.get(key) === undefined) return this
    if (this.size === 1) return IntMap.empty()
    return new IntMap<T>(cut(this.#root, this.#shift, key), this.#shift, this.size - 1)
  }

  /** In the order of the keys. */
  [Symbol.iterator](): Generator<[number, T]> {
    return walk<T>(this.#root, this.#shift, 0)
  }

  /** Every value in the order of the keys, for where a generator would cost too much. */
  forEach(each: (value: T) => void): void {
    visit(this.#root, this.#shift, each)
  }

  *values(): Generator<T> {
    for (const [, value] of this) yield value
  }
}
