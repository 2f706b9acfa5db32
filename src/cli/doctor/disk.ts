import { constants } from 'node:fs'
import { access, readdir, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { messageOf } from '../../domain/index.js'
import { type Finding, fails, warns, well } from './finding.js'

/** Bytes that a node needs beside what its store has, whatever it does. */
const ROOM = 1_073_741_824

/** Whether the store can be written to, and has room: as much again as it is large, which a mending needs. */
export async function lookAtDisk(folder: string): Promise<Finding[]> {
  const place = await nearestThere(folder)
  try {
    await access(place, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (thrown) {
    const mend = `Run chown or chmod on ${place}, so that the account of the node may write there.`
    return [fails('disk', `${place} cannot be written to (${messageOf(thrown)})`, mend)]
  }
  const findings: Finding[] = []
  const size = await sizeOf(folder)
  const { bavail, bsize } = await statfs(place)
  const free = bavail * bsize
  const seen = `${inGigabytes(free)} free in ${place}, the store has ${inGigabytes(size)}`
  const needed = size + ROOM
  if (free >= needed) findings.push(well('disk', seen))
  else if (free < ROOM / 4) findings.push(fails('disk', seen, `Make room there: ${inGigabytes(needed)} are enough.`))
  else findings.push(warns('disk', seen, `Make room there: a damaged store is mended into ${inGigabytes(needed)}.`))
  const mode = place === folder ? (await stat(folder)).mode & 0o022 : 0
  if (mode !== 0) {
    findings.push(warns('permissions', `others may write to ${folder}`, `Run chmod go-w ${folder}.`))
  }
  return findings
}

/** The folder, or the next one above it that is there. */
async function nearestThere(folder: string): Promise<string> {
  for (let place = folder; ; place = dirname(place)) {
    try {
      await stat(place)
      return place
    } catch {
      if (place === dirname(place)) return place
    }
  }
}

async function sizeOf(folder: string): Promise<number> {
  try {
    const names = await readdir(folder)
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size))
    return sizes.reduce((sum, size) => sum + size, 0)
  } catch {
    // It is not there yet, or was tidied up meanwhile.
    return 0
  }
}

function inGigabytes(bytes: number): string {
  return `${(bytes / 1_073_741_824).toFixed(1)} GiB`
}
