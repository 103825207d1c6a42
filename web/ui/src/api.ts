// What the page asks the server over HTTP; web/README.md has the table. Everything else goes over the socket.

import { text } from './text'

export interface LessonEntry { id: string; title: string; summary: string; minutes: number; part: string }
export interface ScenarioEntry { id: string; title: string; summary: string }
/** `mistakes`: files that could not be read, with place and reason; for those who write lessons. */
export interface Course { lessons: LessonEntry[]; drills: LessonEntry[]; challenges: LessonEntry[]; scenarios: ScenarioEntry[]; mistakes?: string[] }

/** What the server refused, in its own sentence. */
export class Refused extends Error {
  readonly status: number

  constructor(status: number, sentence: string) {
    super(sentence)
    this.status = status
  }
}

/** The server's JSON answer; fails with Refused where it refused, and with a sentence where there is no answer. */
export async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  const answer = await fetch(path, init).catch(() => Promise.reject(new Error(text.away)))
  const body: unknown = await answer.json().catch(() => ({}))
  if (answer.ok) return body as T
  throw new Refused(answer.status, (body as { error?: string }).error ?? `The lab answered ${answer.status} to ${path}.`)
}

/** A request with a JSON body. */
export const json = (method: string, body: string): RequestInit => ({ method, headers: { 'content-type': 'application/json' }, body })

export const course = (): Promise<Course> => ask('/api/course')

/** The fragment of a link that carries the session as it stands at a moment (`t=µs&step=n`). */
export const shared = async (key: string, moment: string): Promise<string> =>
  (await ask<{ link: string }>(`/api/sessions/${key}/link?${moment}`)).link

/** What the server says of a scenario that is being built: its text, its data (null for what is no YAML), what is wrong with it. */
export interface Examined { text: string; data: unknown; problems: { path: (string | number)[]; line: number; column: number; message: string; hint: string }[] }
export const examine = (what: { text: string } | { data: unknown }): Promise<Examined> => ask('/api/build', json('POST', JSON.stringify(what)))
/** A scenario's file: `scenario=<id>`, or `key=<the session that runs it>`. */
export const openFile = (query: string): Promise<Examined> => ask(`/api/build/file?${query}`)

/** What a session can be made of: names, a scenario of one's own (YAML), or an experiment as a file or a link has it. */
export type Source = { lesson: string; learner?: string } | { copy_of: string; at: number } | { scenario: string } | { own: string } | { file: string } | { link: string }
  | { capture: { name: string; data: string; rules: string; addresses: string } }

/** A new session of one's own; gives its key, which is also its address: /s/<key>. */
export async function begin(what: Source): Promise<string> {
  const { key } = await ask<{ key: string }>('/api/sessions', json('POST', JSON.stringify(what)))
  return key
}
