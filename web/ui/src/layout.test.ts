import { expect, test } from 'vitest'
import { beliefs, parted } from './beliefs'
import type { Scenario } from './channel'
import { Index } from './index'
import { arrows, items, lifelines, places, rows, outages, xOf } from './ladder'
import { common, EMPTY, insert, key, recall, replace, searched, tailColumn } from './lineedit'
import { entry, Maker, why } from './made'
import type { TraceRecord } from './records'
import { journey } from './journey'
import { apply, beginning } from './story'
import { inputEvents, tableEvents, Track, wordsOf } from './timeline'
import { labelSize, linkState, plan, position } from './topology'

const machine = (name: string, kind: string, x: number, services: string[] = []) => ({ name, kind, x, y: 0.5, interfaces: [], services })
const link = (a: string, b: string) => ({ id: `${a}-${b}`, a: { machine: a, dev: 'eth0' }, b: { machine: b, dev: 'eth0' }, delay: 5000, loss: 0 })
const base = { id: 's', title: 's', terminals: [] }
const TWO: Scenario = {
  ...base, firewall: 'server', machines: [machine('server', 'host', 0.9, ['ssh :22']), machine('laptop', 'host', 0.1)], links: [link('laptop', 'server')],
}
const THREE: Scenario = {
  ...base, firewall: 'fw', machines: [machine('client', 'host', 0), machine('fw', 'firewall', 0.5), machine('web', 'host', 1, ['http :80'])],
  links: [link('client', 'fw'), link('fw', 'web')],
}

function indexed(records: readonly TraceRecord[], firewall = 'server'): Index {
  const index = new Index(firewall)
  for (const record of records) index.add(record)
  return index
}

test('a firewall that is an end of connections stands twice, its netfilter on the side of its neighbours', () => {
  expect(lifelines(TWO).map((one) => one.title)).toEqual(['laptop', 'server: netfilter', 'server: sshd'])
})

test('a firewall between two machines stands once, in the middle', () => {
  expect(lifelines(THREE).map((one) => one.title)).toEqual(['client', 'fw', 'web'])
})

test('a packet that INPUT drops is drawn to the netfilter lifeline and ends there with a cross', () => {
  const made = new Maker().sent(1, 'laptop', 'server').at(5000).add('server', 'arrived', { packet: 1, dev: 'eth0' })
  made.add('server', 'dropped', { packet: 1, where: 'INPUT', by: 'policy', reason: why('policy') })
  const [trip] = indexed(made.records).order
  if (!trip) throw new Error('no trip')
  const at = places(lifelines(TWO), TWO)
  expect(arrows(trip, 1, 2500, at)).toEqual([{ from: 0, to: 1, reach: 0.5, end: 'none' }])
  expect(arrows(trip, 3, 5000, at)).toEqual([{ from: 0, to: 1, reach: 1, end: 'cross' }])
})

test('a packet that is delivered goes on to the programs, one of their own starts there', () => {
  const made = new Maker().sent(1, 'laptop', 'server').at(5000).add('server', 'arrived', { packet: 1, dev: 'eth0' })
  made.add('server', 'delivered', { packet: 1, to: 'tcp' }).add('server', 'hook', { packet: 2, hook: 'OUTPUT', indev: null, outdev: 'eth0' })
  made.sent(2, 'server', 'laptop')
  const [one, two] = indexed(made.records).order
  if (!one || !two) throw new Error('no trips')
  const at = places(lifelines(TWO), TWO)
  expect(arrows(one, 9, 5000, at).map(({ from, to }) => [from, to])).toEqual([[0, 1], [1, 2]])
  expect(arrows(two, 9, 5000, at).map(({ from, to }) => [from, to])).toEqual([[2, 1], [1, 0]])
})

test('the legs of a packet through a machine that is left out are one arrow', () => {
  const made = new Maker().sent(1, 'client', 'fw').at(5000).add('fw', 'arrived', { packet: 1, dev: 'eth0' }).sent(1, 'fw', 'web').at(9000)
  made.add('web', 'arrived', { packet: 1, dev: 'eth0' })
  const [trip] = indexed(made.records, 'fw').order
  if (!trip) throw new Error('no trip')
  const at = places(lifelines(THREE, new Set(['fw'])), THREE)
  expect(arrows(trip, 2, 5000, at)).toEqual([])
  expect(arrows(trip, 9, 9000, at)).toEqual([{ from: 0, to: 1, reach: 1, end: 'arrow' }])
  expect(arrows(trip, 9, 9000, places(lifelines(THREE, new Set(['web'])), THREE)).map(({ from, to }) => [from, to])).toEqual([[0, 1]])
})

test('a packet that ends at a machine that is left out has an arrow to where that would stand, and one that is let in there has none', () => {
  const sent = (): Maker => new Maker().sent(1, 'client', 'fw').at(5000).add('fw', 'arrived', { packet: 1, dev: 'eth0' })
  const told = (made: Maker, hidden: string): unknown => {
    const [trip] = indexed(made.records, 'fw').order
    return trip && arrows(trip, 9, 9000, places(lifelines(THREE, new Set(hidden.split(' '))), THREE)).map(({ from, to, end }) => [from, to, end])
  }
  const drop = { packet: 1, where: 'FORWARD', by: 'policy', reason: why('policy') }
  expect(told(sent().add('fw', 'dropped', drop), 'fw')).toEqual([[0, 0.5, 'cross']])
  expect(told(sent().add('fw', 'dropped', drop), 'fw client')).toEqual([])
  expect(told(sent().add('fw', 'delivered', { packet: 1, to: 'tcp' }), 'fw')).toEqual([])
  const on = sent().sent(1, 'fw', 'web').at(9000).add('web', 'arrived', { packet: 1, dev: 'eth0' }).add('web', 'dropped', drop)
  expect(told(on, 'fw web')).toEqual([[0, 0.5, 'cross']])
  expect(told(on, 'web')).toEqual([[0, 1, 'arrow'], [1, 1.5, 'cross']])
})

test('a place beside the lifelines stands half-way between two, or a little outside and still in the drawing', () => {
  expect([1, 0.5, -0.5, 1.5].map((place) => xOf([100, 300], place, 400))).toEqual([300, 200, 56, 344])
  expect([-0.5, 1.5].map((place) => xOf([40, 180], place, 200))).toEqual([18, 182])
})

test('silence becomes one row, repeats become one row that can be opened, and the chosen packet is never folded away', () => {
  const made = new Maker().sent(1, 'laptop', 'server')
  for (let again = 1; again <= 4; again++) made.at(again * 100_000).sent(1 + again, 'laptop', 'server', 'PSH', again)
  made.at(9_000_000).sent(9, 'laptop', 'server')
  const index = indexed(made.records)
  const kinds = (chosen: number | null, folds = new Set<number>()): string => rows(items(index), { chosen, folds }).map((row) => row.kind).join(' ')
  expect(kinds(null)).toBe('packet fold packet silence packet')
  expect(kinds(3)).toBe('packet packet packet packet packet silence packet')
  expect(kinds(null, new Set([2]))).toBe('packet packet packet packet packet silence packet')
})

test('a machine without power stands dark from the note that says so to the one that says it is up', () => {
  const note = (made: Maker, code: string): Maker => made.add('server', 'note', { code, text: '' })
  const made = note(note(new Maker().sent(1, 'laptop', 'server'), 'power-off').sent(2, 'laptop', 'server'), 'power-boots').sent(3, 'laptop', 'server')
  note(made, 'power-up').sent(4, 'laptop', 'server')
  const index = indexed(made.records)
  const laid = rows(items(index), { chosen: null, folds: new Set() })
  expect(outages(index.remarks, laid, 3)).toEqual([{ machine: 'server', from: laid[1]?.y, to: null }])
  expect(outages(index.remarks, laid, made.records.length)).toEqual([{ machine: 'server', from: laid[1]?.y, to: laid[3]?.y }])
})

test('rows follow each other without gap or overlap', () => {
  const made = new Maker().sent(1, 'laptop', 'server').at(9_000_000).sent(2, 'laptop', 'server')
  const laid = rows(items(indexed(made.records)), { chosen: null, folds: new Set() })
  for (let i = 1; i < laid.length; i++) expect(laid[i]?.y).toBe((laid[i - 1]?.y ?? 0) + (laid[i - 1]?.height ?? 0))
})

test('machines stay on the stage, and a packet moves from one to the other in the time that the link takes', () => {
  const placed = plan(THREE, { width: 620, height: 300 }).boxes
  for (const box of placed.values()) {
    expect(box.x - box.width / 2).toBeGreaterThanOrEqual(0)
    expect(box.x + box.width / 2).toBeLessThanOrEqual(620)
  }
  const flight = { packet: 1, from: 'client', dev: 'e', to: 'fw', toDev: 'e', sent: 0, arrives: 100, headers: {}, text: '', about: '', again: 0 }
  const xs = [0, 50, 100].map((t) => position(flight, t, placed)?.x ?? 0)
  expect(xs[1]).toBeCloseTo(((xs[0] ?? 0) + (xs[2] ?? 0)) / 2)
})

test('machines stand clear of each other: where there is no room for the firewall with its hooks, all are small and the hooks stand below', () => {
  const at = (name: string, x: number, y: number): Scenario['machines'][number] => ({ ...machine(name, 'host', x), y })
  const house: Scenario = { ...THREE, machines: [at('client', 0.08, 0.2), at('fw', 0.38, 0.5), at('internet', 0.62, 0.5), at('web', 0.9, 0.1), at('stranger', 0.9, 0.9)] }
  const touching = (width: number, height: number): string[] => {
    const boxes = [...plan(house, { width, height }).boxes]
    const over = ([, a]: (typeof boxes)[number], [, b]: (typeof boxes)[number]): boolean => Math.abs(a.x - b.x) < (a.width + b.width) / 2 && Math.abs(a.y - b.y) < (a.height + b.height) / 2
    return boxes.flatMap((one, i) => boxes.slice(i + 1).filter((other) => over(one, other)).map(([name]) => `${one[0]} ${name}`))
  }
  expect([touching(720, 283), touching(900, 350), touching(620, 300), touching(460, 346)]).toEqual([[], [], [], []])
  expect([plan(house, { width: 720, height: 283 }).small, plan(house, { width: 980, height: 350 }).small]).toEqual([true, false])
})

test('beliefs part while one side thinks the connection open and another does not know it', () => {
  expect(parted(['ESTAB', 'ESTABLISHED', 'ESTAB'])).toBe(false)
  expect(parted(['ESTAB', null, 'ESTAB'])).toBe(true)
  expect(parted(['FIN-WAIT-2', 'FIN_WAIT', 'CLOSE-WAIT'])).toBe(false)
  expect(parted(['TIME-WAIT', 'TIME_WAIT', null])).toBe(false)
})

test('an end that is no machine of the lab is not said to know nothing: of it nothing is known, and nobody parts from it', () => {
  const made = new Maker().add('server', 'entry-new', { conn: 1, packet: 1, entry: entry('SYN_SENT'), reason: why('SYN') })
  const [life] = indexed(made.records).entries.values()
  if (!life) throw new Error('no entry')
  const [strangers, neighbours] = [beliefs(indexed(made.records), life, () => false), beliefs(indexed(made.records), life, () => true)]
  expect([[...strangers.unseen], strangers.moments[0]?.parted]).toEqual([['client', 'server'], false])
  expect([[...neighbours.unseen], neighbours.moments[0]?.parted]).toEqual([[], true])
})

test('the sockets of both ends are found by the entry’s tuples, and their changes stand in the order of time', () => {
  const socket = (id: number, local: string, remote: string, state: string) =>
    ({ socket: id, protocol: 'tcp', local, remote, state, program: '', unacked: '', tries: 0, retry_at: null })
  const [here, there] = ['192.168.1.10:51514', '192.168.1.20:22']
  const made = new Maker().add('laptop', 'socket', socket(1, here, there, 'SYN-SENT')).add('server', 'socket', socket(1, '*:22', '*:*', 'LISTEN'))
  made.at(5).add('server', 'entry-new', { conn: 1, packet: 1, entry: entry('SYN_SENT'), reason: why('SYN') })
  made.add('server', 'socket', socket(2, there, here, 'SYN-RECV')).at(9).add('laptop', 'socket', socket(1, here, there, 'ESTAB'))
  const index = indexed(made.records)
  const [life] = index.entries.values()
  if (!life) throw new Error('no entry')
  const found = beliefs(index, life, () => true)
  expect([found.client, found.server]).toEqual(['laptop', 'server'])
  expect(found.moments.map(({ client, conntrack, server }) => [client, conntrack, server])).toEqual([
    ['SYN-SENT', null, null], ['SYN-SENT', 'SYN_SENT', 'SYN-RECV'], ['ESTAB', 'SYN_SENT', 'SYN-RECV'],
  ])
  expect(found.moments.map((moment) => moment.parted)).toEqual([true, false, true])
  expect(found.unseen.size).toBe(0)
})

test('on the timeline place and time are each the inverse of the other', () => {
  const made = new Maker().sent(1, 'laptop', 'server').at(40_000_000).sent(2, 'laptop', 'server').at(41_000_000).sent(3, 'laptop', 'server')
  const track = new Track(indexed(made.records), { left: 50, width: 800 })
  for (const t of [0, 7_000_000, 40_000_000, 40_500_000, 41_000_000]) expect(track.timeAt(track.xOf(t))).toBeCloseTo(t, -1)
  expect(track.marks().at(-1)?.x).toBeCloseTo(850)
})

test('packets of one instant stand side by side and none outside, however many there are', () => {
  for (const count of [2, 40, 3000]) {
    const made = new Maker()
    for (let packet = 1; packet <= count; packet++) made.at(Math.floor(packet / 3) * 1000).sent(packet, 'laptop', 'server')
    const marks = new Track(indexed(made.records), { left: 50, width: 800 }).marks()
    for (const [i, mark] of marks.entries()) if (mark.size > 5 && i) expect(mark.x - (marks[i - 1]?.x ?? 0)).toBeGreaterThanOrEqual(mark.size)
    expect(Math.min(...marks.map((mark) => mark.x))).toBeGreaterThanOrEqual(50)
    expect(Math.max(...marks.map((mark) => mark.x))).toBeLessThanOrEqual(850.01)
  }
})

test('a refreshed time-out says nothing on the timeline, a new state does', () => {
  const told = { n: 0, t: 0, machine: 'server', kind: 'entry-update', conn: 1, packet: 1, reason: why('') } as const
  expect(wordsOf({ ...told, entry: entry('ESTABLISHED'), changed: ['expires'], told: false })).toBeNull()
  expect(wordsOf({ ...told, entry: entry('ESTABLISHED', { assured: true }), changed: ['state', 'assured'], told: true })).toBe('ESTABLISHED, ASSURED')
})

test('a line is edited as a shell edits it', () => {
  let edit = insert(EMPTY, 'iptables -L INPUT')
  for (const one of ['\x01', '\x1b[C', '\x7f', '\x05', '\x17']) edit = key(edit, one) ?? edit
  expect(edit).toMatchObject({ line: 'ptables -L ', cursor: 11 })
  expect(key(edit, '\x15')).toMatchObject({ line: '', cursor: 0 })
  expect(key(edit, 'x')).toBeNull()
})

test('history goes back and comes home to an empty line', () => {
  const history = ['one', 'two']
  const back = recall(recall(EMPTY, history, 1), history, 1)
  expect(back.line).toBe('one')
  expect(recall(back, history, 1)).toBe(back)
  expect(recall(recall(back, history, -1), history, -1).line).toBe('')
})

test('a completion replaces the word before the cursor with what all candidates share', () => {
  expect(common(['ESTABLISHED', 'ESTABLISH'])).toBe('ESTABLISH')
  expect(replace(insert(EMPTY, 'iptab'), 0, 'iptables ').line).toBe('iptables ')
})

test('the cursor stands after what was printed last, colours not counted', () => {
  expect(tailColumn('one\n\x1b[32mroot@server:~# \x1b[0m', 80)).toBe(15)
  expect(tailColumn('x'.repeat(85), 80)).toBe(5)
})

test('a long command is cut to the room before the next', () => {
  const made = new Maker()
  const line = (words: string) => ({ text: words, input: { type: 'line' as const, terminal: 'laptop', text: words } })
  made.add('', 'input', line('iptables -A INPUT -j DROP')).at(1000).add('', 'input', line('ls')).at(2_000_000).sent(3, 'laptop', 'server')
  const [long, short] = inputEvents(new Track(indexed(made.records), { left: 50, width: 200 }))
  expect(long?.words.endsWith('…')).toBe(true)
  expect((long?.x ?? 0) + (long?.wide ?? 0)).toBeLessThanOrEqual(short?.x ?? 0)
})

test('the label of a packet on a link covers neither of the machines', () => {
  const placed = plan(THREE, { width: 900, height: 300 }).boxes
  const size = labelSize(['⇄ EST', 'PSH "ls"'])
  const flight = { packet: 1, from: 'client', dev: 'eth0', to: 'fw', toDev: 'eth0', sent: 0, arrives: 5000, headers: {}, text: '', about: '', again: 0 }
  const [client, fw] = [placed.get('client'), placed.get('fw')]
  if (!client || !fw) throw new Error('no boxes')
  for (const t of [0, 2500, 5000]) {
    const x = position(flight, t, placed, false, size)?.x ?? 0
    expect(x - size.width / 2).toBeGreaterThanOrEqual(client.x + client.width / 2 - 1)
    expect(x + size.width / 2).toBeLessThanOrEqual(fw.x - fw.width / 2 + 1)
  }
})

test('a link stands as the last input left it', () => {
  const [first] = TWO.links
  if (!first) throw new Error('no link')
  const input = (change: object) => ({ text: '', input: { type: 'link' as const, link: first.id, ...change } })
  const made = new Maker().add('', 'input', input({ loss: 0.5 })).add('', 'input', input({ up: false })).add('', 'input', input({ loss: 0.1 }))
  const inputs = made.records.reduce(apply, beginning('server')).inputs
  expect(linkState(first, inputs)).toEqual({ delay: 5000, loss: 0.1, up: false })
})

test('the words of table changes never run into each other, at the right edge neither', () => {
  const made = new Maker()
  for (let conn = 1; conn <= 40; conn++) made.at(made.t + 70_000).add('server', 'entry-new', { conn, packet: null, entry: entry('SYN_SENT'), reason: why('') })
  for (let conn = 1; conn <= 40; conn++) made.add('server', 'entry-destroy', { conn, packet: null, entry: entry('SYN_SENT'), reason: { code: 'expired', text: '', numbers: {} } })
  const events = tableEvents(new Track(indexed(made.records), { left: 12, width: 900 })).filter((one) => one.wide)
  const spans = events.map((one) => ({ lane: one.lane, from: one.before ? one.x - one.wide : one.x, to: one.before ? one.x : one.x + one.wide }))
  for (const lane of [0, 1]) {
    const mine = spans.filter((one) => one.lane === lane)
    for (let i = 1; i < mine.length; i++) expect(mine[i]?.from).toBeGreaterThanOrEqual(mine[i - 1]?.to ?? 0)
  }
  expect(Math.max(...spans.map((one) => one.to))).toBeLessThanOrEqual(936)
})

test('a packet’s way tells what NAT made of it', () => {
  const made = new Maker().sent(1, 'laptop', 'server').label(1, 'NEW')
  made.add('server', 'nat', { packet: 1, hook: 'POSTROUTING', what: 'snat', before: 'TCP 10.0.0.2:5 > 1.2.3.4:80', after: 'TCP 1.2.3.1:5 > 1.2.3.4:80' })
  const [trip] = indexed(made.records).order
  if (!trip) throw new Error('no trip')
  expect(journey(trip, 'server', 9).rewritten.map(({ before, after }) => [before, after])).toEqual([['TCP 10.0.0.2:5 > 1.2.3.4:80', 'TCP 1.2.3.1:5 > 1.2.3.4:80']])
  expect(journey(trip, 'server', 2).rewritten).toEqual([])
})

test('a search goes back through the earlier lines, further each time, and says when nothing fits', () => {
  const history = ['ssh server', 'ls', 'ssh router', 'ping server']
  const one = searched(history, 'ssh', 0)
  expect([one.found, searched(history, 'ssh', one.found).found, searched(history, 'ssh', 4).found, searched(history, '', 0).found]).toEqual([2, 4, 0, 0])
})
