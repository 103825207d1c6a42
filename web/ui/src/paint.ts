// Colours for what tcpdump prints: a line in the colour of the label that the firewall gave the packet, with its shape and word behind it;
// where none is known a segment's flags, which say what it is for. What tcpdump said stays as it is; nothing else is touched. Pure.

import { look } from './labels'

const LINE = /^(\d\d:\d\d:\d\d\.\d{6} )(.*)$/gm
const FLAGS = /Flags \[([A-Z.]+|none)\]/
const PLAIN = '\x1b[39m'
const GREY = '\x1b[90m'

/** What each flag is drawn in, the weightiest first: a reset before a SYN, as conntrack weighs them. */
const TONES: readonly (readonly [string, string])[] = [['R', '\x1b[31m'], ['S', '\x1b[34m'], ['F', '\x1b[35m'], ['P', '\x1b[32m'], ['.', '\x1b[32m']]

function flags(found: string, given: string): string {
  const tone = TONES.find(([flag]) => given.includes(flag))?.[1]
  return tone ? `${tone}${found}${PLAIN}` : found
}

const LABELLED: { readonly [label: string]: string } = { NEW: '\x1b[34m', ESTABLISHED: '\x1b[32m', RELATED: '\x1b[35m', INVALID: '\x1b[31m', UNTRACKED: GREY }
/** The label of the packet that a line is about, null where it has none. */
export type Labels = (time: string, line: string) => string | null

/** The text with tcpdump's lines coloured by label; else the time grey, the flags by what they do, an ICMP error as what ends something. */
export function painted(text: string, labels: Labels = () => null): string {
  return text.replace(LINE, (_, time: string, rest: string) => {
    const label = labels(time, rest)
    const tone = label && LABELLED[label]
    if (tone) return `${GREY}${time}${PLAIN}${tone}${rest}  ${look(label).shape} ${label}${PLAIN}`
    const body = FLAGS.test(rest) ? rest.replace(FLAGS, flags) : rest.replace(/(ICMP6?,?.*unreachable.*)$/, `\x1b[31m$1${PLAIN}`)
    return `${GREY}${time}${PLAIN}${body}`
  })
}
