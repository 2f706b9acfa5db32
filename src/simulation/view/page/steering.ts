import { KEY_HEADER } from '../model/messages.js'

/** Without it, the page only shows. */
export function readKey(): string | undefined {
  return new URLSearchParams(location.hash.slice(1)).get('key') ?? undefined
}

/** @returns the sentence why it was not done, undefined when it was. */
export async function steer(
  what: 'pause' | 'resume' | 'step' | 'action',
  body: object = {},
): Promise<string | undefined> {
  const headers = { [KEY_HEADER]: readKey() ?? '', 'content-type': 'application/json' }
  return answerOf(fetch(`/${what}`, { method: 'POST', headers, body: JSON.stringify(body) })).then(
    ({ trouble }) => trouble,
  )
}

export async function inspect(enclave: string): Promise<Answer> {
  return answerOf(fetch(`/inspect?enclave=${encodeURIComponent(enclave)}`))
}

export async function actionSchema(): Promise<unknown> {
  return (await answerOf(fetch('/actions'))).value
}

interface Answer {
  readonly value?: unknown
  readonly trouble?: string
}

async function answerOf(request: Promise<Response>): Promise<Answer> {
  try {
    const response = await request
    const value: unknown = await response.json()
    if (response.ok) return { value }
    const hasSentence = typeof value === 'object' && value !== null && 'message' in value
    return { trouble: hasSentence ? String(value.message) : `The server answered ${response.status}.` }
  } catch {
    return { trouble: 'The simulation does not answer; has it ended?' }
  }
}
