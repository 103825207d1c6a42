import { describe, expect, it } from 'vitest'
import { answer, copied, empty, line } from './packet'

describe('a packet as a line', () => {
  it('says its own fields and what is unusual, no more', () => {
    expect(line(empty('10.0.0.1', '10.0.0.2'))).toBe('tcp 10.0.0.1:40000 > 10.0.0.2:22 S seq 1000')
    expect(line({ ...empty('fd00::1', 'fd00::2'), flags: '', ack: 7, ident: 9, ttl: 3, payload: 'a "b" \\', badChecksum: true }))
      .toBe('tcp [fd00::1]:40000 > [fd00::2]:22 none seq 1000 ack 7 ttl 3 data "a \\"b\\" \\\\" bad-checksum')
    expect(line({ ...empty('10.0.0.1', '10.0.0.2'), protocol: 'udp', dport: 53, more: true, ident: 5, payload: '00 ff', hex: true }))
      .toBe('udp 10.0.0.1:40000 > 10.0.0.2:53 ident 5 more-fragments hex 00ff')
  })
  it('of ICMP has an id and a number, or the packet that it is about', () => {
    const ping = { ...empty('10.0.0.1', '10.0.0.2'), protocol: 'icmp' as const }
    expect(line(ping)).toBe('icmp 10.0.0.1 > 10.0.0.2 echo-request id 1 seq 1')
    expect(line({ ...ping, kind: 'frag-needed', about: 'udp 1.1.1.1:1 > 2.2.2.2:2' })).toBe('icmp 10.0.0.1 > 10.0.0.2 frag-needed mtu 1280 about (udp 1.1.1.1:1 > 2.2.2.2:2)')
  })
})

const SYN = '4500003cd76740004006dfe5c0a8010ac0a80114b8280050015c8a9c00000000a002faf02f760000020405b40402080a3ad91ae00000000001030307'
const HEADERS = { version: 4, protocol: 'tcp', src: '192.168.1.10', dst: '192.168.1.20', ttl: 64, tos: 0, ip_id: 55143, df: true, sport: 47144, dport: 80, flags: 'S', seq: 22842012, ack: 0, win: 64240, payload: 0 }

it('a packet that was sent can be copied, and answered as its receiver would', () => {
  const syn = copied(HEADERS, SYN)
  expect(line(syn)).toBe('tcp 192.168.1.10:47144 > 192.168.1.20:80 S seq 22842012 ident 55143')
  expect(line(answer(syn))).toBe('tcp 192.168.1.20:80 > 192.168.1.10:47144 S. seq 0 ack 22842013')
  const data = answer({ ...syn, flags: 'P.', ack: 5, payload: 'hi', hex: false })
  expect([data.seq, data.ack, data.flags, data.payload]).toEqual([5, 22842014, '.', ''])
})
