// Traces made up for the tests of story.ts, index.ts and warp.ts. Not in the page: nothing imports it but tests.

import type { Direction, Entry, Kind, Kinds, Reason, TraceRecord } from './records'

export const why = (text: string): Reason => ({ code: 'made', text, numbers: {} })

export function entry(state: string | null, changes: Partial<Entry> = {}): Entry {
  const original: Direction = { src: '192.168.1.10', dst: '192.168.1.20', sport: 51514, dport: 22 }
  const reply: Direction = { src: '192.168.1.20', dst: '192.168.1.10', sport: 22, dport: 51514 }
  return {
    family: 'ipv4', protocol: 'tcp', protonum: 6, state, original, reply, unreplied: true, assured: false, mark: 0, zone: 0,
    status: ['CONFIRMED'], helper: null, timeout: 120_000_000, expires: 120_000_000,
    line: `tcp      6 119 ${state} src=192.168.1.10 dst=192.168.1.20 sport=51514 dport=22 mark=0 use=1`, ...changes,
  }
}

/** Collects records, numbered; `at` moves the clock (µs). */
export class Maker {
  readonly records: TraceRecord[] = []
  t = 0

  at(t: number): this {
    this.t = t
    return this
  }

  add<K extends Kind>(machine: string, kind: K, fields: Kinds[K]): this {
    this.records.push({ n: this.records.length, t: this.t, machine, kind, ...fields } as unknown as TraceRecord)
    return this
  }

  sent(packet: number, machine: string, to: string, about = 'SYN', again = 0): this {
    const headers = { protocol: 'tcp', src: '192.168.1.10', dst: '192.168.1.20', sport: 51514, dport: 22 }
    return this.add(machine, 'sent', {
      packet, dev: 'eth0', to, to_dev: 'eth0', arrives: this.t + 5000, data: '45', headers, text: about, about, again,
    })
  }

  label(packet: number, label: string, conn: number | null = 1): this {
    return this.add('server', 'label', {
      packet, hook: 'PREROUTING', label, direction: conn ? 'original' : null, conn, reason: why('a reason'), kernel_log: [],
    })
  }

  rule(packet: number, rule: number, matched: boolean): this {
    return this.add('server', 'rule', {
      packet, hook: 'INPUT', language: 'iptables', table: 'filter', chain: 'INPUT', rule, number: rule, text: '-j ACCEPT', matched,
      verdict: matched ? 'ACCEPT' : null, because: [],
    })
  }

  verdict(packet: number, verdict: string, by: 'rule' | 'policy', rule: number | null = null): this {
    return this.add('server', 'verdict', {
      packet, hook: 'INPUT', language: 'iptables', table: 'filter', chain: 'INPUT', verdict, by, rule,
    })
  }
}

/** A packet a kind, and every kind once: ssh comes in, the policy turns, the next key is dropped, the entry expires. */
export function everyKind(): TraceRecord[] {
  const made = new Maker()
  const rules = [{ id: 1, number: 1, handle: 1, text: '-j ACCEPT', other: 'accept', packets: 4, bytes: 400 }]
  const input = { name: 'INPUT', hook: 'INPUT', priority: 0, policy: 'DROP', policy_packets: 2, policy_bytes: 80, rules }
  made.add('server', 'rules', { tables: [{ language: 'iptables', family: 'ip', name: 'filter', chains: [input] }], by: 'scenario' })
  made.add('laptop', 'terminal', { terminal: 'laptop', state: 'prompt', prompt: '$ ', program: '', user_at: '' })
  made.add('', 'input', { text: 'ssh server', input: { type: 'line', terminal: 'laptop', text: 'ssh server' } })
  made.add('laptop', 'output', { terminal: 'laptop', text: '$ ssh server\n' })
  made.add('laptop', 'socket', {
    socket: 1, protocol: 'tcp', local: '192.168.1.10:51514', remote: '192.168.1.20:22', state: 'SYN-SENT', program: 'ssh', unacked: 'SYN',
    tries: 0, retry_at: 1_000_000,
  })
  made.sent(1, 'laptop', 'server').at(5000).add('server', 'arrived', { packet: 1, dev: 'eth0' })
  made.add('server', 'hook', { packet: 1, hook: 'PREROUTING', indev: 'eth0', outdev: null }).label(1, 'NEW')
  made.add('server', 'routed', { packet: 1, decision: 'local', dev: null, via: null }).rule(1, 1, true).verdict(1, 'ACCEPT', 'rule', 1)
  made.add('server', 'entry-new', { conn: 1, packet: 1, entry: entry('SYN_SENT'), reason: why('a SYN') })
  made.add('server', 'entry-told', { conn: 1, packet: 1, event: 'NEW', line: '    [NEW] tcp      6 120 SYN_SENT' })
  made.add('server', 'delivered', { packet: 1, to: 'tcp 192.168.1.20:22' }).at(9000).sent(2, 'server', 'laptop', 'SYN ACK')
  made.add('server', 'nat', { packet: 2, hook: 'POSTROUTING', what: 'snat', before: 'TCP 10.0.0.2:80 > 1.2.3.4:5', after: 'TCP 1.2.3.1:80 > 1.2.3.4:5' })
  const seen = entry('SYN_RECV', { unreplied: false, expires: 60_009_000 })
  made.add('server', 'entry-update', { conn: 1, packet: 2, entry: seen, changed: ['state'], told: true, reason: why('an answer') })
  made.add('server', 'expectation', { action: 'created', conn: 1, packet: 2, expectation: { dport: 4000 }, reason: why('PORT') })
  made.add('server', 'sysctl', { key: 'net.netfilter.nf_conntrack_udp_timeout', value: '60', old: '30' })
  made.at(14_000).add('server', 'lost', { packet: 2, dev: 'eth0', reason: why('by chance') })
  made.at(20_000).sent(3, 'laptop', 'server', 'PSH "ls"').at(25_000).label(3, 'INVALID', null).rule(3, 1, false).verdict(3, 'DROP', 'policy')
  made.add('server', 'kernel-log', { packet: 3, text: 'IN=eth0 OUT=' })
  made.add('server', 'dropped', { packet: 3, where: 'INPUT', by: 'filter INPUT policy', reason: why('no rule decided') })
  made.at(60_009_000).add('server', 'entry-expired', { conn: 1 })
  made.add('server', 'entry-destroy', { conn: 1, packet: null, entry: seen, reason: why('its time ran out') })
  made.add('laptop', 'reach', { what: 'probe', name: 'web', to: 'tcp server:80', ok: false, began: 57_009_000, down: 5_000_000, reason: why('silence') })
  return made.add('', 'note', { code: 'budget', text: 'the end' }).records
}

/** `count` records of packets that come, are labelled, tried and end; the same for the same seed (a Lehmer generator). */
export function busy(count: number, seed = 1): TraceRecord[] {
  const made = new Maker()
  let chance = seed
  const next = (below: number): number => (chance = (chance * 48271) % 2147483647) % below
  const labels = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED']
  for (let packet = 1; made.records.length < count; packet++) {
    const conn = next(400) + 1
    made.at(made.t + next(200_000)).sent(packet, 'laptop', 'server', 'data', next(3)).at(made.t + 5000)
    made.add('server', 'arrived', { packet, dev: 'eth0' }).label(packet, labels[next(5)] as string, conn)
    made.rule(packet, next(9), next(2) === 0).verdict(packet, 'DROP', next(2) ? 'rule' : 'policy', 1)
    const view = entry('ESTABLISHED', { expires: made.t + next(1_000_000) })
    if (next(4) === 0) made.add('server', 'entry-destroy', { conn, packet, entry: view, reason: why('gone') })
    else made.add('server', 'entry-update', { conn, packet, entry: view, changed: ['expires'], told: false, reason: why('fresh') })
    made.add('server', 'output', { terminal: 'server', text: `${packet}\n` })
    if (next(3)) made.add('server', 'delivered', { packet, to: 'tcp' })
    else made.add('server', 'dropped', { packet, where: 'INPUT', by: 'policy', reason: why('policy') })
  }
  return made.records.slice(0, count)
}
