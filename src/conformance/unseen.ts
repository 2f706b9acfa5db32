import type { Unseen } from './specification.js'

/** Requirements that a black box does not show, and why. */
export const UNSEEN: readonly Unseen[] = [
  {
    spec: 'share',
    clause: '5.4',
    quote: 'Both sides MUST forget them when it ends',
    reason: 'What a peer keeps in its memory is not seen from outside.',
  },
  {
    spec: 'share',
    clause: '6.1',
    quote: 'where more are wanted in open ranges, it MUST end with `unfinished`',
    reason: 'It takes more than 524,288 shares on chain, which would take the suite hours to have synced.',
  },
  {
    spec: 'share',
    clause: '6.3',
    quote: "An origin enclave MUST append a leaf when the block with the share's synced event is final",
    reason:
      'It is about the log of the peer itself, which begins when owners hand shares over; that is not specified here.',
  },
  {
    spec: 'share',
    clause: '6.3',
    quote: 'or cannot be sure that it remembers all that it has signed, MUST begin a new incarnation',
    reason: 'It is about the log of the peer itself, and about what it does after it was set back.',
  },
  {
    spec: 'share',
    clause: '4.4',
    quote: 'One that still catches up MUST name the block that it has come to',
    reason: 'The suite has no chain that is long enough for a peer to need a time to go through it.',
  },
  {
    spec: 'share',
    clause: '6.3',
    quote: 'an answer MUST NOT count unless the `taken_in_block` of its exchange is at or above that block',
    reason: 'What a peer takes for the newest it says to owners, and that is not specified here.',
  },
  {
    spec: 'share',
    clause: '6.3',
    quote: 'the requester itself MUST have taken in the chain up to that block',
    reason: 'What a peer takes for the newest it says to owners, and that is not specified here.',
  },
  {
    spec: 'share',
    clause: '6.3',
    quote: 'who there is to answer MUST be told from the registry of a block at or above that one',
    reason: 'What a peer takes for the newest it says to owners, and that is not specified here.',
  },
  {
    spec: 'share',
    clause: '6.3',
    quote: 'in clusters with which it may not only since one is not public (its own, or theirs), it MUST NOT do so',
    reason: 'What a peer takes for the newest it says to owners, and that is not specified here.',
  },
  {
    spec: 'enclave-record',
    clause: '8',
    quote: 'A failed lookup MUST NOT spoil what is known or later lookups',
    reason: 'Whether and why a peer looks somebody up is not seen from outside.',
  },
  {
    spec: 'enclave-record',
    clause: '13',
    quote: 'The opening side MUST take no record of an answer that is not canonical',
    reason: 'Whom a peer asks, and when, is its own choice: no suite can have it ask.',
  },
  {
    spec: 'enclave-record',
    clause: '13',
    quote: 'It MUST judge the others by section 4',
    reason: 'Whom a peer asks, and when, is its own choice: no suite can have it ask.',
  },
  {
    spec: 'enclave-record',
    clause: '13',
    quote: 'whose signature does not verify it MUST leave those behind it',
    reason: 'Whom a peer asks, and when, is its own choice: no suite can have it ask.',
  },
]
