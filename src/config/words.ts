import type { z } from 'zod'
import { perhaps } from './nearest.js'

/**
 * What is wrong with a value, as the end of a sentence that began with its place.
 *
 * @param known names of settings, of which one may be meant by a name that is not known.
 */
export function wordsOf(issue: z.core.$ZodIssue, known: readonly string[]): string {
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys
    return `has no setting ${key}${perhaps(key, known)}`
  }
  const words = issue.message.replace(/^Invalid (input|option): /, '')
  return /^(takes|must|has|is) /.test(words) ? words : `is wrong: ${words}`
}
