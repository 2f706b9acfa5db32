/*
 * What no writing of a store exceeds: `SealedDatabase` refuses more. So whoever reads files that are the host's needs to
 * have no more of them in memory at once, and what claims to be larger is none of this node's.
 */

/** A record's name; the longest are those of a log's nodes, and of collateral. */
export const LARGEST_NAME_BYTES = 256

/** A sealed value; the largest are collateral, of some parts of 1 MiB at most. */
export const LARGEST_VALUE_BYTES = 33_554_432

/** One write, of all its records: some 1.8 million wants. */
export const LARGEST_WRITE_BYTES = 134_217_728
