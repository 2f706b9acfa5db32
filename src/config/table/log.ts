import type { Section } from './setting.js'

export const LOG = {
  level: {
    kind: { is: 'choice', of: ['debug', 'info', 'warn', 'error'] },
    flag: '--log-level <level>',
    fallback: 'info',
    example: 'info',
    about: 'the least that is logged, on the standard error output: debug, info, warn or error',
  },
  format: {
    kind: { is: 'choice', of: ['auto', 'text', 'json'] },
    flag: '--log-format <format>',
    fallback: 'auto',
    example: 'auto',
    about:
      'how it is logged: text, json (an object in each line), or auto, which is text on a terminal and json elsewhere',
  },
} as const satisfies Section
