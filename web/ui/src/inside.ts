// The inside of a packet as the server dissects it: layers, fields, and which bytes each stands for. Pure.

/** Fields stand in bits from the packet's first, layers in bytes. */
export interface Field { name: string; value: string; start: number; size: number }
export interface Layer { name: string; start: number; size: number; fields: Field[] }

/** Bytes `from` up to but not with `to`. */
export interface Span { from: number; to: number }

/** The bytes in which a field lies, in part or whole. */
export function bytesOf({ start, size }: Pick<Field, 'start' | 'size'>): Span {
  return { from: Math.floor(start / 8), to: Math.ceil((start + size) / 8) }
}

/** The bytes of a hex string. */
export function bytes(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((two) => Number.parseInt(two, 16))
}

export const hex = (byte: number): string => byte.toString(16).padStart(2, '0')
export const printable = (byte: number): string => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·')

/** Names a field among all of the packet's: "1.3" is the fourth of the second layer. */
export const fieldId = (layer: number, field: number): string => `${layer}.${field}`

/** Of each byte the field to which it belongs: the first that touches it, "" where none does. */
export function owners(layers: readonly Layer[], length: number): string[] {
  const found = new Array<string>(length).fill('')
  layers.forEach((layer, i) =>
    layer.fields.forEach((field, j) => {
      const { from, to } = bytesOf(field)
      for (let at = from; at < Math.min(to, length); at++) found[at] ||= fieldId(i, j)
    }),
  )
  return found
}

/** The 16-bit ones' complement sum (RFC 1071) of bytes, folded; all ones when a checksum among them is right. */
export function onesSum(data: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < data.length; i += 2) sum += ((data[i] ?? 0) << 8) | (data[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}

export type Checked = 'right' | 'wrong' | 'absent' | null

const PSEUDO: { readonly [protocol: number]: number } = { 6: 16, 17: 6, 58: 2 } // where the checksum stands in TCP, UDP, ICMPv6

/** Where the IPv4 or IPv6 header ends and what it carries; null for fragments and what else cannot be summed here. */
function carried(data: readonly number[]): { start: number; protocol: number; pseudo: number[]; end: number } | null {
  if ((data[0] ?? 0) >>> 4 === 6) {
    const length = ((data[4] ?? 0) << 8) | (data[5] ?? 0)
    return { start: 40, protocol: data[6] ?? 0, pseudo: data.slice(8, 40), end: 40 + length }
  }
  if ((((data[6] ?? 0) << 8) | (data[7] ?? 0)) & 0x3fff) return null
  const total = ((data[2] ?? 0) << 8) | (data[3] ?? 0)
  return { start: ((data[0] ?? 0) & 15) * 4, protocol: data[9] ?? 0, pseudo: data.slice(12, 20), end: total }
}

/** The checksum of the outermost layers: IPv4's header (RFC 791), TCP's, UDP's and ICMP's (RFC 9293, 768, 792, 4443); null where unknown. */
export function checksum(data: readonly number[], layer: number): Checked {
  if (layer === 0) return (data[0] ?? 0) >>> 4 === 4 ? verdict(onesSum(data.slice(0, ((data[0] ?? 0) & 15) * 4))) : null
  const inner = carried(data)
  if (layer !== 1 || !inner || inner.end > data.length) return null
  const part = data.slice(inner.start, inner.end)
  if (inner.protocol === 1 && (data[0] ?? 0) >>> 4 === 4) return verdict(onesSum(part))
  const at = PSEUDO[inner.protocol]
  if (at === undefined) return null
  if (inner.protocol === 17 && !part[at] && !part[at + 1]) return 'absent'
  const header = [...inner.pseudo, 0, inner.protocol, part.length >>> 8, part.length & 255]
  return verdict(onesSum([...header, ...part]))
}

const verdict = (sum: number): Checked => (sum === 0xffff ? 'right' : 'wrong')

const PLACES: { readonly [protocol: number]: number } = { ...PSEUDO, 1: 2 } // where the checksum stands, ICMP's too

/** The checksum that stands in TCP, UDP, ICMP or ICMPv6, and the one that would be right; null where it cannot be summed. */
export function transport(data: readonly number[]): { found: number; right: number } | null {
  const inner = carried(data)
  const at = inner && PLACES[inner.protocol]
  if (!inner || at === undefined || at === null || inner.end > data.length) return null
  const part = data.slice(inner.start, inner.end)
  const found = ((part[at] ?? 0) << 8) | (part[at + 1] ?? 0)
  part[at] = part[at + 1] = 0
  const header = inner.protocol === 1 ? [] : [...inner.pseudo, 0, inner.protocol, part.length >>> 8, part.length & 255]
  const right = 0xffff - onesSum([...header, ...part])
  return { found, right: right === 0 && inner.protocol === 17 ? 0xffff : right }
}

/** Where TCP's or UDP's payload begins, or null for what carries neither. */
export function payloadStart(data: readonly number[]): number | null {
  const inner = carried(data)
  if (inner?.protocol === 6) return inner.start + ((data[inner.start + 12] ?? 0) >>> 4) * 4
  return inner?.protocol === 17 ? inner.start + 8 : null
}

/** The bytes in which a helper has read of a connection to come; null where it did not say, or where there is no such payload. */
export function readBy(numbers: { readonly [name: string]: unknown }, data: readonly number[]): Span | null {
  const [at, length, start] = [numbers['at'], numbers['length'], payloadStart(data)]
  if (typeof at !== 'number' || typeof length !== 'number' || length <= 0 || start === null) return null
  return { from: start + at, to: Math.min(data.length, start + at + length) }
}
