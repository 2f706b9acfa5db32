const NAMES = [
  'card',
  'ink',
  'soft',
  'rule',
  'empty',
  'held',
  'part',
  'lag',
  'act',
  'good',
  'bad',
  'off',
  'on-held',
] as const

export type Colours = Readonly<Record<(typeof NAMES)[number], string>>

/** The style sheet's colours, for what is drawn. */
export function readColours(): Colours {
  const style = getComputedStyle(document.documentElement)
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])) as Colours
}

export const FONT = 'system-ui, "Segoe UI", "Helvetica Neue", sans-serif'
