export { createDiscreteStage, type DiscreteStageOptions } from './stage.js'
