export { createLiveStage } from './stage.js'
