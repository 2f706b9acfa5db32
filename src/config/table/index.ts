export type { Kind, ValueKind } from './kinds.js'
export { flagName, ROWS, type Row, rowAt } from './rows.js'
export { isSetting, type Section, type Setting } from './setting.js'
export { type FileSettings, type Settings, TABLE } from './table.js'
