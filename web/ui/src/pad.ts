// A pad of pixels on which small pictures are stamped, and which is then shown on a canvas at once. For hundreds of stamps a frame: the
// canvas' own drawing costs twice as much where no graphics card helps. Knows nothing of packets.

/** A picture as its pixels that are to be seen: where, and in what colour (as ImageData has it, in this machine's order of bytes). */
export interface Stamp { width: number; height: number; dx: Int16Array; dy: Int16Array; colour: Uint32Array; solid: number }

const ALPHA = new Uint8Array(new Uint32Array([0xff000000]).buffer)[3] === 0xff ? 24 : 0 // the byte that is alpha: little-endian or big
const alphaOf = (colour: number): number => (colour >>> ALPHA) & 255
const SOLID = 250

/** The stamp of a picture; its solid pixels come first. */
export function stampOf({ width, height, data }: { width: number; height: number; data: Uint8ClampedArray }): Stamp {
  const pixels = new Uint32Array(data.buffer, data.byteOffset, width * height)
  const seen = [...pixels.keys()].filter((at) => alphaOf(pixels[at] as number) > 0)
  const solid = seen.filter((at) => alphaOf(pixels[at] as number) >= SOLID)
  const order = [...solid, ...seen.filter((at) => alphaOf(pixels[at] as number) < SOLID)]
  return {
    width, height, dx: Int16Array.from(order, (at) => at % width), dy: Int16Array.from(order, (at) => Math.floor(at / width)),
    colour: Uint32Array.from(order, (at) => pixels[at] as number), solid: solid.length,
  }
}

/** `over` on top of `under`, both colours with alpha: the soft edge of a stamp on what lies below it. */
function mixed(over: number, under: number): number {
  const [a, b] = [alphaOf(over), alphaOf(under)]
  const all = a + (b * (255 - a)) / 255
  let colour = 0
  for (let shift = 0; shift < 32; shift += 8) {
    const value = shift === ALPHA ? all : (((over >>> shift) & 255) * a + (((under >>> shift) & 255) * (all - a))) / (all || 1)
    colour |= Math.round(value) << shift
  }
  return colour >>> 0
}

export class Pad {
  readonly width: number
  readonly height: number
  readonly pixels: Uint32Array
  readonly #data: ImageData
  #top = 0 // the rows on which something is stamped
  #bottom = 0
  #shown: [number, number] = [0, 0]

  constructor(data: ImageData) {
    this.#data = data
    this.width = data.width
    this.height = data.height
    this.pixels = new Uint32Array(data.data.buffer)
    this.#top = this.height
  }

  /** Nothing is on it any more. */
  clear(): void {
    if (this.#bottom > this.#top) this.pixels.fill(0, this.#top * this.width, this.#bottom * this.width)
    this.#shown = [Math.min(this.#top, this.height), this.#bottom]
    this.#top = this.height
    this.#bottom = 0
  }

  /** Stamps with the corner at (left, top); what lies outside is left out. */
  stamp(stamp: Stamp, left: number, top: number): void {
    const { width, pixels } = this
    const { dx, dy, colour, solid } = stamp
    if (left >= width || top >= this.height || left + stamp.width <= 0 || top + stamp.height <= 0) return
    const inside = left >= 0 && left + stamp.width <= width && top >= 0 && top + stamp.height <= this.height
    this.#top = Math.min(this.#top, Math.max(0, top))
    this.#bottom = Math.max(this.#bottom, Math.min(this.height, top + stamp.height))
    const corner = top * width + left
    for (let i = 0; i < colour.length; i++) {
      const [x, y] = [dx[i] as number, dy[i] as number]
      if (!inside && (left + x < 0 || left + x >= width || top + y < 0 || top + y >= this.height)) continue
      const at = corner + y * width + x
      const under = i < solid ? 0 : (pixels[at] as number)
      pixels[at] = under === 0 ? (colour[i] as number) : mixed(colour[i] as number, under)
    }
  }

  /** Shows the rows that have changed since it was shown last. */
  show(pen: CanvasRenderingContext2D): void {
    const [top, bottom] = [Math.min(this.#top, this.#shown[0]), Math.max(this.#bottom, this.#shown[1])]
    if (bottom > top) pen.putImageData(this.#data, 0, 0, 0, top, this.width, bottom - top)
  }
}
