// All that is said in German for what the simulation says in English.

import { Phrases, type Tables } from '../tongue'
import { BECAUSE } from './because'
import { HELPERS } from './helpers'
import { REASONS } from './reasons'
import { HINTS, ruleInGerman } from './rules'
import { TCP } from './tcp'

export const said = (): Tables => ({ reasons: new Phrases(TCP, REASONS, HELPERS, HINTS), because: new Phrases(BECAUSE), rule: ruleInGerman })
