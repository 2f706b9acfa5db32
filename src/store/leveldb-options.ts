/**
 * How LevelDB keeps a folder: names and values are bytes, and sealed values do not compress.
 *
 * LevelDB maps each table that it has open into memory, whole, and has up to a thousand of them open: a folder of a
 * million shares of 64 bytes, 800 MB, ends up in memory as a whole, which in Gramine is the enclave's own. Of the fewest tables
 * that it takes (64 beside ten other files), each as small as it makes them, no more than 64 MiB are mapped at once.
 */
export const LEVELDB_OPTIONS = {
  keyEncoding: 'view',
  valueEncoding: 'view',
  compression: false,
  maxOpenFiles: 74,
  maxFileSize: 1_048_576,
} as const
