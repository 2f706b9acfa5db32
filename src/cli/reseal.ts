import type { Command } from 'commander'
import { zero } from '../crypto/index.js'
import { untilInterrupted } from './interruption.js'
import { addSettings, type SettingFlags, settingsOf } from './settings.js'
import { folderOf, nextSealingKeyOf, sealingKeyOf } from './tee.js'

interface ResealFlags extends SettingFlags {
  readonly from?: string
  readonly to: string
}

export function addReseal(program: Command): void {
  addSettings(program.command('reseal'), ['folder', 'attestation.simulated.seed', 'attestation.simulated.machineId'])
    .description('Seal a stopped node’s folder anew under another key; interrupted, it has lost nothing.')
    .option('--from <source>', 'where the present key comes from (default: as join would take it)')
    .requiredOption('--to <source>', 'where the new key comes from: gramine:mrsigner, file:<path>, …')
    .action(reseal)
}

async function reseal(flags: ResealFlags): Promise<void> {
  const { resealStore } = await import('../store/index.js')
  const settings = await settingsOf(flags)
  const location = folderOf(settings)
  const from = await sealingKeyOf(settings, flags.from)
  try {
    const to = await nextSealingKeyOf(settings, flags.to, from)
    try {
      await untilInterrupted((signal) => resealStore({ location, from, to, signal }))
    } finally {
      zero(to)
    }
  } finally {
    zero(from)
  }
  process.stdout.write(`${location} is sealed under the key of ${flags.to} now: say so in the configuration.\n`)
}
