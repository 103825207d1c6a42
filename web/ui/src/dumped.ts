// Which packet a line of tcpdump is about, and so which label the firewall gave it. Pure. tcpdump knows nothing of labels: the page does.

import type { Index } from './index'
import type { TraceRecord } from './records'
import { countUpTo } from './warp'

const START = 9 * 3600 * 1_000_000 // µs: the scenario's time 0 is 09:00:00
const DAY = 86_400_000_000

/** µs of "09:00:01.000005" since the scenario's start, within a day. */
export function momentOf(time: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = time.trim().split(':').map(Number)
  return (Math.round(((hours * 60 + minutes) * 60 + seconds) * 1e6) - START + DAY) % DAY
}

/** Whether the packet that this record puts on a link bears the ends that the line names. */
function names(record: TraceRecord, line: string): boolean {
  if (record.kind !== 'sent') return false
  const { src, dst, sport, dport } = record.headers
  const end = (address: unknown, port: unknown): string => `${String(address)}${port === undefined || port === null ? '' : `.${String(port)}`}`
  return line.includes(` ${end(src, sport)} > ${end(dst, dport)}:`)
}

/** The label of the packet that a line with this `time` is about, as far as it was given within the first `n` records; null without one. */
export function labelOf(index: Index, records: readonly TraceRecord[], n: number, time: string, line: string): string | null {
  const last = records.at(-1)?.t ?? 0
  for (let t = momentOf(time); t <= last; t += DAY) {
    for (let at = countUpTo(records as TraceRecord[], t, (one) => one.t) - 1; at >= 0 && records[at]?.t === t; at--) {
      const record = records[at] as TraceRecord
      if (record.kind !== 'sent' && record.kind !== 'arrived') continue
      const trip = index.trip(record.packet)
      if (trip?.label && trip.label.n < n && trip.records.some((one) => names(one, line))) return trip.label.label
    }
  }
  return null
}
