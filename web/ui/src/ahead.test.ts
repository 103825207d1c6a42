import { expect, test } from 'vitest'
import { Ahead } from './ahead'

/** A lab that has so many stretches left; what is looked for comes with the `found`th. */
function lab(stretches: number, found: number) {
  const seen = { asked: 0, done: 0, otherwise: 0 }
  const ahead = new Ahead({ more: () => seen.asked < stretches, ask: () => void seen.asked++ })
  const look = (): boolean => seen.asked >= found && ++seen.done > 0
  return { seen, ahead, want: () => ahead.want(look, () => void seen.otherwise++) }
}
const answer = (ahead: Ahead): void => {
  ahead.answered()
  ahead.look()
}

test('what lies further ahead is asked for stretch by stretch, until it is found', () => {
  const { seen, ahead, want } = lab(5, 2)
  want()
  expect(seen).toEqual({ asked: 1, done: 0, otherwise: 0 })
  for (let n = 0; n < 4; n++) answer(ahead)
  expect(seen).toEqual({ asked: 2, done: 1, otherwise: 0 })
})

test('where nothing more comes it is said at once, and nobody searches for ever', () => {
  const none = lab(0, 1)
  none.want()
  expect(none.seen).toEqual({ asked: 0, done: 0, otherwise: 1 })
  const endless = lab(1000, 1000)
  endless.want()
  for (let n = 0; n < 50; n++) answer(endless.ahead)
  expect(endless.seen.asked).toBeLessThan(10)
})

test('one stretch is asked for once, and what was forgotten is not looked for', () => {
  const { seen, ahead, want } = lab(5, 2)
  want()
  want()
  ahead.ask()
  ahead.forget()
  answer(ahead)
  expect(seen).toEqual({ asked: 1, done: 0, otherwise: 0 })
})
