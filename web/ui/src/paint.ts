// Colours for what tcpdump prints: a segment's flags, which say what it is for. The words stay as they are; nothing else is touched. Pure.

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

/** The text with tcpdump's lines coloured: the time grey, the flags by what they do, an ICMP error as what ends something. */
export function painted(text: string): string {
  return text.replace(LINE, (_, time: string, rest: string) => {
    const body = FLAGS.test(rest) ? rest.replace(FLAGS, flags) : rest.replace(/(ICMP6?,?.*unreachable.*)$/, `\x1b[31m$1${PLAIN}`)
    return `${GREY}${time}${PLAIN}${body}`
  })
}
