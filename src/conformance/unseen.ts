import type { Unseen } from './specification.js'

/** Requirements that a black box does not show, and why. */
export const UNSEEN: readonly Unseen[] = []
