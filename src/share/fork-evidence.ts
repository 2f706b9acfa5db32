import type { Branch, ForkEvidence } from '../provenance/index.js'
import { toWireHead } from './messages.js'
import { type Branch as WireBranch, ForkEvidence as WireForkEvidence } from './wire/share.js'

/** SPEC 6.3: the form in which the proof of a fork is shown to others. */
export function encodeForkEvidence({ branches, position }: ForkEvidence): Uint8Array {
  const [one, other] = branches
  const { level, index } = position ?? { level: 0, index: 0 }
  return WireForkEvidence.encode({ one: toWireBranch(one), other: toWireBranch(other), level, index })
}

function toWireBranch({ head, subtree }: Branch): WireBranch {
  return {
    head: toWireHead(head),
    subtree: subtree?.hash ?? new Uint8Array(),
    left: [...(subtree?.proof.left ?? [])],
    right: [...(subtree?.proof.right ?? [])],
  }
}
