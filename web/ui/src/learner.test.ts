import { afterEach, expect, test, vi } from 'vitest'
import { Index } from './index'
import { learner, sum } from './learner'
import { Maker } from './made'

afterEach(() => vi.unstubAllGlobals())

test('a lab that does not answer, or fails, costs nobody their key; one that does not know it gives another', async () => {
  const store = new Map([['ctlab.learner', 'mine']])
  vi.stubGlobal('localStorage', { getItem: (key: string) => store.get(key) ?? null, setItem: (key: string, value: string) => void store.set(key, value) })
  vi.stubGlobal('fetch', vi.fn(async () => Promise.reject(new TypeError('Failed to fetch'))))
  await expect(learner()).rejects.toThrow('The lab does not answer.')
  vi.stubGlobal('fetch', vi.fn(async () => new Response('{"error": "broken"}', { status: 500 })))
  await expect(learner()).rejects.toThrow('broken')
  expect(store.get('ctlab.learner')).toBe('mine')
  const unknown = async (path: string, init?: RequestInit) =>
    path === '/api/learners/mine' ? new Response('{"error": "No progress"}', { status: 404 }) : new Response(init?.method === 'POST' ? '{"key": "other"}' : '{"due": []}')
  vi.stubGlobal('fetch', vi.fn(unknown))
  expect(await learner()).toMatchObject({ key: 'other', learner: { due: [] } })
  expect(store.get('ctlab.learner')).toBe('other')
})

test('predictions are summed: right the first time, all, and those that wait to be repeated', () => {
  const one = { choice: 0, on: '2026-11-23' }
  const answers = {
    'a/b': { ...one, right: true, box: null, due: null }, 'a/c': { ...one, right: false, box: 2, due: '2026-11-25' },
    'a/d': { ...one, right: false, box: null, due: null },
  }
  expect(sum(answers)).toEqual({ right: 1, answered: 3, waiting: 1 })
})

test('clients that act by themselves do not keep a lab from coming to rest, and their packets are known as theirs', () => {
  const made = new Maker()
  made.add('', 'input', { text: 'ls', input: { type: 'line', terminal: 'laptop', text: 'ls' } })
  const socket = { protocol: 'tcp', local: '192.168.1.10:51514', remote: '192.168.1.20:22', state: 'SYN-SENT', unacked: '', tries: 0, retry_at: null }
  made.add('laptop', 'output', { terminal: 'laptop', text: 'ls\n' })
  made.add('laptop', 'socket', { socket: 1, program: 'probe', ...socket })
  made.at(5_000_000).sent(1, 'laptop', 'server').at(5_005_000).label(1, 'NEW')
  const index = new Index('server')
  for (const record of made.records) index.add(record)
  expect(index.ofClient(index.trip(1))).toBe(true)
  expect(index.restAfter(0, made.records)).toBe(2)
})
