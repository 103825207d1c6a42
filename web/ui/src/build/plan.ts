// A scenario as the form holds it, and what is done to it as a whole: machines come, go and get other names, cables are laid. Pure: each
// gives a new value. Keys that the form does not know stay as they are.

export type Kind = 'host' | 'router' | 'firewall'
export type ServiceData = string | { [name: string]: { [option: string]: unknown } | null }
/** Who acts by itself (sim/scenario/clients.py). */
export interface ClientData {
  does: 'probe' | 'talk'; to: string; protocol?: 'tcp' | 'udp' | 'ping'; port?: number; name?: string; at?: string | number; every?: string | number
  until?: string | number; patience?: string | number
}
export interface MachineData {
  kind?: Kind; at?: [number, number]; user?: string; note?: string; conntrack?: 'auto' | 'always'; resolver?: string
  interfaces?: { [dev: string]: string | string[] }; routes?: { [prefix: string]: string }; sysctls?: { [key: string]: string | number }
  services?: ServiceData[]; rules?: { iptables?: string; ip6tables?: string; nft?: string }; mtu?: { [dev: string]: number }; clients?: ClientData[]; files?: { [path: string]: string }
  [more: string]: unknown
}
export interface LinkData { between: [string, string]; delay?: string | number; loss?: number; up?: boolean; id?: string; [more: string]: unknown }
export interface TerminalData { id: string; machine: string; title?: string; user?: string; [more: string]: unknown }
export interface TrafficData {
  at: string | number; terminal?: string; type?: string; machine?: string; packet?: string; link?: string; change?: string; power?: string; every?: string | number; times?: number
}
export interface Data {
  title: string; summary?: string; firewall: string; machines: { [name: string]: MachineData }; links?: LinkData[]; terminals?: TerminalData[]
  traffic?: TrafficData[]; hosts?: { [name: string]: string }; [more: string]: unknown
}

export const EMPTY: Data = { title: 'A lab of my own', firewall: '', machines: {}, links: [], terminals: [] }
const PREFIX: { [kind in Kind]: string } = { host: 'host', router: 'router', firewall: 'firewall' }

const free = (taken: (name: string) => boolean, prefix: string, from: number): string => {
  let number = from
  while (taken(`${prefix}${number}`)) number++
  return `${prefix}${number}`
}

/** Addresses as a list, however they were written. */
export const addressesOf = (addresses: string | string[] | undefined): string[] => (addresses === undefined ? [] : Array.isArray(addresses) ? addresses : [addresses])
export const linkId = (link: LinkData): string => link.id || `${link.between[0]}--${link.between[1]}`
export const machineOf = (end: string): string => end.split('.')[0] ?? ''
export const devOf = (end: string): string => end.slice(machineOf(end).length + 1)

/** Where a machine is drawn, 0 to 1: where the file says, else in a row as the lab draws it. */
export function placeOf(data: Data, name: string): [number, number] {
  const names = Object.keys(data.machines)
  return data.machines[name]?.at ?? [(names.indexOf(name) + 0.5) / names.length, 0.5]
}

/** A new machine with a terminal; the first firewall, or the first machine of all, is the one that is watched. */
export function withMachine(data: Data, kind: Kind, at: [number, number]): { data: Data; name: string } {
  const name = free((one) => one in data.machines, PREFIX[kind], 1)
  const machine: MachineData = { ...(kind !== 'host' && { kind }), at, interfaces: {} }
  const watched = data.machines[data.firewall]
  const firewall = !watched || (kind === 'firewall' && watched.kind !== 'firewall') ? name : data.firewall
  const terminals = [...(data.terminals ?? []), terminalFor(data, name, kind !== 'host')]
  return { name, data: { ...data, firewall, machines: { ...data.machines, [name]: machine }, terminals } }
}

/** A terminal on a machine, called like it. */
export function terminalFor(data: Data, machine: string, root: boolean): TerminalData {
  const taken = (id: string): boolean => (data.terminals ?? []).some((one) => one.id === id)
  return { id: taken(machine) ? free(taken, `${machine}-`, 2) : machine, machine, ...(root && { user: 'root' }) }
}

/** Without a machine, and without what was tied to it. */
export function withoutMachine(data: Data, name: string): Data {
  const { [name]: _, ...machines } = data.machines
  const gone = new Set((data.terminals ?? []).filter((one) => one.machine === name).map(({ id }) => id))
  const links = (data.links ?? []).filter(({ between }) => between.every((end) => machineOf(end) !== name))
  const kept = new Set(links.map(linkId))
  const cut = new Set((data.links ?? []).map(linkId).filter((id) => !kept.has(id)))
  return {
    ...data, machines, links, firewall: data.firewall === name ? (Object.keys(machines)[0] ?? '') : data.firewall,
    terminals: (data.terminals ?? []).filter(({ id }) => !gone.has(id)),
    ...(data.traffic && { traffic: data.traffic.filter((one) => one.machine !== name && !gone.has(one.terminal ?? '') && !cut.has(one.link ?? '')) }),
  }
}

/** A machine by another name, everywhere. The order of the machines stays. A name that is taken, or none, changes nothing. */
export function renamed(data: Data, from: string, to: string): Data {
  if (!to || to in data.machines || !(from in data.machines)) return data
  const end = (one: string): string => (machineOf(one) === from ? `${to}.${devOf(one)}` : one)
  const links = (data.links ?? []).map((link) => ({ ...link, between: link.between.map(end) as [string, string] }))
  const ids = new Map((data.links ?? []).map((link, i) => [linkId(link), linkId(links[i] ?? link)]))
  return {
    ...data, links, firewall: data.firewall === from ? to : data.firewall,
    machines: Object.fromEntries(Object.entries(data.machines).map(([name, machine]) => [name === from ? to : name, machine])),
    terminals: (data.terminals ?? []).map((one) => (one.machine === from ? { ...one, machine: to } : one)),
    ...(data.traffic && { traffic: data.traffic.map((one) => ({ ...one, ...(one.machine === from && { machine: to }), ...(one.link && { link: ids.get(one.link) ?? one.link }) })) }),
  }
}

/** Another name for an interface, in the links too. */
export function withDev(data: Data, name: string, from: string, to: string): Data {
  const interfaces = data.machines[name]?.interfaces ?? {}
  if (!to || to in interfaces) return data
  const end = (one: string): string => (one === `${name}.${from}` ? `${name}.${to}` : one)
  const keyed = <T>(of: { [dev: string]: T }): { [dev: string]: T } => Object.fromEntries(Object.entries(of).map(([dev, one]) => [dev === from ? to : dev, one]))
  const { mtu } = data.machines[name] ?? {}
  const machine = { ...data.machines[name], interfaces: keyed(interfaces), ...(mtu && { mtu: keyed(mtu) }) }
  return { ...data, machines: { ...data.machines, [name]: machine }, links: (data.links ?? []).map((link) => ({ ...link, between: link.between.map(end) as [string, string] })) }
}

const linked = (data: Data, end: string): boolean => (data.links ?? []).some(({ between }) => between.includes(end))
const networkOf = (address: string): string | null => /^(\d+\.\d+\.\d+)\.\d+\/24$/.exec(address)?.[1] ?? null

function everyAddress(data: Data): Set<string> {
  return new Set(Object.values(data.machines).flatMap(({ interfaces }) => Object.values(interfaces ?? {}).flatMap(addressesOf)).map((one) => one.split('/')[0] ?? ''))
}

/** An interface without a cable, with what it has of addresses; a new one where all are taken. */
function port(data: Data, name: string): { dev: string; address: string | undefined } {
  const interfaces = data.machines[name]?.interfaces ?? {}
  const dev = Object.keys(interfaces).find((one) => !linked(data, `${name}.${one}`)) ?? free((one) => one in interfaces, 'eth', 0)
  return { dev, address: addressesOf(interfaces[dev])[0] }
}

/** A cable between two machines: on interfaces that are free, or new ones; addresses of one network where there are none yet. */
export function connected(data: Data, a: string, b: string): Data {
  if (a === b || !data.machines[a] || !data.machines[b]) return data
  const ports = [port(data, a), port(data, b)] as const
  const taken = everyAddress(data)
  const used = new Set([...taken].map((one) => one.split('.').slice(0, 3).join('.')))
  const network = ports.map(({ address }) => address && networkOf(address)).find(Boolean) ?? free((one) => used.has(one), '10.0.', 1)
  const ends = [a, b].map((name, i) => {
    const { dev, address } = ports[i] as { dev: string; address: string | undefined }
    const given = address ?? `${free((one) => taken.has(one), `${network}.`, 1)}/24`
    taken.add(given.split('/')[0] ?? '')
    return { name, dev, given, fresh: address === undefined }
  })
  const machines = { ...data.machines }
  for (const { name, dev, given, fresh } of ends) {
    const machine = machines[name] ?? {}
    if (fresh) machines[name] = { ...machine, interfaces: { ...machine.interfaces, [dev]: given } }
  }
  const [one, two] = ends as [(typeof ends)[0], (typeof ends)[0]]
  for (const [host, router] of [[one, two], [two, one]] as const) {
    const machine = machines[host.name] as MachineData
    const goesOn = (machines[router.name]?.kind ?? 'host') !== 'host'
    if ((machine.kind ?? 'host') === 'host' && goesOn && !machine.routes) machines[host.name] = { ...machine, routes: { default: router.given.split('/')[0] ?? '' } }
  }
  return { ...data, machines, links: [...(data.links ?? []), { between: [`${a}.${one.dev}`, `${b}.${two.dev}`], delay: '5ms' }] }
}

export interface Problem { path: (string | number)[]; line: number; column: number; message: string; hint: string }
/** The problems of a field, or of something in it. */
export function problemsAt(problems: readonly Problem[], path: readonly (string | number)[]): Problem[] {
  return problems.filter((problem) => path.every((part, i) => problem.path[i] === part))
}

export const serviceName = (service: ServiceData): string => (typeof service === 'string' ? service : String((service as { name?: unknown }).name ?? Object.keys(service)[0] ?? ''))
export const fileName = (title: string): string => `${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '') || 'scenario'}.yaml`

/** What is wrong, but for what is missing only because no machine has been placed yet: nobody is told off for not having begun. */
export function toldOff(data: Data, problems: Problem[]): Problem[] {
  if (Object.keys(data.machines ?? {}).length) return problems
  return problems.filter(({ path }) => path.length !== 1 || (path[0] !== 'firewall' && path[0] !== 'machines'))
}
