import type { Socket } from 'socket.io-client'
import { expect, test } from 'vitest'
import { Channel, type Ears } from './channel'

/** A socket that is connected, and heard, when the test says so, and what was said over it. */
class Line {
  readonly said: [string, unknown][] = []
  readonly #hear = new Map<string, (message?: unknown) => void>()
  on(event: string, hear: (message?: unknown) => void): void {
    this.#hear.set(event, hear)
  }
  emit(event: string, data: unknown): void {
    this.said.push([event, data])
  }
  connect(yes: boolean): void {
    this.#hear.get(yes ? 'connect' : 'disconnect')?.()
  }
  hello(): void {
    this.#hear.get('hello')?.({})
  }
}

function open() {
  const line = new Line()
  const refused: string[] = []
  const ears: Ears = {
    hello: () => undefined, trace: () => undefined, progressed: () => undefined, connected: () => undefined,
    refused: ({ event }) => void refused.push(event),
  }
  return { line, refused, channel: new Channel('k', ears, line as unknown as Socket) }
}

test('answers and the last position of somebody cut off are said once the lab has been joined again; what would be done is refused', async () => {
  const { line, refused, channel } = open()
  line.connect(true)
  line.hello()
  line.connect(false)
  channel.say('position', { t: 1, step: 0 })
  channel.say('answer', { prediction: 'a', choice: 1 })
  channel.say('answer', { prediction: 'b', choice: 0 })
  channel.say('position', { t: 2, step: 1 })
  channel.say('restart', {})
  expect(await channel.judge()).toBeNull()
  expect(refused).toEqual(['restart'])
  line.connect(true)
  expect(line.said).toHaveLength(2)
  line.hello()
  expect(line.said.map(([event]) => event)).toEqual(['join', 'join', 'position', 'answer', 'answer'])
  expect(line.said[2]).toEqual(['position', { t: 2, step: 1 }])
  channel.say('restart', {})
  line.connect(true)
  expect(line.said.slice(5).map(([event]) => event)).toEqual(['restart', 'join'])
})
