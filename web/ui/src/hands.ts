// What pointers and keys do to a map: drag the ground or a thing on it, pinch, turn the wheel, press arrows. An action for Svelte; it knows
// nothing of what is drawn: things that can be moved carry `data-thing`.

export interface Doing {
  pan(dx: number, dy: number): void
  /** `at` in pixels of the element. */
  zoom(by: number, at: { x: number; y: number }): void
  move(thing: string, dx: number, dy: number): void
  /** Whether the ground can be dragged by one finger: else that scrolls the page. */
  loose(): boolean
}

const SLACK = 4 // pixels: a press that moves less is a click
const STEP = 24 // pixels an arrow key
const ARROWS: { readonly [key: string]: readonly [number, number] } = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

interface Held { x: number; y: number; thing: string | null; dragged: boolean }

const thingOf = (target: EventTarget | null): string | null => (target instanceof Element ? (target.closest('[data-thing]')?.getAttribute('data-thing') ?? null) : null)

class Hands {
  readonly #node: HTMLElement
  readonly #do: Doing
  readonly #held = new Map<number, Held>()
  #dragged = false

  constructor(node: HTMLElement, doing: Doing) {
    this.#node = node
    this.#do = doing
  }

  down(event: PointerEvent): void {
    if (event.button !== 0) return
    this.#dragged = false
    this.#held.set(event.pointerId, { x: event.clientX, y: event.clientY, thing: thingOf(event.target), dragged: false })
  }

  move(event: PointerEvent): void {
    const held = this.#held.get(event.pointerId)
    if (!held) return
    const [dx, dy] = [event.clientX - held.x, event.clientY - held.y]
    if (!held.dragged && Math.hypot(dx, dy) < SLACK) return
    if (!held.dragged) this.#node.setPointerCapture(event.pointerId)
    held.dragged = this.#dragged = true
    const other = [...this.#held].find(([id]) => id !== event.pointerId)?.[1]
    if (other) this.#pinch(held, other, event)
    else if (held.thing) this.#do.move(held.thing, dx, dy)
    else if (event.pointerType !== 'touch' || this.#do.loose()) this.#do.pan(dx, dy)
    held.x = event.clientX
    held.y = event.clientY
  }

  up(event: PointerEvent): void {
    this.#held.delete(event.pointerId)
  }

  /** A drag is no click. */
  click(event: MouseEvent): void {
    if (!this.#dragged) return
    this.#dragged = false
    event.stopPropagation()
    event.preventDefault()
  }

  wheel(event: WheelEvent): void {
    if (event.ctrlKey) this.#do.zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, this.#at(event))
    else if (this.#do.loose()) this.#do.pan(-event.deltaX, -event.deltaY)
    else return
    event.preventDefault()
  }

  key(event: KeyboardEvent): void {
    const by = ARROWS[event.key]
    const thing = thingOf(event.target)
    if (!by || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || (!thing && !this.#do.loose())) return
    event.preventDefault()
    event.stopPropagation()
    if (thing) this.#do.move(thing, by[0] * STEP, by[1] * STEP)
    else this.#do.pan(-by[0] * STEP, -by[1] * STEP)
  }

  #pinch(held: Held, other: Held, event: PointerEvent): void {
    const before = Math.hypot(held.x - other.x, held.y - other.y) || 1
    const after = Math.hypot(event.clientX - other.x, event.clientY - other.y)
    this.#do.zoom(after / before, this.#at({ clientX: (event.clientX + other.x) / 2, clientY: (event.clientY + other.y) / 2 }))
  }

  #at({ clientX, clientY }: { clientX: number; clientY: number }): { x: number; y: number } {
    const { left, top } = this.#node.getBoundingClientRect()
    return { x: clientX - left, y: clientY - top }
  }
}

export function hands(node: HTMLElement, doing: Doing): { destroy(): void } {
  const own = new Hands(node, doing)
  const stop = new AbortController()
  const { signal } = stop
  node.addEventListener('pointerdown', (event) => own.down(event), { signal })
  node.addEventListener('pointermove', (event) => own.move(event), { signal })
  for (const end of ['pointerup', 'pointercancel'] as const) node.addEventListener(end, (event) => own.up(event), { signal })
  node.addEventListener('click', (event) => own.click(event), { signal, capture: true })
  node.addEventListener('wheel', (event) => own.wheel(event), { signal, passive: false })
  node.addEventListener('keydown', (event) => own.key(event), { signal })
  return { destroy: () => stop.abort() }
}
