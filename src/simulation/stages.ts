import { SlotmeshError } from '../domain/index.js'
import type { Mode } from './record/index.js'
import type { Stage, StageInit } from './stage.js'

/** The stage of a mode; loaded only when it is asked for. */
export async function createStage(mode: Mode, init: StageInit): Promise<Stage> {
  if (mode === 'discrete') {
    throw new SlotmeshError('simulation/bad-option', 'The discrete mode is not there yet: use --mode live.')
  }
  const { createLiveStage } = await import('./live/index.js')
  return createLiveStage(init, mode)
}
