// A learner's progress: a key that this browser keeps, and what the server answers to it. Who learns stays unsaid.

import { ask, json, Refused } from './api'
import { kept, remember } from './remember'

export interface Answered { choice: number; right: boolean; on: string; box: number | null; due: string | null }
export interface JudgedBest { passed: boolean; points: number; seconds: number; lost: number; tries: number; on: string }
export interface Progress {
  answers: { [question: string]: Answered }; lessons: { [id: string]: { on: string } }; judged: { [id: string]: JudgedBest }
}
export interface Question { id: string; lesson: string; question: string; options: { html: string; right: boolean; why: string; misconception?: string }[] }
export interface Learner { progress: Progress; today: string; due: Question[] }

const NAME = 'learner'

/** The key, made when there is none, or when the server no longer knows it. */
export async function learnerKey(): Promise<string> {
  const key = kept(NAME)
  if (key) return key
  const made = await ask<{ key: string }>('/api/learners', { method: 'POST' })
  remember(NAME, made.key)
  return made.key
}

export const fileOf = (key: string): string => `/api/learners/${key}/file`

/** The progress kept under the key of this browser; a new one where the server has lost it. */
export async function learner(): Promise<{ key: string; learner: Learner }> {
  const key = await learnerKey()
  try {
    return { key, learner: await ask<Learner>(`/api/learners/${key}`) }
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404) throw error // it may come back, and knows the key then
    remember(NAME, '')
    const fresh = await learnerKey()
    return { key: fresh, learner: await ask<Learner>(`/api/learners/${fresh}`) }
  }
}

/** Progress from a file is merged with what is there. */
export const bring = (key: string, text: string): Promise<Learner> => ask(`/api/learners/${key}`, json('PUT', text))

export const repeat = (key: string, question: string, choice: number): Promise<Answered> =>
  ask(`/api/learners/${key}/repeat`, json('POST', JSON.stringify({ question, choice })))

export interface Sum { right: number; answered: number; waiting: number }
/** How many predictions were right the first time, and how many wait to be repeated, now or later. */
export function sum(answers: Progress['answers']): Sum {
  const all = Object.values(answers)
  return { right: all.filter((one) => one.right).length, answered: all.length, waiting: all.filter((one) => one.box !== null).length }
}
