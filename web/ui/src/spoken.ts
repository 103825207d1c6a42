// Which language the page speaks: the person's choice, else the browser's. Words other than English are fetched before the page is shown
// and written over text.ts's own, in place: whoever holds a part of `text` holds the right words.

import { remember, remembered } from './remember'
import { text, type Words } from './text'
import { use, type Tables } from './tongue'

export const SPOKEN = [{ id: 'en', title: 'English' }, { id: 'de', title: 'Deutsch' }] as const
export type Spoken = (typeof SPOKEN)[number]['id']

interface Language { words: Words; said: Tables }
const german = async (): Promise<Language> => ({ words: (await import('./de')).german, said: (await import('./german/said')).said() })
const TABLES: { readonly [language in Spoken]: (() => Promise<Language>) | null } = { en: null, de: german }

export function spoken(): Spoken {
  const chosen = remembered('spoken', SPOKEN.map(({ id }) => id))
  return chosen ?? (navigator.language.toLowerCase().startsWith('de') ? 'de' : 'en')
}

/** Another language, from now on: the page is loaded anew, where one is stays. */
export function speak(language: Spoken): void {
  remember('spoken', language)
  location.reload()
}

type Table = { [key: string]: unknown }

/** Write the words of `from` over those of `into`, part by part. */
export function overwrite(into: Table, from: Table): void {
  for (const [key, value] of Object.entries(from)) {
    const old = into[key]
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) overwrite(old as Table, value as Table)
    else into[key] = value
  }
}

/** Fetch the words of the language that is spoken. The page is English where they cannot be had. */
export async function words(): Promise<void> {
  const language = spoken()
  const table = TABLES[language]
  if (!table) return
  try {
    const found = await table()
    overwrite(text as unknown as Table, found.words as unknown as Table)
    use(found.said)
    document.documentElement.lang = language
  } catch {
    // the words could not be fetched: English is better than nothing
  }
}
