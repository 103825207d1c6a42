// Numbers, times and entries as text. Pure; the words of the page are in text.ts, these are the tools' own forms.

import type { Entry } from './records'
import { text } from './text'

/** Simulated seconds with milliseconds: 9.841. */
export function seconds(t: number): string {
  return (t / 1_000_000).toFixed(3)
}

/** A length of time for a person: 0.4 s, 8 s, 4:59, 23:05:10, 4 d 23:59:59. `span` in µs. */
export function duration(span: number): string {
  const whole = Math.max(0, span) / 1_000_000
  if (whole < 10) return `${Number(whole.toFixed(1))} s`
  if (whole < 60) return `${Math.floor(whole)} s`
  const [days, hours, minutes, rest] = [
    Math.floor(whole / 86_400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, Math.floor(whole) % 60,
  ]
  const two = (value: number): string => String(value).padStart(2, '0')
  if (days) return `${days} d ${two(hours)}:${two(minutes)}:${two(rest)}`
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

/** A round length of time: 300 s, 5 days, 30 s. */
export function round(span: number): string {
  const whole = Math.round(span / 1_000_000)
  if (whole >= 86_400 && whole % 86_400 === 0) return text.time.days(whole / 86_400)
  return `${whole} s`
}

/** One end of an entry's direction: 192.168.1.10:51514; ICMP has no ports. IPv6 in brackets. */
export function endpoint(address: string, port: number | undefined): string {
  if (port === undefined) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** The line that `conntrack -L` prints for the entry at time `now`: the engine's own, with the seconds that are left by then. */
export function conntrackLine(entry: Entry, now: number): string {
  const left = Math.max(0, Math.floor((entry.expires - now) / 1_000_000))
  return entry.line.replace(/^(\S+ +\d+ )\d+/, `$1${left}`)
}

/** Words cut to so many characters, with an ellipsis. */
export const cut = (words: string, room: number): string => (words.length > room ? `${words.slice(0, Math.max(1, room - 1))}…` : words)
