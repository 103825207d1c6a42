import { expect, test } from 'vitest'
import { painted } from './paint'

const plain = (text: string): string => text.replace(/\x1b\[\d+m/g, '')
const line = (flags: string): string => `09:00:01.000005 IP 192.168.1.10.47144 > 192.168.1.20.80: Flags [${flags}], seq 1, win 64240, length 0`

test('tcpdump’s lines get colours by their flags, a reset weighs most, and the words stay the same', () => {
  const colour = (flags: string): string => /\x1b\[(\d+)mFlags/.exec(painted(line(flags)))?.[1] ?? ''
  expect(['S', 'S.', 'P.', '.', 'F.', 'R.', 'RS'].map(colour)).toEqual(['34', '34', '32', '32', '35', '31', '31'])
  expect(plain(painted(line('S.')))).toBe(line('S.'))
})

test('what is no line of tcpdump’s is left as it is', () => {
  const text = 'Flags [S] are drawn\nroot@server:~# tcpdump\n'
  expect(painted(text)).toBe(text)
})

test('a line in which the firewall gave a label is drawn in its colour, with its shape and word behind it', () => {
  const drawn = painted(line('S'), (time, rest) => (time.startsWith('09:00:01') && rest.includes('47144') ? 'INVALID' : null))
  expect(plain(drawn)).toBe(`${line('S')}  ▲ INVALID`)
  expect(drawn).toContain('\x1b[31mIP 192.168.1.10.47144')
})
