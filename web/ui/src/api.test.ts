import { afterEach, expect, test, vi } from 'vitest'
import { begin, course } from './api'

function serverAnswers(body: string, status: number): void {
  vi.stubGlobal('fetch', vi.fn(async () => new Response(body, { status })))
}

afterEach(() => vi.unstubAllGlobals())

test('a new session is asked for with what was chosen, and its key comes back', async () => {
  serverAnswers('{"key": "k3y"}', 200)
  expect(await begin({ lesson: '01-four-labels' })).toBe('k3y')
  expect(fetch).toHaveBeenCalledWith('/api/sessions', expect.objectContaining({ method: 'POST', body: '{"lesson":"01-four-labels"}' }))
})

test('a refusal fails with the sentence that the server gave', async () => {
  serverAnswers('{"error": "There is no lesson 99."}', 404)
  await expect(begin({ lesson: '99' })).rejects.toThrow('There is no lesson 99.')
})

test('an answer that is not JSON fails with its status', async () => {
  serverAnswers('<h1>Bad gateway</h1>', 502)
  await expect(course()).rejects.toThrow('The lab answered 502 to /api/course.')
})
