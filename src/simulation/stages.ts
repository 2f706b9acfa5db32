import type { Mode } from './record/index.js'
import type { Stage, StageInit } from './stage.js'

/** The stage of a mode; loaded only when it is asked for. */
export async function createStage(mode: Mode, init: StageInit): Promise<Stage> {
  if (mode === 'discrete') {
    const { createDiscreteStage } = await import('./discrete/index.js')
    return createDiscreteStage(init)
  }
  const { createLiveStage } = await import('./live/index.js')
  return createLiveStage(init, mode)
}
