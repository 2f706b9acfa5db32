import { SlotmeshError } from '../domain/index.js'

/** For a record of this node's own that has not the form it is to have. */
export function formError(): SlotmeshError {
  return new SlotmeshError(
    'store/unreadable',
    'A record of the store has an unexpected form: the folder is damaged or of another version of slotmesh; restore it, use that version, or begin with an empty folder.',
  )
}
