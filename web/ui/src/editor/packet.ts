// A packet that is being written, field by field, and the line of sim/craft.py's words that says it. Pure.

import type { Headers } from '../records'

export type Protocol = 'tcp' | 'udp' | 'icmp' | 'ip'
export interface Fields {
  protocol: Protocol; src: string; dst: string; sport: number; dport: number; flags: string; seq: number; ack: number; win: number
  kind: string; id: number; number: number; mtu: number; about: string; proto: number
  ttl: number; tos: number; ident: number; offset: number; more: boolean; mayFragment: boolean
  payload: string; hex: boolean; badChecksum: boolean
}

export const PROTOCOLS: readonly Protocol[] = ['tcp', 'udp', 'icmp', 'ip']
export const FLAGS = [['S', 'SYN'], ['.', 'ACK'], ['F', 'FIN'], ['R', 'RST'], ['P', 'PSH'], ['U', 'URG'], ['E', 'ECE'], ['W', 'CWR']] as const
const ICMP: { readonly [kind: string]: readonly [number, number] } = {
  'echo-request': [8, 0], 'echo-reply': [0, 0], 'net-unreachable': [3, 0], 'host-unreachable': [3, 1], 'port-unreachable': [3, 3], 'frag-needed': [3, 4],
  'admin-prohibited': [3, 13], 'time-exceeded': [11, 0], redirect: [5, 1], 'parameter-problem': [12, 0], 'timestamp-request': [13, 0], 'timestamp-reply': [14, 0],
}
const ICMPV6: { readonly [kind: string]: readonly [number, number] } = {
  'echo-request': [128, 0], 'echo-reply': [129, 0], 'no-route': [1, 0], 'admin-prohibited': [1, 1], 'address-unreachable': [1, 3], 'port-unreachable': [1, 4],
  'packet-too-big': [2, 0], 'time-exceeded': [3, 0], 'parameter-problem': [4, 0],
}
export const six = (address: string): boolean => address.includes(':')
export const kinds = (fields: Fields): string[] => Object.keys(six(fields.src) ? ICMPV6 : ICMP)
/** Whether this ICMP is an error about another packet; else it has an id and a number. */
export const complains = (kind: string): boolean => !/^(echo|timestamp)/.test(kind)
export const hasMtu = (kind: string): boolean => kind === 'frag-needed' || kind === 'packet-too-big'

export function empty(src = '', dst = ''): Fields {
  return {
    protocol: 'tcp', src, dst, sport: 40000, dport: 22, flags: 'S', seq: 1000, ack: 0, win: 64240, kind: 'echo-request', id: 1, number: 1, mtu: 1280, about: '',
    proto: 47, ttl: 64, tos: 0, ident: 0, offset: 0, more: false, mayFragment: false, payload: '', hex: false, badChecksum: false,
  }
}

const end = (address: string, port: number): string => (six(address) ? `[${address}]:${port}` : `${address}:${port}`)
const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
/** A word with its number, where it is not what a packet has anyway. */
const unless = (word: string, value: number, usual: number): string => (value === usual ? '' : `${word} ${value}`)

/** The packet in craft.py's words. */
export function line(fields: Fields): string {
  const { protocol, src, dst } = fields
  const ports = protocol === 'tcp' || protocol === 'udp'
  const ends = ports ? `${end(src, fields.sport)} > ${end(dst, fields.dport)}` : `${src} > ${dst}`
  const own: { [name in Protocol]: () => string[] } = {
    tcp: () => [fields.flags || 'none', `seq ${fields.seq}`, unless('ack', fields.ack, 0), unless('win', fields.win, 64240)],
    udp: () => [],
    icmp: () => [fields.kind, ...(complains(fields.kind) ? [hasMtu(fields.kind) ? `mtu ${fields.mtu}` : ''] : [`id ${fields.id}`, `seq ${fields.number}`])],
    ip: () => [`proto ${fields.proto}`],
  }
  const about = protocol === 'icmp' && complains(fields.kind) && fields.about
  const payload = !fields.payload || about ? '' : fields.hex ? `hex ${fields.payload.replaceAll(/\s/g, '')}` : `data ${quoted(fields.payload)}`
  const header = [
    unless('ttl', fields.ttl, 64), unless('tos', fields.tos, 0), unless('ident', fields.ident, 0), unless('offset', fields.offset, 0), fields.more ? 'more-fragments' : '',
    fields.mayFragment ? 'may-fragment' : '',
  ]
  const words = [protocol, ends, ...own[protocol](), ...(six(src) ? header.slice(0, 2) : header), payload, fields.badChecksum ? 'bad-checksum' : '', about ? `about (${about})` : '']
  return words.filter(Boolean).join(' ')
}

const number = (value: unknown, otherwise = 0): number => (typeof value === 'number' ? value : otherwise)

/** The fields of a packet that was sent: a copy to be changed. `data` are its bytes in hexadecimal. */
export function copied(headers: Headers, data: string): Fields {
  const name = String(headers['protocol'])
  const protocol: Protocol = name === 'tcp' || name === 'udp' ? name : name.startsWith('icmp') || name === 'ipv6-icmp' ? 'icmp' : 'ip'
  const size = number(headers['payload'])
  const [kind] = Object.entries(number(headers['version']) === 6 ? ICMPV6 : ICMP).find(([, [type, code]]) => type === headers['type'] && code === headers['code']) ?? ['echo-request']
  return {
    ...empty(String(headers['src']), String(headers['dst'])), protocol, sport: number(headers['sport']), dport: number(headers['dport']), flags: String(headers['flags'] ?? 'S'),
    seq: number(headers['seq']), ack: number(headers['ack']), win: number(headers['win'], 64240), kind, id: number(headers['id']), number: number(headers['seq']),
    ttl: number(headers['ttl'], 64), tos: number(headers['tos']), ident: number(headers['ip_id']), offset: number(headers['fragment']), more: headers['more'] === true,
    mayFragment: headers['df'] === false, payload: size ? data.slice(-2 * size) : '', hex: true, proto: protocol === 'ip' ? Number.parseInt(data.slice(18, 20), 16) : 47,
  }
}

/** The packet that would answer this one: ends swapped, the next numbers. */
export function answer(fields: Fields): Fields {
  const { src, dst, sport, dport, flags, seq, ack, payload, hex, kind } = fields
  const length = (hex ? payload.replaceAll(/\s/g, '').length / 2 : new TextEncoder().encode(payload).length) + Number(flags.includes('S')) + Number(flags.includes('F'))
  const said = flags === 'S' ? 'S.' : flags.includes('F') ? 'F.' : '.'
  return {
    ...fields, src: dst, dst: src, sport: dport, dport: sport, seq: ack, ack: (seq + length) % 2 ** 32, flags: said, payload: '',
    kind: kind === 'echo-request' ? 'echo-reply' : kind, ttl: 64, ident: 0,
  }
}
