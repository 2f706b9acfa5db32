import leven from 'leven'
import type { z } from 'zod'

/**
 * What is wrong with a value, as the end of a sentence that began with its place.
 *
 * @param known names of settings, of which one may be meant by a name that is not known.
 */
export function wordsOf(issue: z.core.$ZodIssue, known: readonly string[]): string {
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys
    const meant = nearest(key, known)
    return `has no setting ${key}${meant === undefined ? '' : ` (is ${meant} meant?)`}`
  }
  const words = issue.message.replace(/^Invalid (input|option): /, '')
  return /^(takes|must|has|is) /.test(words) ? words : `is wrong: ${words}`
}

function nearest(word: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((name) => ({ name, distance: leven(word.toLowerCase(), name.toLowerCase()) }))
    .sort((one, other) => one.distance - other.distance)
  return best !== undefined && best.distance <= Math.max(1, Math.floor(word.length / 3)) ? best.name : undefined
}
