import type { Command } from 'commander'

/** What can be said of the table of settings, each by a command of its own. */
export function addConfig(program: Command): void {
  const config = program.command('config').description('Print what a node can be told.').helpCommand(false)
  config
    .command('schema')
    .description('Print what the configuration file may say, as JSON Schema for editors.')
    .action(async () => {
      const { configurationSchema } = await import('../config/index.js')
      process.stdout.write(`${JSON.stringify(configurationSchema(), undefined, 2)}\n`)
    })
  config
    .command('example')
    .description('Print a configuration file with every setting as a comment.')
    .action(async () => {
      const { configurationText } = await import('../config/index.js')
      process.stdout.write(configurationText(new Map()))
    })
  config
    .command('reference')
    .description('Print every setting with its flag and its environment variable, as a Markdown table.')
    .action(async () => {
      const { settingsReference } = await import('../config/index.js')
      process.stdout.write(settingsReference())
    })
}
