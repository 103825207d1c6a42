// An entry's two tuples: what NAT has put in the place of what. Pure.

import type { Entry } from './records'

/** Whether the reply is no longer the original turned round: NAT. For each end, what stands in its place. */
export interface Rewritten { what: 'SNAT' | 'DNAT'; from: string; to: string }
export function rewritten({ original, reply }: Entry): Rewritten[] {
  const say = (address: string, port: number | undefined): string => (port === undefined ? address : `${address}:${port}`)
  const found: Rewritten[] = []
  const [src, dst] = [say(original.src, original.sport), say(original.dst, original.dport)]
  const [back, out] = [say(reply.dst, reply.dport), say(reply.src, reply.sport)]
  if (original.type !== undefined) {
    if (original.src !== reply.dst) found.push({ what: 'SNAT', from: original.src, to: reply.dst })
    if (original.dst !== reply.src) found.push({ what: 'DNAT', from: original.dst, to: reply.src })
    return found
  }
  if (src !== back) found.push({ what: 'SNAT', from: src, to: back })
  if (dst !== out) found.push({ what: 'DNAT', from: dst, to: out })
  return found
}
