import { expect, test } from 'vitest'
import { bytes, bytesOf, checksum, onesSum, owners, type Layer, payloadStart, readBy } from './inside'

// A DNS-sized UDP datagram made by scapy: IP(src="10.0.0.1", dst="10.0.0.2")/UDP(sport=1000, dport=53)/b"abc"
const UDP = '4500001f00010000401166cb0a0000010a00000203e80035000b2356616263'

const flip = (data: number[], at: number): number[] => data.map((byte, i) => (i === at ? byte ^ 1 : byte))

test('the checksums of a datagram are right, and a flipped bit makes the one that covers it wrong', () => {
  const data = bytes(UDP)
  expect([checksum(data, 0), checksum(data, 1)]).toEqual(['right', 'right'])
  expect([checksum(flip(data, 4), 0), checksum(flip(data, 4), 1)]).toEqual(['wrong', 'right'])
  expect([checksum(flip(data, 30), 0), checksum(flip(data, 30), 1)]).toEqual(['right', 'wrong'])
})

test('UDP without a checksum says so, and of a fragment or a cut packet nothing is claimed', () => {
  const data = bytes(UDP)
  expect(checksum(data.map((byte, i) => (i === 26 || i === 27 ? 0 : byte)), 1)).toBe('absent')
  expect(checksum(data.map((byte, i) => (i === 6 ? 0x20 : byte)), 1)).toBeNull()
  expect(checksum(data.slice(0, 29), 1)).toBeNull()
  expect(checksum(data, 2)).toBeNull()
})

test('an odd last byte is summed as if a zero followed (RFC 1071)', () => {
  expect(onesSum([0xff, 0xff, 0x01])).toBe(onesSum([0x01, 0x00, 0xff, 0xff]))
})

test('a field lies in the bytes that its bits touch, and a shared byte belongs to its first field', () => {
  expect(bytesOf({ start: 4, size: 4 })).toEqual({ from: 0, to: 1 })
  expect(bytesOf({ start: 51, size: 13 })).toEqual({ from: 6, to: 8 })
  const field = (start: number, size: number) => ({ name: '', value: '', start, size })
  const layers: Layer[] = [{ name: 'IP', start: 0, size: 2, fields: [field(0, 4), field(4, 4), field(8, 8)] }]
  expect(owners(layers, 3)).toEqual(['0.0', '0.2', ''])
})

test('the bytes that a helper has read stand behind the headers, options included', () => {
  const data = [...new Array<number>(20).fill(0), ...new Array<number>(32).fill(0), ...new Array<number>(20).fill(65)]
  data[0] = 0x45
  data[3] = data.length
  data[9] = 6
  data[32] = 0x80 // 32 bytes of TCP header
  expect(payloadStart(data)).toBe(52)
  expect(readBy({ at: 5, length: 4 }, data)).toEqual({ from: 57, to: 61 })
  expect(readBy({ at: 0, length: 0 }, data)).toBeNull()
  expect(readBy({}, data)).toBeNull()
})
