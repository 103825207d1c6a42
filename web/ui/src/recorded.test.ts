import { describe, expect, test } from 'vitest'
import type { Ears, TraceBatch } from './channel'
import { Maker } from './made'
import { recorded, type Recording } from './recorded'

const type = (text: string) => ({ type: 'line' as const, terminal: 'laptop', text })

function recording(stepwise: boolean, futures: Recording['futures'] = []): Recording {
  const made = new Maker()
  made.add('', 'note', { code: 'start', text: '' })
  for (const [at, text] of [[1000, 'one'], [2000, 'two']] as const) {
    made.at(at).add('', 'input', { text, input: type(text) })
    made.at(at + 500).add('laptop', 'output', { terminal: 'laptop', text })
  }
  const scenario = { id: 's', title: 'S', firewall: 'laptop', machines: [], links: [], terminals: [] }
  const hello = { key: '', scenario, lesson: null, position: { t: 0, step: 0 }, progress: { answers: {}, goals: { g: false }, step: 0 }, marks: [], fixed: true }
  return { version: 1, hello, records: made.records, stepwise, goals: { g: 2500 }, layers: {}, grid: { states: [], segments: [], directions: [] }, futures }
}

async function open(stepwise: boolean, futures: Recording['futures'] = []) {
  const heard: { batches: TraceBatch[]; refusals: string[]; goals: boolean[]; answers: object[] } = { batches: [], refusals: [], goals: [], answers: [] }
  const ears: Ears = {
    hello: () => undefined, connected: () => undefined, trace: (batch) => void heard.batches.push(batch),
    refused: ({ error }) => void heard.refusals.push(error), progressed: ({ goals, answers }) => void (heard.goals.push(goals['g'] ?? false), heard.answers.push(answers)),
  }
  const channel = recorded(recording(stepwise, futures), ears)
  await Promise.resolve()
  const say = async (...said: Parameters<typeof channel.say>): Promise<void> => {
    channel.say(...said)
    await Promise.resolve()
  }
  return { heard, say, channel }
}
const ranges = (batches: TraceBatch[]): number[][] => batches.map(({ from, records }) => [from, from + records.length])

describe('a recording in place of a server', () => {
  test('tells stretch by stretch what was typed, when its turn comes', async () => {
    const { heard, say } = await open(true)
    expect(ranges(heard.batches)).toEqual([[0, 1]])
    await say('input', { at: 1000, input: type('one') })
    await say('more', {})
    expect(ranges(heard.batches)).toEqual([[0, 1], [1, 3], [3, 5]])
    expect(heard.batches.map(({ more, playFrom }) => [more, playFrom])).toEqual([[true, null], [true, 1000], [false, null]])
  })
  test('plays what is typed out of turn from where it stands, and all that led there', async () => {
    const { heard, say } = await open(false)
    await say('input', { at: 0, input: [type('two')] })
    expect(ranges(heard.batches)).toEqual([[0, 5], [3, 5]])
  })
  test('tells what was passed over, when something is typed that comes later', async () => {
    const { heard, say } = await open(true)
    await say('input', { at: 0, input: [type('two')] })
    expect(ranges(heard.batches)).toEqual([[0, 1], [1, 3], [3, 5]])
    expect(heard.batches.map(({ playFrom }) => playFrom)).toEqual([null, null, 2000])
  })
  test('refuses what was not typed then, and changes nothing', async () => {
    const { heard, say } = await open(true)
    await say('input', { at: 0, input: [type('one'), type('three')] })
    await say('input', { at: 0, input: { type: 'link', link: 'a', up: false } })
    expect(heard.refusals).toHaveLength(2)
    expect(heard.batches).toHaveLength(1)
  })
  test('reaches the goal when its moment has come, once', async () => {
    const { heard, say } = await open(false)
    await say('answer', { prediction: 'p', choice: 1 })
    await say('position', { t: 2499, step: 0 })
    await say('position', { t: 2500, step: 0 })
    await say('position', { t: 2500, step: 0 })
    expect(heard.goals).toEqual([true])
    expect(heard.answers).toEqual([{ p: 1 }]) // what was answered stays so
  })
  test('goes into the future of a what-if, compares it, and comes back to what was recorded', async () => {
    const change = { type: 'link' as const, link: 'lan', up: false }
    const records = new Maker().at(1999).add('', 'input', { text: 'cut', input: change }).records
    const { heard, say, channel } = await open(true, [{ id: 1, at: 1999, text: 'cut', change, from: 3, records }])
    await say('input', { at: 1000, input: type('one') })
    await say('change', { at: 1999, input: change })
    expect(heard.batches.at(-1)).toMatchObject({ from: 3, records, more: false, branches: [{ id: 0 }], playFrom: 1999 })
    expect(await channel.future(0)).toHaveLength(3)
    expect(await channel.future(1)).toHaveLength(4)
    await say('position', { t: 3000, step: 0 })
    expect(heard.goals).toEqual([])
    await say('input', { at: 2000, input: type('two') })
    expect(heard.batches.at(-1)).toMatchObject({ from: 3, more: false, branches: [], playFrom: 2000 })
    await say('change', { at: 1999, input: { ...change, link: 'other' } })
    expect(heard.refusals).toHaveLength(1)
  })
  test('shows a what-if beside what was recorded, and the recording goes on', async () => {
    const change = { type: 'link' as const, link: 'lan', up: false }
    const records = new Maker().at(1999).add('', 'input', { text: 'cut', input: change }).records
    const { heard, say } = await open(true, [{ id: 1, at: 1999, text: 'cut', change, from: 3, records }])
    await say('input', { at: 1000, input: type('one') })
    await say('change', { at: 1999, input: change, aside: true })
    expect(heard.batches.at(-1)).toMatchObject({ from: 3, records: [], more: true, branches: [{ id: 1 }], playFrom: null })
    await say('input', { at: 2000, input: type('two') })
    expect(heard.batches.at(-1)).toMatchObject({ from: 3, playFrom: 2000 })
    expect(heard.batches.at(-1)?.records).toHaveLength(2)
  })
  test('offers the futures that were kept, and brings one back', async () => {
    const records = new Maker().at(1500).add('', 'input', { text: 'else', input: type('else') }).records
    const { heard, say } = await open(false, [{ id: 4, at: 1500, text: 'else', change: null, from: 2, records }])
    expect(heard.batches[0]?.branches).toEqual([{ id: 4, at: 1500, text: 'else', records: 3 }])
    await say('restore', { branch: 4 })
    expect(heard.batches.at(-1)).toMatchObject({ from: 2, records, branches: [{ id: 0 }], playFrom: null })
    await say('restore', { branch: 0 })
    expect(ranges(heard.batches).at(-1)).toEqual([2, 5])
  })
  test('answers with nothing what it does not know, whatever the page may learn to ask', async () => {
    const { channel } = await open(false)
    expect(await channel.dissect(0)).toBeNull()
    expect(await (channel as unknown as { newest(): Promise<unknown> }).newest()).toBeNull()
  })
})
