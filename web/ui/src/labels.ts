// The five labels as they are shown everywhere: a word, a shape, a colour's name (app.css has the colour). Shape and word carry the
// meaning for those who do not see the colour.

export type LabelName = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED'
export interface LabelLook { word: string; short: string; shape: string; tone: string }

export const LABELS: { readonly [name in LabelName]: LabelLook } = {
  NEW: { word: 'NEW', short: 'NEW', shape: '●', tone: 'new' },
  ESTABLISHED: { word: 'ESTABLISHED', short: 'EST', shape: '⇄', tone: 'est' },
  RELATED: { word: 'RELATED', short: 'REL', shape: '◆', tone: 'rel' },
  INVALID: { word: 'INVALID', short: 'INV', shape: '▲', tone: 'inv' },
  UNTRACKED: { word: 'UNTRACKED', short: 'UNT', shape: '○', tone: 'unt' },
}

const NONE: LabelLook = { word: '', short: '', shape: '', tone: 'none' }

/** The look of a label; of no label (not seen by conntrack, or not yet) a quiet one without words. */
export function look(label: string | null): LabelLook {
  return LABELS[label as LabelName] ?? NONE
}
