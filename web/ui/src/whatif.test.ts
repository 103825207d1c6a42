import { expect, test } from 'vitest'
import { inputOf, lineOf, type Form } from './whatif'

const form = (changes: Partial<Form>): Form => ({
  kind: 'rule', machine: 'router', link: 'lan', line: ' iptables -I FORWARD -j DROP ', key: 'net.ipv4.ip_forward', value: '0', helper: 'ftp', number: 12.5, behaviour: 'silent', power: 'reset', ...changes,
})

test('a form becomes the input that a person would have given', () => {
  expect(inputOf(form({}))).toEqual({ type: 'command', machine: 'router', text: 'iptables -I FORWARD -j DROP' })
  expect(inputOf(form({ kind: 'setting' }))).toEqual({ type: 'command', machine: 'router', text: 'sysctl -w net.ipv4.ip_forward=0' })
  expect(lineOf(form({ kind: 'helper', helper: 'sip' }))).toBe('iptables -t raw -I PREROUTING -p udp --dport 5060 -j CT --helper sip')
  expect(inputOf(form({ kind: 'delay' }))).toEqual({ type: 'link', link: 'lan', delay: 12_500 })
  expect(inputOf(form({ kind: 'loss' }))).toEqual({ type: 'link', link: 'lan', loss: 0.125 })
  expect(inputOf(form({ kind: 'power' }))).toEqual({ type: 'power', machine: 'router', power: 'reset' })
  expect(inputOf(form({ kind: 'cut' }))).toEqual({ type: 'link', link: 'lan', up: false })
})

test('a form in which something is missing is no input', () => {
  expect(inputOf(form({ line: '  ' }))).toBeNull()
  expect(inputOf(form({ kind: 'setting', value: '' }))).toBeNull()
})
