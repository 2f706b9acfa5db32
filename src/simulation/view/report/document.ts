import { html, Markup } from '../plot/markup.js'
import { STYLE } from './style.js'

/** A whole page that needs nothing else: no network, no scripts. */
export function document({
  title,
  content,
  style = '',
}: {
  readonly title: string
  readonly content: readonly Markup[]
  /** Rules of this page's own. */
  readonly style?: string
}): string {
  const { text } = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title><style>${new Markup(STYLE + style)}</style></head>
<body><main>${content}</main></body></html>
`
  return text
}
