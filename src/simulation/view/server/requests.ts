import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { parseYaml } from '../../../config/index.js'
import { SlotmeshError } from '../../../domain/index.js'
import { ACTIONS, type Action } from '../../scenario/index.js'

/** Bytes of what a page sends. */
const LARGEST_BODY = 16_384

/** @throws SlotmeshError `simulation/request-too-large` */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > LARGEST_BODY) throw new SlotmeshError('simulation/request-too-large', 'That is too much for an action.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * An action in the words of a scenario.
 * @throws ConfigError `config/bad-value` with a sentence that says what is wrong.
 */
export function actionOf(body: string): Action {
  return parseYaml(body, 'from the page', { noun: 'action', schema: ACTIONS })
}

/** What actions there are and what each takes, as JSON Schema: the page makes its forms from it. */
export function actionSchema(): unknown {
  return z.toJSONSchema(ACTIONS, { io: 'input' })
}
