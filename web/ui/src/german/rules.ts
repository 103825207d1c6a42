// A rule's sentence (sim/ruleset/explain.py) in German: what is done first, then the conditions one by one, so that no case or gender hangs on
// another. A sentence with a part that these tables do not have stays English, whole. Pure.

/** What is proposed beside a mistake in a rule; what the tool itself complains stays the tool's. As reasons.ts. */
export const HINTS = `
did you mean {}?
= meinten Sie {}?
`

type Row = readonly [english: string, german: string]

/** `{}` is "packets" or "every packet" (or "them", behind "then"), $1… what the English has. In German {} is accusative, {d} dative. */
const DEEDS: readonly Row[] = [
  ['accept {}', '{} annehmen'], ['drop {}', '{} verwerfen'], ['count {}', '{} zählen'], ['log {}', '{} protokollieren'],
  ['reject {} with a TCP reset', '{} mit einem TCP-Reset ablehnen'], ['reject {} with an ICMP (\\S+) error', '{} mit einem ICMP-Fehler ($1) ablehnen'],
  ['send {} through chain (\\S+)', '{} durch die Kette $1 schicken'], ['let {} leave this chain', '{} aus dieser Kette entlassen'],
  ['send {} to this machine itself, port (\\d+)', '{} an diese Maschine selbst schicken, Port $1'], ['send {} to this machine itself', '{} an diese Maschine selbst schicken'], ['send {} to ([\\d.:a-f]+), port (\\d+)', '{} an $1 schicken, Port $2'],
  ['send {} to ([\\d.:a-f]+)', '{} an $1 schicken'], ['let {} come from ([\\d.:a-f]+)', '{} von $1 kommen lassen'],
  ['give {} the address of the device they leave by as their source', '{d} die Adresse des Geräts, über das sie hinausgehen, als Quelle geben'],
  ['keep {} out of connection tracking', '{} von der Verbindungsverfolgung ausnehmen'], ['set the packet mark of {} to (\\S+)', '{d} die Paketmarke $1 geben'],
  ['set the connection mark of {} to (\\S+)', '{d} die Verbindungsmarke $1 geben'], ['lower the MSS of {} to what the path takes', 'die MSS auf das senken, was der Weg trägt'],
  ['set the connection mark of {} to its packet mark', '{d} die Paketmarke auch als Verbindungsmarke geben'], ['set the packet mark of {} to its connection mark', '{d} die Verbindungsmarke auch als Paketmarke geben'],
  ['set the DSCP of {} to (\\S+)', '{d} den DSCP $1 geben'], ['set the TTL of {} to (\\S+)', '{d} die TTL $1 geben'],
  ['decide by (.+) what becomes of {}', 'nach $1 entscheiden, was geschieht'],
]
const PORTS = '(TCP|UDP|UDPLITE|SCTP|DCCP)'
const FLAGS = '([A-Z ]*[A-Z]|none)'
const CONDITIONS: readonly Row[] = [
  ['that came in on {}', 'herein über {}'], ['that did not come in on {}', 'nicht herein über {}'], ['that leave by {}', 'hinaus über {}'], ['that do not leave by {}', 'nicht hinaus über {}'],
  [`to any ${PORTS} port but {}`, 'an jeden $1-Port außer {}'], [`to ${PORTS} port {}`, 'an $1-Port {}'], [`from any ${PORTS} port but {}`, 'von jedem $1-Port außer {}'],
  [`from ${PORTS} port {}`, 'von $1-Port {}'], ['to port {}', 'an Port {}'], ['from port {}', 'von Port {}'], ['not from {}', 'nicht von {}'], ['not to {}', 'nicht an {}'],
  ['from {}', 'von {}'], ['to {}', 'an {}'], ['of any protocol but {}', 'jedes Protokoll außer {}'], ['of protocol {}', 'Protokoll {}'],
  ['of any (ICMP|ICMPv6) type but {}', 'jeder $1-Typ außer {}'], ['of (ICMP|ICMPv6) type {}', '$1-Typ {}'], ['with code {}', 'mit Code {}'], ['without label {}', 'ohne Label {}'], ['with label {}', 'mit Label {}'],
  ['without mark {}', 'ohne Marke {}'], ['with mark {}', 'mit Marke {}'], [`without TCP flags ${FLAGS} out of ${FLAGS}`, 'ohne TCP-Flags $1 aus $2'], [`with TCP flags ${FLAGS} out of ${FLAGS}`, 'mit TCP-Flags $1 aus $2'], ['without TCP flags {}', 'ohne TCP-Flags {}'], ['with TCP flags {}', 'mit TCP-Flags {}'],
  ['of connections with status {}', 'Verbindungen mit Status {}'], ['of connections without status {}', 'Verbindungen ohne Status {}'], ['of connections with mark {}', 'Verbindungen mit Marke {}'],
  ['of connections without mark {}', 'Verbindungen ohne Marke {}'], ['with a length of {}', 'mit einer Länge von {}'], ['with TTL {}', 'mit TTL {}'], ['with DSCP {}', 'mit DSCP {}'], ['not sent to {}', 'nicht gesendet an {}'], ['sent to {}', 'gesendet an {}'],
  ['whose (?:source|destination) is put on the list {}', 'wer es ist, kommt auf die Liste {}'],
  ['whose source was seen (\\d+) times in the last (\\d+) seconds \\(list {}\\)', 'die Quelle in den letzten $2 Sekunden $1-mal gesehen (Liste {})'], ['whose source was seen in the last (\\d+) seconds \\(list {}\\)', 'die Quelle in den letzten $1 Sekunden gesehen (Liste {})'],
  ['whose source is not {}', 'die Quelle ist nicht {}'], ['whose source is {}', 'die Quelle ist {}'], ['whose destination is not {}', 'das Ziel ist nicht {}'], ['whose destination is {}', 'das Ziel ist {}'],
  ['at no more than (\\d+) packets a second', 'höchstens $1 Pakete je Sekunde'], ['at no more than (\\d+) packets a minute', 'höchstens $1 Pakete je Minute'], ['at no more than (\\d+) packets an? hour', 'höchstens $1 Pakete je Stunde'],
  ['beyond (\\d+) packets a second', 'jenseits von $1 Paketen je Sekunde'], ['beyond (\\d+) packets a minute', 'jenseits von $1 Paketen je Minute'],
  ['when its source has more than {} connections', 'wenn die Quelle mehr als {} Verbindungen hat'], ['when its source network \\({}\\) has more than (\\d+) connections', 'wenn das Netz der Quelle ({}) mehr als $1 Verbindungen hat'], ['with an MSS of (\\d+) to (\\d+)', 'mit einer MSS von $1 bis $2'], ['that hold the text {}', 'mit dem Text {}'], ['while there are more than {} connections', 'bei mehr als {} Verbindungen'], ['by chance \\({} of all\\)', 'zufällig ({} von allen)'],
]
const NEXT = '(?= (?:not |from |to |that |of |with |without |whose |sent |at no |beyond |when |while |by )|$)'
const VALUES: readonly Row[] = [[' or ', ' oder '], [' out of ', ' aus '], [' under mask ', ' unter der Maske '], ['^local$', 'die Maschine selbst'], ['^broadcast$', 'ein Broadcast'], ['^multicast$', 'ein Multicast'], ['^none$', 'keine']]
const SUBJECT = '(every packet|packets(?: .+)?|them)'
const NAMES: { readonly [subject: string]: readonly [string, string] } = { 'every packet': ['jedes Paket', 'jedem Paket'], packets: ['Pakete', 'Paketen'], them: ['', 'ihnen'] }

interface Phrase { match: RegExp; german: string; own: number }
/** `own`: which of its groups stands for {}; 0: none. */
function phrase([english, german]: Row, group: string, behind: string): Phrase {
  const [before = ''] = english.split('{}')
  const own = english.includes('{}') ? (before.match(/(?<!\\)\((?!\?)/g)?.length ?? 0) + 1 : 0
  return { match: new RegExp(`^${english.replace('{}', group)}${behind}`), german, own }
}
const conditions = CONDITIONS.map((row) => phrase(row, '(.+?)', NEXT))
const deeds = DEEDS.map((row) => phrase(row, SUBJECT, '$'))

/** The first that fits: what it matched, its German with $1… filled in, and what stood for {}. */
function fit(phrases: readonly Phrase[], text: string): { whole: string; german: string; own: string } | null {
  for (const { match, german, own } of phrases) {
    const [whole, ...groups] = match.exec(text) ?? []
    if (whole === undefined) continue
    const others = groups.filter((_, i) => i !== own - 1)
    return { whole, german: german.replaceAll(/\$(\d)/g, (_, at: string) => others[Number(at) - 1] ?? ''), own: groups[own - 1] ?? '' }
  }
  return null
}

const valueOf = (text: string): string => VALUES.reduce((said, [english, german]) => said.replaceAll(new RegExp(english, 'g'), german), text)

/** The conditions behind "packets", in German; null where one is not known. */
function listed(text: string): string[] | null {
  const found: string[] = []
  for (let rest = text; rest; ) {
    const hit = fit(conditions, rest)
    if (!hit) return null
    found.push(hit.german.replace('{}', valueOf(hit.own)))
    rest = rest.slice(hit.whole.length).trimStart()
  }
  return found
}

/** The sentence in German, or as it is where something in it is not known here. */
export function ruleInGerman(sentence: string): string {
  const parts = (sentence[0]?.toLowerCase() + sentence.slice(1)).replace(/\.$/, '').split(', then ')
  const hits = parts.map((part) => fit(deeds, part))
  const [subject = '', ...rest] = (hits[0]?.own ?? '').split(/(?<=^packets) /)
  const such = listed(rest.join(' '))
  if (such === null || /UTC/.test(sentence)) return sentence
  const said: string[] = []
  for (const hit of hits) {
    const [accusative, dative] = NAMES[hit === hits[0] ? subject : 'them'] ?? []
    if (!hit || accusative === undefined || dative === undefined) return sentence
    said.push(hit.german.replace('{}', accusative).replace('{d}', dative).trim())
  }
  const done = said.join(', dann ')
  return `${done[0]?.toUpperCase()}${done.slice(1)}${such.length ? `: ${such.join(', ')}` : ''}.`
}
