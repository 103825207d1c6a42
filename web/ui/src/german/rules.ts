// A rule's sentence (sim/ruleset/explain.py) in German: what is done first, then the conditions one by one, so that no case or gender hangs on
// another. A sentence with a part that these tables do not have stays English, whole. Pure.

/** What is proposed beside a mistake in a rule, and why a rule has no counterpart; what the tool itself complains stays the tool's. As
 * reasons.ts. */
export const HINTS = `
did you mean {}?
= meinten Sie {}?
nft has no words for this
= nft hat dafür keine Worte
iptables has no words for this
= iptables hat dafür keine Worte
nft takes no chain called {}
= nft nimmt keine Kette namens {}
iptables' table {} has one chain {}, and {} has it
= die Tabelle {} von iptables hat nur eine Kette {}, und {} hat sie schon
iptables cannot have a chain called {} here
= iptables kann hier keine Kette namens {} haben
no chain that has a counterpart leads to {}
= keine Kette mit Gegenstück führt zu {}
the chain {} has no counterpart
= die Kette {} hat kein Gegenstück
none of iptables' tables has a {} chain at {} with priority {}
= keine Tabelle von iptables hat eine {}-Kette an {} mit Priorität {}
`

type Row = readonly [english: string, german: string]

/** `{}` is "packets" or "every packet" (or "them", behind "then"), $1… what the English has. In German {} is accusative, {d} dative. */
const DEEDS: readonly Row[] = [
  ...([['packet', 'Paketmarke'], ['connection', 'Verbindungsmarke'], ['xt', 'Priorität']] as const).flatMap(([whose, noun]): Row[] => {
    const set = `set the ${whose} ${whose === 'xt' ? 'priority' : 'mark'} of {} to`
    return [
      [`${set} (0x\\S+) in the bits (0x\\S+), the others as they are`, `bei {d} die Bits $2 der ${noun} auf $1 setzen`], [`${set} what it is xor (0x\\S+)`, `bei {d} die ${noun} mit $1 XOR-verknüpfen`],
      [`${set} the next number from (\\d+) to (\\d+) in turn`, `{d} reihum die nächste Zahl von $1 bis $2 als ${noun} geben`], [`${set} a random number from (\\d+) to (\\d+)`, `{d} eine zufällige Zahl von $1 bis $2 als ${noun} geben`],
      [`${set} a number from (\\d+) to (\\d+) made of its connection`, `{d} eine Zahl von $1 bis $2, errechnet aus der Verbindung, als ${noun} geben`],
      [`${set} a number from (\\d+) to (\\d+) made of its (.+)`, `{d} eine Zahl von $1 bis $2, errechnet aus $3, als ${noun} geben`],
      [`${set} its packet mark with the bits (0x\\S+) set`, `{d} die Paketmarke mit den Bits $1 dazu als ${noun} geben`], [`${set} what the map (\\S+) gives`, `{d} als ${noun} geben, was die Map $1 sagt`],
    ]
  }),
  ['set the xt priority of {} to (\\S+)', '{d} die Priorität $1 geben'], ['give {} the traffic class (\\S+)', '{d} die Verkehrsklasse $1 geben'], ['set the TOS of {} to (\\S+) \\(bits (\\S+)\\)', 'bei {d} den TOS auf $1 setzen (Bits $2)'],
  ["give {} the connection's mark \\(bits (\\S+)\\)", '{d} die Marke der Verbindung geben (Bits $1)'], ['save the mark of {} in the connection \\(bits (\\S+)\\)', 'bei {d} die Marke in der Verbindung merken (Bits $1)'],
  ['have the helper object (\\S+) read the new connections of {}', 'neue Verbindungen von {d} vom Helfer-Objekt $1 lesen lassen'], ['have the helper (\\S+) read the new connections of {} in zone (\\d+)', 'neue Verbindungen von {d} vom Helfer $1 lesen lassen, in der Zone $2'],
  ['have the helper (\\S+) read the new connections of {}', 'neue Verbindungen von {d} vom Helfer $1 lesen lassen'], ['send {} to chain (\\S+), without coming back here', '{} in die Kette $1 schicken, ohne Rückkehr hierher'], ['track {} in zone (\\d+)', '{} in der Zone $1 verfolgen'],
  ['hand {} to the (counter|quota|limit) (\\S+)', '{} an $1 $2 geben'], ['hand {} to queue (\\d+), where no program listens', '{} an die Warteschlange $1 geben, wo kein Programm zuhört'],
  ['hand {} to queues (\\d+) to (\\d+), where no program listens', '{} an die Warteschlangen $1 bis $2 geben, wo kein Programm zuhört'], ['hand {} to a queue where no program listens', '{} an eine Warteschlange geben, wo kein Programm zuhört'],
  ['send {} to log group (\\d+)', '{} an die Protokollgruppe $1 schicken'], ['leave {} as they are \\(every packet here has its checksum already\\)', '{} lassen, wie sie sind (jedes Paket hier hat seine Prüfsumme schon)'],
  ['count {} by (.+) \\(meter (\\S+)\\)', '{} nach $1 zählen (Meter $2)'], ['put (.+) of {} into the set (\\S+) or renew it there', 'von {d} $a1 in die Menge $2 aufnehmen oder dort erneuern'],
  ['put (.+) of {} into the set (\\S+)', 'von {d} $a1 in die Menge $2 aufnehmen'], ['take (.+) of {} out of the set (\\S+)', 'von {d} $a1 aus der Menge $2 nehmen'], ['put {} into the set (\\S+)', '{} in die Menge $1 aufnehmen'], ['take {} out of the set (\\S+)', '{} aus der Menge $1 nehmen'],
  ['look for a transparent socket at (.+) for {}, find none', 'für {} einen transparenten Socket bei $1 suchen und keinen finden'], ['look for a transparent socket for {}, find none', 'für {} einen transparenten Socket suchen und keinen finden'],
  ['trace {} through all rules', '{} durch alle Regeln verfolgen'], ['send a copy of {} to another machine', 'von {d} eine Kopie an eine andere Maschine schicken'], ['lower the MSS of {} to (\\d+)', 'bei {d} die MSS auf $1 senken'], ['clear the ECN flags of {}', 'bei {d} die ECN-Flags löschen'],
  ['give {} the address of the device they leave by as their source, ports (\\d+) to (\\d+)', '{d} die Adresse des Geräts, über das sie hinausgehen, als Quelle geben, Ports $1 bis $2'],
  ['send {} to the address that the map has for (.+)', '{} an die Adresse schicken, die die Map für $a1 hat'], ['let {} come from the address that the map has for (.+)', '{} von der Adresse kommen lassen, die die Map für $a1 hat'],
  ['send {} to ([\\d.:a-f]+), ports (\\d+) to (\\d+)', '{} an $1 schicken, Ports $2 bis $3'], ['send {} to one of (\\S+) to (\\S+)', '{} an eine der Adressen $1 bis $2 schicken'], ['let {} come from one of (\\S+) to (\\S+)', '{} von einer der Adressen $1 bis $2 kommen lassen'],
  ['move the addresses of {} into the network (\\S+), host by host', 'die Adressen von {d} in das Netz $1 verlegen, Rechner für Rechner'], ['set the TTL of {} (?:up by) (\\d+)', 'bei {d} die TTL um $1 erhöhen'], ['set the TTL of {} (?:down by) (\\d+)', 'bei {d} die TTL um $1 senken'],
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
const FIELD = '((?:ip6?|icmp|icmpv6|fib|meta|ct|tcp|udp|th|ether|vlan|rt|frag|osf) .+?)'
const CLOCK = '(\\d\\d:\\d\\d:\\d\\d)'
const CARRIED = [['packets', 'Paketen'], ['bytes a packet', 'Byte je Paket'], ['bytes', 'Byte']] as const
const SIDES = [['original', 'ursprüngliche'], ['reply', 'Antwort-']] as const
const UNITS = [['second', 'Sekunde'], ['minute', 'Minute'], ['hour', 'Stunde'], ['day', 'Tag'], ['week', 'Woche']] as const
const ENDS = [['source port', 'r Quellport'], ['destination port', 'r Zielport'], ['source', ' Quelle'], ['destination', 's Ziel'], ['protocol', 's Protokoll']] as const
const CONDITIONS: readonly Row[] = [
  [`from ${CLOCK} to ${CLOCK} UTC, the night counted to the day before,?`, 'von $1 bis $2 UTC, die Nacht zum Vortag gezählt'], [`from ${CLOCK} to ${CLOCK} UTC,?`, 'von $1 bis $2 UTC'],
  ['on days (.+?) of the month,?', 'an den Tagen $1 des Monats'], ['on {},?', 'am {}'], ['from (\\d{4}-\\S+ \\S+) on,?', 'ab $1'], ['until (\\d{4}-\\S+ \\S+)', 'bis $1'], ['at any time', 'jederzeit'],
  ...CARRIED.flatMap(([english, german]): Row[] => ([['both directions', 'beiden Richtungen'], ['the original direction', 'ursprünglicher Richtung'], ['the reply direction', 'Antwortrichtung']] as const).flatMap(([way, weg]): Row[] => [
    [`of connections that carried (\\d+) ${english} or more in ${way}`, `Verbindungen mit $1 ${german} oder mehr in ${weg}`], [`of connections that carried (\\d+) to (\\d+) ${english} in ${way}`, `Verbindungen mit $1 bis $2 ${german} in ${weg}`],
  ])),
  ...SIDES.flatMap(([side, seite]) => ENDS.flatMap(([end, ende]): Row[] => {
    const [article = '', noun = ''] = [ende.slice(0, 2).trim(), ende.slice(1).trim()]
    const named = seite === 'Antwort-' ? `Antwort-${noun}` : `${seite}${article} ${noun}`
    return [[`of connections whose ${side} ${end} is not {}`, `Verbindungen, ${named} ist nicht {}`], [`of connections whose ${side} ${end} is {}`, `Verbindungen, ${named} ist {}`]]
  })),
  ['of connections that did not carry {} bytes', 'Verbindungen nicht mit {} Byte'], ['of connections that did not carry {} packets', 'Verbindungen nicht mit {} Paketen'], ['of connections that carried {} bytes', 'Verbindungen mit {} Byte'], ['of connections that carried {} packets', 'Verbindungen mit {} Paketen'],
  ['of connections with {} (s|ms) left', 'Verbindungen mit {} $1 Restzeit'], ['of connections without {} (s|ms) left', 'Verbindungen nicht mit {} $1 Restzeit'],
  ['of connections whose labels are not just {}', 'Verbindungen nicht nur mit Etikett {}'], ['of connections with label {}', 'Verbindungen mit Etikett {}'], ['of connections without label {}', 'Verbindungen ohne Etikett {}'],
  ['of connections that any helper but {} expected', 'Verbindungen, die ein anderer Helfer als {} erwartet hat'], ['of connections that helper {} expected', 'Verbindungen, die der Helfer {} erwartet hat'],
  ['of a socket of any class but {}', 'ein Socket jeder Klasse außer {}'], ['of a socket of class {}', 'ein Socket der Klasse {}'], ['of any connection but {}', 'jede Verbindung außer {}'], ['of (\\S+) connections', 'Verbindungen über $1'], ['of (\\S+) or (\\S+) connections', 'Verbindungen über $1 oder $2'],
  ['not of (IPv4|IPv6|tcp)', 'nicht $1'], ['of (IPv4|IPv6|tcp)', '$1'], ['of any IP version but {}', 'jede IP-Version außer {}'], ['of IP version {}', 'IP-Version {}'], ['in any direction but {}', 'jede Richtung außer {}'], ['in {} direction', 'Richtung {}'],
  ['sent by anyone but (?:user) {}', 'nicht vom Benutzer {} gesendet'], ['sent by anyone but (?:group) {}', 'nicht von der Gruppe {} gesendet'], ['sent by user {}', 'vom Benutzer {} gesendet'], ['sent by group {}', 'von der Gruppe {} gesendet'],
  ['that no socket of this machine sends', 'von keinem Socket dieser Maschine gesendet'], ['that a socket of this machine sends', 'von einem Socket dieser Maschine gesendet'], ['for which a transparent socket is here', 'hier ist ein transparenter Socket dafür'], ['for which a socket is here', 'hier ist ein Socket dafür'],
  ['that go to any but {} next', 'der nächste Schritt ist nicht {}'], ['that go to {} next', 'der nächste Schritt ist {}'], ['that are not in the set (\\S+) \\(by (.+?)\\)', 'nicht in der Menge $1 (nach $2)'], ['that are in the set (\\S+) \\(by (.+?)\\)', 'in der Menge $1 (nach $2)'],
  ['with any (TOS|DSCP|TTL|MSS) but {}', 'jeder andere Wert von $1 als {}'], ['with any code but {}', 'mit jedem Code außer {}'], ['with any hop limit but {}', 'mit jedem Hop-Limit außer {}'], ['with any length but {}', 'mit jeder Länge außer {}'], ['with hop limit {}', 'mit Hop-Limit {}'], ['with TOS {}', 'mit TOS {}'],
  ["whose socket's transparency is not {}", 'Transparenz des Sockets ist nicht {}'], ["whose socket's transparency is {}", 'Transparenz des Sockets ist {}'], ['whose socket listens on every address: not {}', 'der Socket lauscht an jeder Adresse: nicht {}'], ['whose socket listens on every address: {}', 'der Socket lauscht an jeder Adresse: {}'],
  ['whose hardware (?:source) address is not {}', 'die Hardware-Adresse der Quelle ist nicht {}'], ['whose hardware (?:source) address is {}', 'die Hardware-Adresse der Quelle ist {}'], ['whose hardware (?:destination) address is not {}', 'die Hardware-Adresse des Ziels ist nicht {}'], ['whose hardware (?:destination) address is {}', 'die Hardware-Adresse des Ziels ist {}'],
  ['whose answer would not go back the same way', 'die Antwort ginge nicht auf demselben Weg zurück'], ['whose answer would go back the same way', 'die Antwort ginge auf demselben Weg zurück'], ['one of every (\\d+)', 'eines von je $1'], ['all but one of every (\\d+)', 'alle bis auf eines von je $1'],
  ['within a quota of (\\d+) bytes', 'innerhalb eines Kontingents von $1 Byte'], ['after a quota of (\\d+) bytes', 'nach einem Kontingent von $1 Byte'],
  ...UNITS.flatMap(([unit, einheit]): Row[] => ([['source', 'Quelle'], ['destination', 'Ziel']] as const).flatMap(([each, je]): Row[] => [
    [`at no more than 1 packet an? ${unit} for each ${each}`, `höchstens 1 Paket je ${einheit} und ${je}`], [`beyond 1 packet an? ${unit} for each ${each}`, `jenseits von 1 Paket je ${einheit} und ${je}`],
    [`at no more than ([\\d.e+-]+) packets an? ${unit} for each ${each}`, `höchstens $1 Pakete je ${einheit} und ${je}`], [`beyond ([\\d.e+-]+) packets an? ${unit} for each ${each}`, `jenseits von $1 Paketen je ${einheit} und ${je}`],
  ])),
  ['whose source, on the device they came in on, is not {}', 'die Quelle ist am Gerät, über das sie hereinkamen, nicht {}'], ['whose source, on the device they came in on, is {}', 'die Quelle ist am Gerät, über das sie hereinkamen, {}'],
  ['whose destination, on the device they came in on, is not {}', 'das Ziel ist am Gerät, über das sie hereinkamen, nicht {}'], ['whose destination, on the device they came in on, is {}', 'das Ziel ist am Gerät, über das sie hereinkamen, {}'],
  ['to whose source there is no route', 'keine Route zur Quelle'], ['to whose source there is a route', 'es gibt eine Route zur Quelle'], ['to whose destination there is no route', 'keine Route zum Ziel'], ['to whose destination there is a route', 'es gibt eine Route zum Ziel'],
  [`to a ${PORTS} port in {}`, 'an einen $1-Port in {}'], [`from a ${PORTS} port in {}`, 'von einem $1-Port in {}'], ['of a protocol in {}', 'ein Protokoll in {}'],
  ['that came in on {}', 'herein über {}'], ['that did not come in on {}', 'nicht herein über {}'], ['that leave by {}', 'hinaus über {}'], ['that do not leave by {}', 'nicht hinaus über {}'],
  [`to any ${PORTS} port but {}`, 'an jeden $1-Port außer {}'], [`to ${PORTS} port {}`, 'an $1-Port {}'], [`from any ${PORTS} port but {}`, 'von jedem $1-Port außer {}'],
  [`from ${PORTS} port {}`, 'von $1-Port {}'], ['to port {}', 'an Port {}'], ['from port {}', 'von Port {}'], ['not from {}', 'nicht von {}'], ['not to {}', 'nicht an {}'],
  ['from {}', 'von {}'], ['to {}', 'an {}'], ['of any protocol but {}', 'jedes Protokoll außer {}'], ['of protocol {}', 'Protokoll {}'],
  ['of any (ICMP|ICMPv6) type but {}', 'jeder $1-Typ außer {}'], ['of (ICMP|ICMPv6) type {}', '$1-Typ {}'], ['with code {}', 'mit Code {}'], ['without label {}', 'ohne Label {}'], ['with label {}', 'mit Label {}'],
  ['with any mark but {}', 'mit jeder Marke außer {}'], ['with none of the TCP flags {}', 'mit keinem der TCP-Flags {}'], ['with any of the TCP flags {}', 'mit einem der TCP-Flags {}'], ['with mark {}', 'mit Marke {}'], [`without TCP flags ${FLAGS} out of ${FLAGS}`, 'ohne TCP-Flags $1 aus $2'], [`with TCP flags ${FLAGS} out of ${FLAGS}`, 'mit TCP-Flags $1 aus $2'], ['without TCP flags {}', 'ohne TCP-Flags {}'], ['with TCP flags {}', 'mit TCP-Flags {}'],
  ['of connections with status {}', 'Verbindungen mit Status {}'], ['of connections without status {}', 'Verbindungen ohne Status {}'], ['of connections with mark {}', 'Verbindungen mit Marke {}'],
  ['of connections with any mark but {}', 'Verbindungen mit jeder Marke außer {}'], ['with a length of {}', 'mit einer Länge von {}'], ['with TTL {}', 'mit TTL {}'], ['with DSCP {}', 'mit DSCP {}'], ['not sent to {}', 'nicht gesendet an {}'], ['sent to {}', 'gesendet an {}'],
  ['whose (?:source|destination) is put on the list {}', 'wer es ist, kommt auf die Liste {}'],
  ['whose source was seen (\\d+) times in the last (\\d+) seconds \\(list {}\\)', 'die Quelle in den letzten $2 Sekunden $1-mal gesehen (Liste {})'], ['whose source was seen in the last (\\d+) seconds \\(list {}\\)', 'die Quelle in den letzten $1 Sekunden gesehen (Liste {})'],
  ['whose source is not {}', 'die Quelle ist nicht {}'], ['whose source is {}', 'die Quelle ist {}'], ['whose destination is not {}', 'das Ziel ist nicht {}'], ['whose destination is {}', 'das Ziel ist {}'],
  ...UNITS.flatMap(([unit, einheit]): Row[] => [
    [`at no more than 1 packet an? ${unit}`, `höchstens 1 Paket je ${einheit}`], [`at no more than (\\d+) packets an? ${unit}`, `höchstens $1 Pakete je ${einheit}`], [`at no more than (\\d+) bytes? an? ${unit}`, `höchstens $1 Byte je ${einheit}`],
    [`beyond 1 packet an? ${unit}`, `jenseits von 1 Paket je ${einheit}`], [`beyond (\\d+) packets an? ${unit}`, `jenseits von $1 Paketen je ${einheit}`], [`beyond (\\d+) bytes? an? ${unit}`, `jenseits von $1 Byte je ${einheit}`],
  ]),
  ...([['source', 'die Quelle', 'der Quelle'], ['destination', 'das Ziel', 'des Ziels']] as const).flatMap(([end, ende, des]): Row[] => ([['more than', 'mehr als'], ['at most', 'höchstens']] as const).flatMap(([amount, menge]): Row[] => [
    [`whose ${end} has ${amount} {} connections`, `${ende} hat ${menge} {} Verbindungen`], [`whose ${end} network \\({}\\) has ${amount} (\\d+) connections`, `das Netz ${des} ({}) hat ${menge} $1 Verbindungen`],
  ])), ['with an MSS of (\\d+) to (\\d+)', 'mit einer MSS von $1 bis $2'], ['that hold the text {}', 'mit dem Text {}'], ['while there are more than {} connections', 'bei mehr als {} Verbindungen'], ['drawn by chance \\({} % of all\\)', 'zufällig gezogen ({} % von allen)'],
  // A field that no sentence is made for, by nft's name.
  [`whose ${FIELD} is not {}`, '$1 ist nicht {}'], [`whose ${FIELD} is {}`, '$1 ist {}'],
]
const NEXT = '(?= (?:and (?:that|with any|whose) |drawn by |not |from |to |that |of |with |without |whose |sent |at no |beyond |when |while |by |for which |one of every |all but one |within a |after a |until \\d|at any time|in (?:any|original|reply) |on (?:days |no day|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day))|$)'
const VALUES: readonly Row[] = [[' or ', ' oder '], [' out of ', ' aus '], [' under mask ', ' unter der Maske '], ['^local$', 'die Maschine selbst'], ['^broadcast$', 'ein Broadcast'], ['^multicast$', 'ein Multicast'], ['^none$', 'keine'], ['^an address in ', 'einer Adresse in '], ['^a device in ', 'ein Gerät in '], ['^above ', 'über '], ['^below ', 'unter '],
  ['Monday', 'Montag'], ['Tuesday', 'Dienstag'], ['Wednesday', 'Mittwoch'], ['Thursday', 'Donnerstag'], ['Friday', 'Freitag'], ['Saturday', 'Samstag'], ['Sunday', 'Sonntag']]
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

/** A field by which a rule decides, counts or remembers: bare, or in the accusative with its article. */
const NOUNS: { readonly [english: string]: readonly [string, string] } = {
  'device they came in on': ['Gerät, über das sie hereinkamen,', 'das'], 'device they leave by': ['Gerät, über das sie hinausgehen,', 'das'], 'source address': ['Quelladresse', 'die'], 'destination address': ['Zieladresse', 'die'],
  label: ['Label', 'das'], 'connection mark': ['Verbindungsmarke', 'die'], 'packet mark': ['Paketmarke', 'die'], protocol: ['Protokoll', 'das'], 'destination port': ['Zielport', 'den'], 'source port': ['Quellport', 'den'],
  'ICMP type': ['ICMP-Typ', 'den'], 'ICMPv6 type': ['ICMPv6-Typ', 'den'], 'a random number': ['Zufallszahl', 'eine'], 'a number that goes round': ['reihum laufender Zahl', 'eine'],
}
function nounOf(text: string, article: boolean): string {
  if (!/^(?:the |a random number|a number that)/.test(text)) return text
  const parts = text.replace(/^the /, '').split(/, | and /).map((part) => {
    const [, protocol = '', rest = part] = /^([A-Z]+) ((?:source|destination) port)$/.exec(part) ?? []
    const [noun, the] = NOUNS[rest] ?? [part, '']
    return `${article && the ? `${the} ` : ''}${protocol && `${protocol}-`}${noun}`
  })
  return [parts.slice(0, -1).join(', '), parts.at(-1)].filter(Boolean).join(' und ')
}

/** The first that fits: what it matched, its German with $1… filled in, and what stood for {}. */
function fit(phrases: readonly Phrase[], text: string): { whole: string; german: string; own: string } | null {
  for (const { match, german, own } of phrases) {
    const [whole, ...groups] = match.exec(text) ?? []
    if (whole === undefined) continue
    const others = groups.filter((_, i) => i !== own - 1)
    return { whole, german: german.replaceAll(/\$(a?)(\d)/g, (_, article: string, at: string) => nounOf(others[Number(at) - 1] ?? '', article !== '')), own: groups[own - 1] ?? '' }
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
    rest = rest.slice(hit.whole.length).trimStart().replace(/^and /, '')
  }
  return found
}

/** The sentence in German, or as it is where something in it is not known here. */
export function ruleInGerman(sentence: string): string {
  const parts = (sentence[0]?.toLowerCase() + sentence.slice(1)).replace(/\.$/, '').split(', then ')
  const hits = parts.map((part) => fit(deeds, part))
  const [subject = '', ...rest] = (hits[0]?.own ?? '').split(/(?<=^packets) /)
  const such = listed(rest.join(' '))
  if (such === null) return sentence
  const said: string[] = []
  for (const hit of hits) {
    const [accusative, dative] = NAMES[hit === hits[0] ? subject : 'them'] ?? []
    if (!hit || accusative === undefined || dative === undefined) return sentence
    said.push(hit.german.replace('{}', accusative).replace('{d}', dative === 'ihnen' && subject === 'every packet' ? 'ihm' : dative).trim())
  }
  const done = said.join(', dann ')
  return `${done[0]?.toUpperCase()}${done.slice(1)}${such.length ? `: ${such.join(', ')}` : ''}.`
}
