// What if: one change, filled in by a form, as an input of the simulation. Pure. The commands are those that a person would type.

import type { Input } from './records'

export const KINDS = ['rule', 'setting', 'helper', 'delay', 'loss', 'cut', 'host', 'power', 'command'] as const
export type ChangeKind = (typeof KINDS)[number]
export const POWER = ['reset', 'off', 'on'] as const
export const BEHAVIOURS = ['silent', 'refuses', 'noPing', 'keepalive', 'impatient'] as const
export type Behaviour = (typeof BEHAVIOURS)[number]

/** What the form holds. `number` is ms for a delay, % for a loss, seconds or tries for a host's behaviour. */
export interface Form {
  kind: ChangeKind; machine: string; link: string; line: string; key: string; value: string; helper: string; number: number; behaviour: Behaviour; power: (typeof POWER)[number]
}

/** Where each helper listens: the protocol and port that it is known by (the modules' own defaults). */
export const HELPERS: { readonly [name: string]: readonly [string, number] } = {
  ftp: ['tcp', 21], tftp: ['udp', 69], irc: ['tcp', 6667], sip: ['udp', 5060], pptp: ['tcp', 1723], amanda: ['udp', 10080], sane: ['tcp', 6566],
  'netbios-ns': ['udp', 137], snmp: ['udp', 161],
}

/** Settings worth trying first. */
export const SETTINGS = [
  'net.netfilter.nf_conntrack_tcp_timeout_established', 'net.netfilter.nf_conntrack_udp_timeout', 'net.netfilter.nf_conntrack_udp_timeout_stream',
  'net.netfilter.nf_conntrack_icmp_timeout', 'net.netfilter.nf_conntrack_tcp_timeout_time_wait', 'net.netfilter.nf_conntrack_tcp_loose',
  'net.netfilter.nf_conntrack_tcp_be_liberal', 'net.netfilter.nf_conntrack_max', 'net.netfilter.nf_conntrack_checksum',
  'net.netfilter.nf_conntrack_log_invalid', 'net.ipv4.ip_forward',
] as const

const BEHAVE: { readonly [name in Behaviour]: (number: number) => string } = {
  silent: () => 'iptables -I INPUT -j DROP; iptables -I OUTPUT -j DROP',
  refuses: () => 'iptables -I INPUT -p tcp --syn -j REJECT --reject-with tcp-reset',
  noPing: () => 'sysctl -w net.ipv4.icmp_echo_ignore_all=1',
  keepalive: (number) => `sysctl -w net.ipv4.tcp_keepalive_time=${number}`,
  impatient: (number) => `sysctl -w net.ipv4.tcp_retries2=${number}`,
}
export const NUMBERED: ReadonlySet<Behaviour> = new Set(['keepalive', 'impatient'])

/** The line that the form stands for, "" where it is no command. */
export function lineOf(form: Form): string {
  const [protocol, port] = HELPERS[form.helper] ?? ['tcp', 21]
  switch (form.kind) {
    case 'rule': case 'command': return form.line.trim()
    case 'setting': return form.key.trim() && form.value.trim() ? `sysctl -w ${form.key.trim()}=${form.value.trim()}` : ''
    case 'helper': return `iptables -t raw -I PREROUTING -p ${protocol} --dport ${port} -j CT --helper ${form.helper}`
    case 'host': return BEHAVE[form.behaviour](form.number)
    default: return ''
  }
}

/** The input that the form stands for; null while something is missing. */
export function inputOf(form: Form): Input | null {
  const { link, number } = form
  switch (form.kind) {
    case 'delay': return { type: 'link', link, delay: Math.round(number * 1000) }
    case 'loss': return { type: 'link', link, loss: Math.round(number * 100) / 10_000 }
    case 'cut': return { type: 'link', link, up: false }
    case 'power': return { type: 'power', machine: form.machine, power: form.power }
    default: {
      const line = lineOf(form)
      return line ? { type: 'command', machine: form.machine, text: line } : null
    }
  }
}
