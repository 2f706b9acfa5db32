export { type Decodable, decodeFrugally } from './decoding.js'
export { Frames, type Traffic } from './frames.js'
export { latenessOf } from './lateness.js'
