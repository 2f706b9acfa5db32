import { Session } from 'node:inspector/promises'
import { writeText } from './results.js'

/**
 * In a part: profiles its main thread from now on, a sample each millisecond, if it was asked to.
 * @param file where the profile goes, in the form that Chrome's tools open (`.cpuprofile`).
 * @returns ends the profile at once, and writes it.
 */
export async function startProfile(file: string | undefined): Promise<() => Promise<void>> {
  if (file === undefined) return async () => undefined
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.start')
  return async () => {
    const { profile } = await session.post('Profiler.stop')
    session.disconnect()
    await writeText(file, JSON.stringify(profile))
  }
}
