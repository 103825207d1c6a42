import { describe, expect, test } from 'vitest'
import type { Ears, TraceBatch } from './channel'
import { Maker } from './made'
import { recorded, type Recording } from './recorded'

const type = (text: string) => ({ type: 'line' as const, terminal: 'laptop', text })

function recording(stepwise: boolean): Recording {
  const made = new Maker()
  made.add('', 'note', { code: 'start', text: '' })
  for (const [at, text] of [[1000, 'one'], [2000, 'two']] as const) {
    made.at(at).add('', 'input', { text, input: type(text) })
    made.at(at + 500).add('laptop', 'output', { terminal: 'laptop', text })
  }
  const scenario = { id: 's', title: 'S', firewall: 'laptop', machines: [], links: [], terminals: [] }
  const hello = { key: '', scenario, lesson: null, position: { t: 0, step: 0 }, progress: { answers: {}, goals: { g: false }, step: 0 } }
  return { version: 1, hello, records: made.records, stepwise, goals: { g: 2500 }, layers: {}, grid: { states: [], segments: [], directions: [] } }
}

async function open(stepwise: boolean) {
  const heard: { batches: TraceBatch[]; refusals: string[]; goals: boolean[] } = { batches: [], refusals: [], goals: [] }
  const ears: Ears = {
    hello: () => undefined, connected: () => undefined, trace: (batch) => void heard.batches.push(batch),
    refused: ({ error }) => void heard.refusals.push(error), progressed: ({ goals }) => void heard.goals.push(goals['g'] ?? false),
  }
  const channel = recorded(recording(stepwise), ears)
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
  test('refuses what was not typed then, and changes nothing', async () => {
    const { heard, say } = await open(true)
    await say('input', { at: 0, input: [type('one'), type('three')] })
    await say('input', { at: 0, input: { type: 'link', link: 'a', up: false } })
    expect(heard.refusals).toHaveLength(2)
    expect(heard.batches).toHaveLength(1)
  })
  test('reaches the goal when its moment has come, once', async () => {
    const { heard, say } = await open(false)
    await say('position', { t: 2499, step: 0 })
    await say('position', { t: 2500, step: 0 })
    await say('position', { t: 2500, step: 0 })
    expect(heard.goals).toEqual([true])
  })
  test('answers with nothing what it does not know, whatever the page may learn to ask', async () => {
    const { channel } = await open(false)
    expect(await channel.dissect(0)).toBeNull()
    expect(await (channel as unknown as { newest(): Promise<unknown> }).newest()).toBeNull()
  })
})
