// Every word of the page, in one place. A translation is a second object of this shape (de.ts); spoken.ts writes it over this one.

import { duration, seconds } from './format'

const many = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`

/** Keys, separated by spaces, and what they do. */
type Keys = readonly (readonly [string, string])[]

export const text = {
  name: 'ctlab',
  title: (what: string): string => `${what} · ctlab`,
  course: {
    title: 'Learn stateful firewalls by watching one think',
    lead: 'Every packet here is really computed: real bytes, the connection tracking of Linux, real rules. Play, step, go back, type, ask why.',
    lessons: 'Lessons', scenarios: 'Free labs', fetching: 'Fetching the course…',
    scenariosLead: 'The same machines without a lesson. Nothing can break that a restart does not mend.',
    minutes: (count: number): string => `${count} min`,
    begin: 'Begin', open: 'Open', resume: 'Go on where you were', resumeTitle: 'You have begun', again: 'Begin anew',
    mistakes: 'Files that could not be read',
    empty: 'This server offers no lessons and no labs.',
    done: 'done', passed: 'passed', tried: (times: number): string => `not yet, ${many(times, 'try', 'tries')}`,
    drills: 'Lockout drills', drillsLead: 'You are on the server by ssh. What you break is measured: how long nobody got in, and which live connections died.',
    challenges: 'Challenges', challengesLead: 'Who may talk, and who may not: packets decide. The addresses and ports are drawn for you alone.',
  },
  drill: {
    drill: 'Lockout drill', challenge: 'Challenge', soFar: (at: string): string => `Measured by ${at} s`, from: (machine: string): string => `tried from ${machine}`, of: (machine: string): string => `of ${machine}`,
    reached: 'reached', away: 'not reached', down: (count: number): string => `${count} s of downtime`, alive: 'alive', hangs: 'nothing is acknowledged', asked: (count: number): string => `What is asked at the end (${count})`,
    hidden: (count: number): string => `${many(count, 'hidden test', 'hidden tests')}: packets that are really sent, and connections that must have lived.`,
    handIn: 'Hand in: have it judged', judging: 'Packets are being sent…', noAnswer: 'The lab did not answer. Try once more.', result: 'What the judge found',
    failedSome: (passed: number, all: number): string => `Not yet: ${passed} of ${all} tests passed`, passedAll: (all: number): string => `All ${all} tests passed`,
    points: (points: number): string => `${points} points.`, counted: (down: number, lost: number): string => `${down} s of downtime, ${lost ? many(lost, 'live connection', 'live connections') + ' lost' : 'no live connection lost'}.`,
    older: 'You have gone on since: hand in again to have that judged.', shouldBe: 'It should be so:', way: 'The packet that decided', look: 'Go to this packet in the lab',
    ways: (count: number): string => `The ways through it (${count})`, gets: 'reaches its end', fails: 'fails', otherLanguage: 'This way is for the other language of rules.',
  },
  repeat: {
    title: 'Repeat', lead: 'What you predicted wrong comes again: after a day, then after 2, 4, 8 and 16. Answer right five times, and it is yours.',
    of: (place: number, all: number): string => `Question ${place} of ${all}`, next: 'Go on', back: 'Back to the course', done: 'That was all for today.', none: 'Nothing is due today.',
    again: (day: string, box: number): string => `It comes again on ${day} (box ${box} of 5).`, learned: 'It was right often enough, and will not be asked again.',
  },
  progress: {
    title: 'Your progress', done: (done: number, all: number): string => `${done} of ${many(all, 'lesson', 'lessons')} done.`, right: (right: number, all: number): string => `${right} of ${many(all, 'prediction', 'predictions')} right the first time.`,
    due: (count: number): string => `${many(count, 'prediction is', 'predictions are')} due to be repeated.`, later: (count: number): string => `Nothing is due today; ${many(count, 'question comes', 'questions come')} again later.`,
    nothingDue: 'Nothing is due to be repeated.', repeat: 'Repeat now', summary: 'Summary', save: 'Save as a file', bring: 'Bring from a file', brought: 'What was in the file has been added.',
  },
  summary: {
    title: 'What was done at ctlab', lead: (day: string): string => `As of ${day}.`, name: 'Name', lessons: (all: number): string => `of ${many(all, 'lesson', 'lessons')} done`,
    right: (all: number): string => `of ${many(all, 'prediction', 'predictions')} right the first time`, drills: (all: number): string => `of ${many(all, 'lockout drill', 'lockout drills')} passed`,
    challenges: (all: number): string => `of ${many(all, 'challenge', 'challenges')} passed`, nothing: 'Nothing is done yet. Begin a lesson on the course page.', lesson: 'Lesson', day: 'Done on', firstTime: 'Predictions right the first time',
    predictions: (right: number, all: number): string => `${right} of ${all}`, drill: 'Lockout drill', challenge: 'Challenge', result: 'Result',
    scored: (points: number, down: number, lost: number): string => `${points} points (${down} s of downtime, ${lost} lost)`, passed: (tries: number): string => `passed at try ${tries}`, notYet: (tries: number): string => `not passed in ${many(tries, 'try', 'tries')}`,
    says: 'Drills and challenges are judged by packets that are sent in the simulation; every learner’s challenge has addresses and ports of its own.', print: 'Print',
  },
  open: {
    title: 'Open what was shared', file: 'A file', fileIs: 'An experiment (.ctlab.json) or a scenario of your own (.yaml).', link: 'A link', linkIs: 'Paste it, from any ctlab.', open: 'Open',
    capture: 'A capture of your own', captureIs: 'pcap or pcapng, up to 2000 packets: it goes through a firewall here, and you walk through it packet by packet.',
    rules: 'Rules: an iptables-save or nft file (none: everything passes)', addresses: 'Addresses of the firewall (none: it stands between a lan and a wan)', walk: 'Walk through it',
    tooLarge: (name: string, most: number): string => `${name} is too large: ${most} kB are the most.`,
  },
  header: {
    home: 'Course', step: (step: number, steps: number): string => `step ${step} of ${steps}`, language: 'Rules in',
    both: 'both', theme: (dark: boolean): string => (dark ? 'Change to light colours' : 'Change to dark colours'),
    help: 'Help and shortcuts', restart: 'Start again', skipStage: 'Skip to what happens', skipTerminal: 'Skip to the terminal',
    skipTime: 'Skip to the timeline', freeLab: 'Free lab', spoken: 'Language of the page',
  },
  state: {
    joining: 'Joining the lab…', offline: 'The connection to the lab is lost. Trying again; what you see stays usable.',
    dismiss: 'Close this message', noSuch: 'Back to the course',
  },
  share: {
    open: 'Share', title: 'Share and take along', close: 'Close', link: 'Link to this moment', copy: 'Copy', copied: 'Copied.', copyYourself: 'Selected: copy it with Ctrl C.',
    lead: 'The link carries the experiment itself: the lab, everything that was done in it, and this moment. It opens in any ctlab.',
    files: 'Files', experiment: 'Experiment', experimentIs: 'the same as a file, to be opened again on the course page', page: 'Page that plays by itself',
    pageIs: 'one HTML file for any browser, no lab needed', trace: 'Trace', traceIs: 'every event as JSON', capture: 'Capture', captureOf: 'Capture of',
    captureIs: 'pcapng for Wireshark and tcpdump', everywhere: 'all interfaces', ofMachine: (name: string): string => `all of ${name}`,
    ofInterface: (name: string, dev: string): string => `${name}: ${dev}`, pictures: 'Pictures of this moment', picture: (what: string, kind: string): string => `${what} as ${kind}`,
    saved: 'Saved.', noPicture: 'This browser could not draw the picture.', pictureTitle: (view: string, of: string, at: string): string => `${of} · ${view} at ${at} s`,
  },
  recorded: {
    banner: 'This page plays by itself, without a lab behind it: everything can be played, stepped through and asked. To type something new, open it in ctlab.',
    notTyped: 'That was not done when this page was recorded, and there is no lab behind it to compute what would happen.',
    needsLab: 'For that a lab is needed, and this page has none behind it.', broken: 'The recording in this file is damaged. Ask for the file once more.',
  },
  lesson: {
    region: 'Lesson', mistake: 'The lesson as it was saved cannot be read; below it stands as it was before.', step: (step: number, steps: number): string => `Step ${step} of ${steps}`, next: 'Next', back: 'Back', done: 'Back to the course',
    acts: { type: 'Run', packet: 'Send', link: 'Do it' }, sends: (machine: string): string => `${machine} sends`, runOn: (terminal: string): string => `Run on ${terminal}`, hint: (hint: number, hints: number): string => (hints > 1 ? `Show hint ${hint} of ${hints}` : 'Show a hint'), hintOf: (hint: number, hints: number): string => `Hint ${hint} of ${hints}`, solution: 'Show a way to do it', predict: 'Predict',
    right: 'Right.', wrong: 'Not quite.', theRight: 'What happens', goal: 'Goal', goalMet: 'reached', goalOpen: 'not reached yet',
    free: 'Try things of your own from this moment, in a free lab', prints: (terminal: string): string => `${terminal} prints`, chosen: 'your answer', correct: 'right',
  },
  freeLab: { region: 'This lab', machines: 'Machines', services: 'runs', firewall: 'the firewall', watching: 'A capture went through this firewall. Step through it: every packet has its label, its way and its reasons.', typing: 'Type in a terminal, then watch what it did.' },
  stage: {
    region: 'What happens', ladder: 'Ladder', topology: 'Topology', beliefs: 'Beliefs', entry: 'Entry', futures: 'Futures',
    packetOf: (packet: number, all: number): string => `packet ${packet} of ${all}`, noPacket: 'no packet yet', clients: 'clients’ packets',
  },
  ladder: {
    label: 'Ladder of packets between the machines', empty: 'Nothing has been sent yet. Press play, step, or type in a terminal.',
    silence: (span: number): string => `${duration(span)}: nothing is sent`, netfilter: (machine: string): string => `${machine}: netfilter`, filter: 'netfilter',
    programs: 'sockets', folded: (count: number, what: string): string => `folded: ${what} again, ${many(count, 'time', 'times')}`,
    unfold: 'Show them', tried: (count: number): string => (count ? `${many(count, 'rule', 'rules')} tried` : 'no rule stands there'),
    again: (about: string): string => `${about}, again`, policy: (hook: string, policy: string): string => `${hook} policy ${policy}`.trim(),
  },
  topology: {
    label: 'The network', loss: (loss: number): string => `loses ${Number((loss * 100).toFixed(1))} %`, delay: (delay: number): string => `${delay / 1000} ms`,
    cut: 'cut', link: (a: string, b: string): string => `Link ${a} – ${b}`, change: 'change it', faults: 'Faults of the link', milliseconds: 'delay, ms',
    percent: 'loss, %', isCut: 'cut', apply: 'Apply', close: 'Close', noLabel: 'no label yet', more: (count: number): string => `and ${count} more`,
    crowd: (all: readonly (readonly [string, number])[]): string => `Packets on the way: ${all.map(([label, count]) => `${count} ${label || 'without a label'}`).join(', ')}`,
  },
  beliefs: {
    label: 'What client, firewall and server each believe, through time', none: 'No connection has been tracked yet.',
    client: (machine: string): string => `${machine} (client)`, server: (machine: string): string => `${machine} (server)`, conntrack: 'conntrack',
    nothing: 'knows nothing', parted: 'They part here', agree: 'All three agree', now: 'now', which: 'Connection',
    partedLong: (client: string, conntrack: string, server: string): string => `client ${client}, conntrack ${conntrack}, server ${server}`,
    moment: 'since', datagrams: 'Only TCP ends believe anything about a connection; for this protocol conntrack alone keeps a state.',
    gone: 'no entry', before: 'The parting before', after: 'The next parting', lanes: 'What each believed, through time', count: (count: number): string => many(count, 'parting', 'partings'),
  },
  life: {
    label: 'The life of a connection’s entry', none: 'No connection has been tracked yet.', which: 'Entry', original: 'original', reply: 'reply',
    curve: 'The time that was left, through its life', now: (state: string, left: number): string => `${state ? `${state}, ` : ''}${duration(left)} left`,
    dead: (why: string): string => `Gone: ${why}`, steps: 'What happened to it', when: 'at', packet: 'packet', state: 'state', timeout: 'time-out', change: 'change',
    by: 'by a program or by time', refreshed: (left: number, timeout: number): string => `${duration(left)} were left, again ${duration(timeout)}`,
    born: (timeout: number): string => `new, for ${duration(timeout)}`, end: 'gone', translated: (what: string, from: string, to: string): string => `${what}: ${from} is ${to} on the other side`,
    lines: 'As the tools print it', listed: 'conntrack -L, now', events: 'conntrack -E, from the start',
    grid: 'Its path through conntrack’s TCP table', gridLead: 'Rows: the kind of segment. Columns: the state so far. Each cell: the state after; IV is INVALID, IG is let through and changes nothing.',
    gridOf: (direction: string): string => `${direction} direction`, met: (times: number): string => `met ${many(times, 'time', 'times')}`, last: 'decided last',
    point: 'Choose a cell to read why it is what it is.', fetching: 'Fetching the table…', failed: 'The lab did not answer.', notTcp: 'Only TCP has a table of states.',
    missed: (t: number, late: number, who: string): string => `At ${seconds(t)} s, ${duration(late)} after it was forgotten, ${who} went on with this conversation.`,
    follow: (name: string): string => `Show the life of ${name}`,
    survive: 'Which time-out would have kept it?', searching: 'Running the past again, with other time-outs…', noSurvival: 'No time-out would have kept it.',
    survived: (key: string, least: number, now: number): string => `It would have survived with ${key} = ${least} (it was ${now}).`,
    runs: (runs: readonly (readonly [number, boolean])[]): string => `Tried by running: ${runs.map(([tried, lived]) => `${tried} s ${lived ? 'lives' : 'dies'}`).join(', ')}.`,
    tryIt: (least: number): string => `Fork with ${least} s and compare`,
  },
  futures: {
    label: 'Two futures side by side', none: 'There is one future so far. Go back, do something else or change one thing here, and compare.',
    whatIf: 'What if?', lead: (t: number): string => `One thing is changed at ${seconds(t)} s, the moment shown; all that was done later is done again.`,
    kind: 'change', machine: 'machine', link: 'link', kinds: { rule: 'a rule', setting: 'a setting (sysctl)', helper: 'a helper', delay: 'a link’s delay', loss: 'a link’s loss', cut: 'a link is cut', host: 'a host’s behaviour', command: 'any command' },
    rule: 'rule, as it is typed', command: 'command', key: 'setting', value: 'value', helper: 'helper', milliseconds: 'delay, ms', percent: 'loss, %', behaviour: 'it',
    behaviours: { silent: 'falls silent', refuses: 'refuses new TCP connections', noPing: 'answers no ping', keepalive: 'asks after quiet connections every … s', impatient: 'tries unanswered data … times' },
    number: 'number', go: 'Fork and compare', runs: 'runs', packets: 'Packets', tables: 'Tables', terminals: 'Terminals', aspects: 'What is compared',
    firstAt: (what: string, t: number | null): string => (t === null ? `${what}: no difference` : `${what}: from ${seconds(t)} s`), first: 'First difference',
    other: 'Compare with', restore: 'Go on with that one',
    failed: 'That future could not be computed, or is no longer kept.', computing: 'Computing that future…', same: 'So far as they are known the two are the same.',
    part: (t: number): string => `They part at ${seconds(t)} s.`, here: 'they part here', when: 'at', mine: 'This future', theirs: 'The other one',
    sum: ({ packets, ended, labels }: { packets: number; ended: number; labels: { [label: string]: number } }): string =>
      [many(packets, 'packet', 'packets'), `${ended} stopped`, ...Object.entries(labels).map(([label, count]) => `${count} ${label}`)].join(', '),
  },
  journey: {
    region: (packet: number, machine: string): string => `Packet ${packet} through ${machine}`, none: 'No packet is chosen yet.', title: 'A packet’s way',
    notHere: (machine: string): string => `This packet has not come to ${machine} yet, or never will.`, policy: (verdict: string): string => `policy ${verdict}`,
    policyDrop: 'No rule decided, so the policy does: this packet is gone, and nobody is told.', policyAccept: 'No rule decided, so the policy does: it goes on.',
    drawn: {
      window: 'Sequence numbers against the window', seq: 'segment', allowed: 'allowed', acks: 'acknowledges', acksAllowed: 'may acknowledge',
      span: (from: number, to: number): string => (from === to ? `${from}` : `${from} … ${to}`), relative: 'relative to the segment’s start', absolute: (from: number, to: number): string => `absolute: ${from} … ${to}`,
      fits: 'inside', misses: 'outside', tuple: (helper: string): string => `The packet against the expectation${helper ? ` that the ${helper} helper made` : ''}`, field: 'field', expected: 'expected', found: 'packet', any: 'any',
      age: (age: number, timeout: number): string => `Nothing came for ${duration(age)}; it may be quiet for ${duration(timeout)}.`, ageLabel: 'Age against time-out',
      sum: 'The checksum', sumIs: (found: string, right: string): string => `In the packet stands ${found}; the bytes sum to ${right}.`,
      matches: 'What each match compared', match: 'match', value: 'in the packet', verdict: (verdict: string): string => `Why ${verdict}?`, byPolicy: 'No rule of the chain decided, so its policy did.',
      byRule: (number: number, chain: string): string => `Every match of rule ${number} in ${chain} held, so its target decided.`,
    },
    born: (state: string): string => `new entry ${state}`.trim(), gone: 'entry gone', changed: (what: string): string => `entry ${what}`,
    noRules: 'no rules', why: 'Why', check: 'Show the check', hide: 'Hide the check', kernelLog: 'Kernel log', numbers: 'Decided on', table: 'In the table',
    end: { delivered: 'Delivered to', dropped: 'Dropped:', lost: 'Lost on the way:' }, chain: (name: string): string => `chain ${name}`,
    rewrittenBy: (what: string, hook: string): string =>
      what === 'payload' ? `Written into the payload in ${hook}` : what === 'seqadj' ? `Sequence numbers shifted in ${hook}` : `${what.toUpperCase()}${(what === 'snat') === (hook === 'POSTROUTING' || hook === 'INPUT') ? '' : ', undone,'} in ${hook}`, before: 'before', after: 'after', way: 'Way', inside: 'Inside', views: 'Views of the packet',
    matched: 'matched', missed: 'did not match', count: 'packets that matched so far',
  },
  inside: {
    fields: 'Fields', bytes: 'Bytes', link: 'On the link', fetching: 'Reading the packet…', failed: 'The lab did not answer. Choose the packet again to ask once more.',
    none: 'This packet was never put on a link.', more: (count: number): string => `and ${many(count, 'byte', 'bytes')} more`, between: (from: string, to: string): string => `${from} → ${to}`,
    size: (count: number): string => many(count, 'byte', 'bytes'), byte: (at: number, value: string): string => `byte ${at}: ${value}`,
    how: 'Point at a field or a byte, or move with the arrow keys: the other lights up.', span: (from: number, to: number): string => (to - from > 1 ? `bytes ${from} to ${to - 1}` : `byte ${from}`),
    announced: (helper: string, what: string): string => `The ${helper} helper reads here that ${what} will come:`,
    checksum: { right: 'checksum right', wrong: 'checksum wrong', absent: 'no checksum, as UDP over IPv4 allows' },
  },
  tables: {
    region: 'What the firewall knows', machine: 'Machine', connections: 'Connections', rules: 'Rules', entries: (count: number): string => many(count, 'entry', 'entries'),
    asLines: 'conntrack -L', entry: 'entry', state: 'state', expires: 'expires in', none: 'The table is empty: no connection is known.',
    was: (state: string): string => `was ${state}`, destroyed: 'gone', expectations: 'Expected', shown: (count: number): string =>
      `conntrack v1.4.7 (conntrack-tools): ${count} flow entries have been shown.`,
    noRules: (machine: string): string => `${machine} has no rules: every packet passes.`, policy: 'policy', packets: 'packets', hook: (hook: string, priority: number): string =>
      `${hook}, priority ${priority}`, lit: 'decided about the chosen packet',
    bar: (percent: number): string => `${percent} % of its time-out is left`,
  },
  terminal: {
    region: 'Terminals', loading: 'The terminal is being fetched…', past: (t: number): string =>
      `You look at ${seconds(t)} s. What you type here starts a new future from there; the old one is kept.`,
    unacked: (what: string): string => `sent, not acknowledged: “${what}”`, tried: (times: number): string => (times ? `tried again ${many(times, 'time', 'times')}` : 'sent once'),
    retry: (span: number): string => `again in ${duration(span)}`, leave: 'Esc leaves the terminal', enter: 't types',
    closed: 'closed', running: (program: string): string => `${program} runs`,
    input: (title: string): string => `Terminal ${title}: type a command`, waiting: 'computing…',
  },
  time: {
    region: 'Time', timeline: 'Timeline', start: 'To the start', back: 'Step back one packet', play: 'Play', pause: 'Pause', step: 'Step to the next packet',
    end: 'To the end', expiry: 'To the next expiry', simulated: 's simulated', speed: 'Speed', packets: 'packets', table: 'table', inputs: 'inputs',
    silence: (span: number): string => `${duration(span)} of silence`, branches: (count: number): string => many(count, 'other future', 'other futures'),
    branch: (t: number, what: string, records: number): string => `from ${seconds(t)} s: ${what} (${many(records, 'event', 'events')})`, restore: 'Bring back a future that was cut off',
    value: (t: number, packet: number, all: number): string => `${seconds(t)} seconds${all ? `, packet ${packet} of ${all}` : ''}`,
    zoomIn: 'Zoom into the timeline (Ctrl and the wheel)', zoomOut: 'Zoom out of the timeline', noExpiry: 'Nothing more will expire.', gone: 'gone', expired: 'expired', days: (count: number): string => many(count, 'day', 'days'),
  },
  editor: {
    open: 'Edit rules', openTitle: 'Edit the rules, in iptables and nft side by side (r)', title: 'Rules', close: 'Back to the lab', loading: 'The editor is being fetched…',
    machine: 'Machine', apply: 'Apply', tryFor: 'Apply on trial', trial: 'How long the trial lasts', seconds: (count: number): string => (count < 60 ? `${count} s` : `${count / 60} min`),
    revert: 'Discard changes', keep: 'Keep them', left: (span: number): string => `The old rules come back in ${duration(span)}`, family: 'Rules for IPv4 or IPv6',
    alone: (language: string): string => `Take the ${language} rules away, so that these alone decide`, failed: 'The lab did not answer. Type on, or discard the changes, to ask once more.',
    text: (language: string, machine: string): string => `${language} rules of ${machine}`, changed: 'changed, not applied', asLoaded: 'as they are loaded',
    follows: (language: string): string => `follows ${language}`, waits: (language: string): string => `waits until ${language} is right`, packets: 'packets that matched',
    problems: 'Mistakes', place: (line: number, column: number): string => `line ${line}:${column}`, line: (line: number): string => `Line ${line}.`,
    matched: (count: number): string => `Matched ${many(count, 'packet', 'packets')} so far.`, says: (language: string): string => `In ${language}:`,
    point: 'Put the cursor on a rule: what it says stands here.', noCounterpart: (why: string): string => `This rule has no counterpart: ${why}.`,
    missing: (count: number, lines: number[]): string => `${many(count, 'rule has', 'rules have')} no counterpart and ${count === 1 ? 'is' : 'are'} left out there: line ${lines.join(', ')}.`,
  },
  craft: {
    open: 'Send a packet', openTitle: 'Write a packet field by field and send it (p)', title: 'A packet of your own', from: 'Sent by', protocol: 'Protocol',
    protocols: { tcp: 'TCP', udp: 'UDP', icmp: 'ICMP', ip: 'other' }, copy: (packet: number): string => `Copy packet ${packet}`, answer: (packet: number): string => `Answer packet ${packet}`,
    ip: 'IP', src: 'source', dst: 'destination', hops: 'hop limit', traffic: 'traffic class', ident: 'id', offset: 'fragment offset', more: 'more fragments', proto: 'protocol number',
    sport: 'source port', dport: 'destination port', window: 'window', flags: 'Flags', kind: 'type', about: 'about the packet', aboutChosen: (packet: number): string => `About packet ${packet}`,
    payload: 'Payload', payloadAs: 'The payload is written as', text: 'text', hex: 'hexadecimal', badChecksum: 'wrong checksum', preview: 'The packet as it will be sent',
    send: (machine: string): string => `Send from ${machine}`, when: (t: number): string => `at ${seconds(t)} s; what was to come after it becomes another future`,
  },
  say: {
    packet: (ordinal: number, from: string, to: string, about: string): string => `Packet ${ordinal}, ${from} to ${to}, ${about}`,
    droppedBy: (by: string): string => `dropped by ${by}`, lost: (why: string): string => `lost: ${why}`, delivered: (to: string): string => `delivered to ${to}`,
    passed: 'let through', underWay: 'on its way', policyOf: (chain: string): string => `policy of ${chain}`, ruleOf: (number: number, chain: string): string =>
      `rule ${number} of ${chain}`, refused: 'refused', at: (t: number): string => `At ${seconds(t)} seconds`, begin: 'At the start', expired: 'an entry’s time ran out',
    destroyed: (reason: string): string => `an entry is gone: ${reason}`, created: (state: string): string => `a new entry${state ? `, ${state}` : ''}`,
    updated: (state: string): string => `an entry changed${state ? `, ${state}` : ''}`, printed: (terminal: string, what: string): string => `${terminal} prints ${what}`,
    typed: (what: string): string => `Typed: ${what}`, socket: (machine: string, state: string): string => `a socket of ${machine} is ${state}`, rules: (machine: string): string =>
      `the rules of ${machine} changed`, rule: (number: number, chain: string, matched: boolean): string => `rule ${number} of ${chain} ${matched ? 'matched' : 'did not match'}`,
    hook: (hook: string): string => `it enters ${hook}`, routed: (decision: string): string => `routing: ${decision}`, label: (label: string, why: string): string => `labelled ${label}. ${why}`,
    verdict: (verdict: string, chain: string): string => `${verdict} by ${chain}`, reached: (name: string, why: string): string =>
      `${name} was tried. ${why}`, rewritten: (what: string, before: string, after: string): string =>
      `${what.toUpperCase()} makes it ${after}; it was ${before}`,
  },
  help: {
    title: 'Help', close: 'Close', lead: 'Everything on the screen shows one moment and one packet. Choose either anywhere, and it is chosen everywhere.',
    labels: 'Labels', labelsLead: 'Colour, shape and word always belong together. Filled: let through. Outlined in red: dropped. A dashed line with ✕: how far it came.',
    keys: 'Keys', terminal: 'In the terminal', shortcuts: ([
      ['Space', 'play, pause'], ['← →', 'the packet before, the next packet'], ['Shift ← →', 'the event before, the next event'], ['Home End', 'the start, the end of what is known'],
      ['[ ]', 'the expiry before, the next expiry'], ['+ −', 'faster, slower'], ['1 2 3', 'ladder, topology, three beliefs'], ['4 5 6', 'connections, conntrack -L, rules'],
      ['7', 'the packet’s way, its inside'], ['e', 'the life of an entry'], ['f', 'what if, and both futures'], ['t', 'type in the terminal'], ['Esc', 'leave the terminal, close this'], ['n b', 'next step, step before in the lesson'], ['?', 'this help'],
      ['r p', 'edit the rules, send a packet'],
    ]) as Keys,
    terminalKeys: [['Tab', 'complete the word'], ['↑ ↓', 'earlier lines'], ['Ctrl C', 'interrupt what runs'], ['Ctrl D', 'end of input'], ['Ctrl L', 'clear'], ['Ctrl A Ctrl E', 'start, end of the line'], ['Ctrl U Ctrl W', 'cut the line, the word']] as Keys,
    meaning: {
      NEW: 'the first of a connection, or one that nobody has answered', ESTABLISHED: 'belongs to a connection that was answered',
      RELATED: 'starts something that a known connection announced, or is an error about one', INVALID: 'makes no sense for any connection', UNTRACKED: 'was told to be left alone',
    },
  },
}

/** The words of the page in any language. */
export type Words = typeof text
