// What this browser remembers for its person: small words, and which labs were begun. Where storing is not allowed, nothing is kept.

const KEY = (name: string): string => `ctlab.${name}`

/** A word that was kept, if it is one of `allowed`. */
export function remembered<T extends string>(name: string, allowed: readonly T[]): T | null {
  const value = read(name)
  return allowed.find((word) => word === value) ?? null
}

/** Whatever was kept under the name, or null. */
export function kept(name: string): string | null {
  return read(name) || null
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(KEY(name), value)
  } catch {
    // private windows may refuse: the choice lasts until the page is left
  }
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(KEY(name))
  } catch {
    return null
  }
}

/** A lab that was begun here: its key, what it is of, and its title. */
export interface Begun { key: string; of: string; title: string; step: number; steps: number }
const MOST = 12

export function begun(): Begun[] {
  try {
    const list: unknown = JSON.parse(read('begun') ?? '[]')
    return Array.isArray(list) ? list.filter((one): one is Begun => typeof one?.key === 'string' && typeof one?.of === 'string') : []
  } catch {
    return []
  }
}

/** The most recent first; one for each lesson or lab. */
export function keepBegun(lab: Begun): void {
  const others = begun().filter((one) => one.of !== lab.of && one.key !== lab.key)
  remember('begun', JSON.stringify([lab, ...others].slice(0, MOST)))
}
