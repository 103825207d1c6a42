import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { IntMap } from './intmap'
import { busy, entry, everyKind, Maker, why } from './made'
import type { TraceRecord } from './records'
import { append, apply, beginning, HANDLERS, linksAfter, machineOf, Story, terminalOf, type State } from './story'

/** A state as plain data, so that two can be compared. */
function plain(value: unknown): unknown {
  if (value instanceof IntMap) return [...value].map(([key, item]) => [key, plain(item)])
  if (Array.isArray(value)) return value.map(plain)
  if (value && typeof value === 'object') {
    if ('before' in value && 'length' in value) return (linksAfter(value as never, null) ?? []).map(plain)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
  }
  return value
}

const fold = (records: readonly TraceRecord[]): State => records.reduce(apply, beginning('server'))
const after = (made: Maker): State => fold(made.records)

function frozen<T>(value: T): T {
  if (value && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(frozen)
  }
  return value
}

test('every kind of record that the simulator can write has a handler, and no handler is for a kind that it cannot write', () => {
  const source = readFileSync(new URL('../../../sim/trace.py', import.meta.url), 'utf8')
  const kinds = [...source.matchAll(/kind: ClassVar\[str\] = "(.+)"/g)].map((found) => found[1])
  expect(Object.keys(HANDLERS).sort()).toEqual(kinds.sort())
  expect(new Set(everyKind().map((record) => record.kind)).size).toBe(kinds.length)
})

test('a kind of record that the page does not know is refused by name', () => {
  const strange = { n: 0, t: 0, machine: '', kind: 'miracle' } as unknown as TraceRecord
  expect(() => apply(beginning('server'), strange)).toThrow(/miracle/)
})

test('apply leaves the state that it was given as it was', () => {
  let state = frozen(beginning('server'))
  for (const record of everyKind()) state = frozen(apply(state, frozen(record)))
  expect(state.n).toBe(everyKind().length)
})

test('a step forward and a step back give the equal state, at every record of every kind', () => {
  const story = new Story('server', 4)
  story.replace(0, everyKind())
  for (let n = 0; n < story.length; n++) {
    const here = plain(story.seek(n))
    story.seek(n + 1)
    expect(plain(story.seek(n))).toEqual(here)
  }
})

test('seek gives what folding from the start gives, wherever one comes from', () => {
  const records = busy(1200, 7)
  const story = new Story('server', 32)
  story.replace(0, records)
  for (const n of [0, 1, 31, 32, 33, 700, 64, 1200, 1199, 5, 640]) {
    expect(plain(story.seek(n))).toEqual(plain(fold(records.slice(0, n))))
  }
})

test('a new future replaces the old one from its first record on', () => {
  const [old, young] = [busy(300, 1), busy(300, 2)]
  const story = new Story('server', 16)
  story.replace(0, old)
  story.seek(300)
  story.replace(100, young.slice(100, 150))
  expect(story.length).toBe(150)
  expect(plain(story.seek(150))).toEqual(plain(fold([...old.slice(0, 100), ...young.slice(100, 150)])))
  expect(() => story.replace(152, [])).toThrow(/only 150/)
})

test('a seek anywhere in 10,000 records folds fewer than 16 of them', () => {
  const story = new Story('server')
  story.replace(0, busy(10_000))
  let folded = 0
  story.records.forEach((record, n) => {
    story.records[n] = new Proxy(record, { get: (of, name) => (name === 'n' && folded++, Reflect.get(of, name) as unknown) })
  })
  const once = (story.seek(0), story.seek(1), folded) // how often a fold reads a record's number
  for (let i = 0; i < 300; i++) {
    folded = 0
    story.seek((i * 7919) % 10_000)
    expect(folded).toBeLessThan(16 * Math.max(3, once))
  }
})

test('a packet flies from sent to arrived, keeps its label until its way ends, and is seen as ended for that instant only', () => {
  const made = new Maker().sent(1, 'laptop', 'server')
  expect(after(made).flying.get(1)).toMatchObject({ from: 'laptop', to: 'server', sent: 0, arrives: 5000, about: 'SYN' })
  made.at(5000).add('server', 'arrived', { packet: 1, dev: 'eth0' }).label(1, 'NEW')
  expect(after(made).flying.size).toBe(0)
  expect(after(made).labels.get(1)?.label).toBe('NEW')
  made.add('server', 'dropped', { packet: 1, where: 'INPUT', by: 'filter INPUT policy', reason: why('no rule') })
  expect(after(made).settled).toMatchObject([{ packet: 1, how: 'dropped', by: 'filter INPUT policy' }])
  made.at(6000).sent(2, 'laptop', 'server')
  expect(after(made).settled).toEqual([])
  expect(after(made).labels.get(1)).toBeUndefined()
})

test('the chosen packet is the one that the firewall spoke of last, not one that a host has just sent', () => {
  const made = new Maker().sent(1, 'laptop', 'server').at(5000).label(1, 'NEW').sent(2, 'laptop', 'server')
  expect(after(made).packet).toBe(1)
  expect(after(made.add('laptop', 'lost', { packet: 2, dev: 'eth0', reason: why('by chance') })).packet).toBe(2)
})

test('rule and policy counters go on from what the load told, and a failed match does not count', () => {
  const made = new Maker()
  made.records.push(...everyKind().slice(0, 1))
  made.rule(1, 1, true).rule(1, 1, false).verdict(1, 'DROP', 'policy').verdict(1, 'ACCEPT', 'rule', 1)
  const server = machineOf(after(made), 'server')
  expect(server.matches.get(1)).toBe(5)
  expect(server.policies['iptables filter INPUT']).toBe(3)
})

test('a rule without a counter of its own keeps the count that the page made when rules are loaded again', () => {
  const rule = { id: 8, number: 1, handle: 3, text: 'accept', other: null, packets: null, bytes: null }
  const chain = { name: 'input', hook: 'INPUT', priority: 0, policy: 'accept', policy_packets: null, policy_bytes: null, rules: [rule] }
  const load = { tables: [{ language: 'nft', family: 'ip', name: 'filter', chains: [chain] }], by: 'nft' }
  const made = new Maker().add('server', 'rules', load).rule(1, 8, true).add('server', 'rules', load)
  expect(machineOf(after(made), 'server').matches.get(8)).toBe(1)
})

test('an entry remembers when it was born, what it was before, and why it changed; destroyed it is kept among the gone', () => {
  const made = new Maker().at(10).add('server', 'entry-new', { conn: 4, packet: 1, entry: entry('SYN_SENT'), reason: why('SYN') })
  made.at(20).add('server', 'entry-update', {
    conn: 4, packet: 2, entry: entry('SYN_RECV'), changed: ['state'], told: true, reason: why('answered'),
  })
  const known = machineOf(after(made), 'server').entries.get(4)
  expect(known).toMatchObject({ born: 10, t: 20, changed: ['state'], reason: { text: 'answered' } })
  expect(known?.before?.state).toBe('SYN_SENT')
  made.add('server', 'entry-destroy', { conn: 4, packet: null, entry: entry('SYN_RECV'), reason: why('deleted') })
  expect(machineOf(after(made), 'server').entries.size).toBe(0)
  expect(machineOf(after(made), 'server').gone?.value.reason.text).toBe('deleted')
})

test('a socket is known until it is CLOSED, with what it has sent and not heard back about', () => {
  const socket = {
    socket: 3, protocol: 'tcp', local: 'a:1', remote: 'b:2', state: 'ESTAB', program: 'ssh', unacked: 'ls', tries: 2, retry_at: 400,
  }
  const made = new Maker().add('laptop', 'socket', socket)
  expect(machineOf(after(made), 'laptop').sockets.get(3)).toMatchObject({ unacked: 'ls', tries: 2, retry_at: 400 })
  made.add('laptop', 'socket', { ...socket, state: 'CLOSED' })
  expect(machineOf(after(made), 'laptop').sockets.size).toBe(0)
})

test('an expectation stands until it is used', () => {
  const told = { conn: 1, packet: 1, expectation: { dport: 20 }, reason: why('PORT') }
  const made = new Maker().add('server', 'expectation', { action: 'created', ...told })
  expect(machineOf(after(made), 'server').expectations).toHaveLength(1)
  expect(machineOf(after(made.add('server', 'expectation', { action: 'used', ...told })), 'server').expectations).toEqual([])
})

test('terminals, sysctls, the kernel log, inputs and notes are what was told', () => {
  const state = fold(everyKind())
  expect(terminalOf(state, 'laptop')).toMatchObject({ state: 'prompt', prompt: '$ ' })
  expect(linksAfter(terminalOf(state, 'laptop').output, null)).toEqual(['$ ssh server\n'])
  expect(machineOf(state, 'server').sysctls['net.netfilter.nf_conntrack_udp_timeout']).toBe('60')
  expect(machineOf(state, 'server').log?.value).toMatchObject({ packet: 3, text: 'IN=eth0 OUT=' })
  expect(state.inputs?.value).toMatchObject({ text: 'ssh server', t: 0 })
  expect(state.notes?.value).toMatchObject({ code: 'budget' })
})

test('what was printed since an earlier moment is found, and a moment on another future is not an earlier one', () => {
  const one = append(null, 'a')
  const two = append(append(one, 'b'), 'c')
  expect(linksAfter(two, one)).toEqual(['b', 'c'])
  expect(linksAfter(two, append(one, 'x'))).toBeNull()
})

test('an IntMap is a Map, whatever is set and deleted', () => {
  let [mine, chance] = [IntMap.empty<number>(), 5]
  const truth = new Map<number, number>()
  for (let i = 0; i < 3000; i++) {
    chance = (chance * 48271) % 2147483647
    const key = chance % (i % 3 ? 90 : 70_000)
    if (chance % 5 < 2) truth.delete(key)
    else truth.set(key, i)
    mine = chance % 5 < 2 ? mine.delete(key) : mine.set(key, i)
    expect(mine.get(key)).toBe(truth.get(key))
  }
  expect([...mine]).toEqual([...truth].sort(([a], [b]) => a - b))
  expect(mine.size).toBe(truth.size)
})

test('what is typed waits behind the prompt until it is echoed, however many lines it is', () => {
  const terminal = { terminal: 'laptop', prompt: 'admin@server:~$ ', program: 'ssh', user_at: 'admin@server' }
  const line = (text: string) => ({ text, input: { type: 'line' as const, terminal: 'laptop', text } })
  const made = new Maker().add('laptop', 'terminal', { ...terminal, state: 'prompt' })
  made.add('', 'input', line('ls')).add('laptop', 'terminal', { ...terminal, state: 'running' }).add('', 'input', line('whoami'))
  expect(fold(made.records).terminals['laptop']).toMatchObject({ prompt: 'admin@server:~$ ', typed: ['ls', 'whoami'] })
  made.add('laptop', 'output', { terminal: 'laptop', text: 'admin@server:~$ ls\nnotes\n' })
  expect(fold(made.records).terminals['laptop']?.typed).toEqual(['whoami'])
  made.add('laptop', 'terminal', { ...terminal, state: 'prompt' })
  expect(fold(made.records).terminals['laptop']?.typed).toEqual([])
})
