import { Argument, type Command } from 'commander'

const SHELLS = ['bash', 'zsh'] as const

type Shell = (typeof SHELLS)[number]

/** A command, and what may stand behind it. */
interface Node {
  /** Names behind that of the program, each with a space before it: ` attest verify`; empty for the program. */
  readonly path: string
  readonly commands: readonly Word[]
  readonly options: readonly Word[]
}

interface Word {
  readonly name: string
  readonly about: string
}

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('Print a script by which a shell completes commands and flags.')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  source <(slotmesh completion bash)                       (in ~/.bashrc)
  slotmesh completion zsh > "\${fpath[1]}/_slotmesh"`,
    )
    .action((shell: Shell) => {
      process.stdout.write(completionOf(program, shell))
    })
}

/** A script that knows the commands and flags of the program as it is. */
export function completionOf(program: Command, shell: Shell): string {
  const nodes = nodesOf(program, '')
  return shell === 'bash' ? bashScript(nodes) : zshScript(nodes)
}

function nodesOf(command: Command, path: string): Node[] {
  const options = command.createHelp().visibleOptions(command)
  const own: Node = {
    path,
    commands: command.commands.map((each) => ({ name: each.name(), about: each.description() })),
    options: options.flatMap(({ long, description }) => (long ? [{ name: long, about: description }] : [])),
  }
  return [own, ...command.commands.flatMap((each) => nodesOf(each, `${path} ${each.name()}`))]
}

/** Which command the words before the last one have come to. */
function walk(nodes: readonly Node[], words: string): string {
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => quoted(path))
  return `  for word in ${words}; do
    case "$at $word" in
      ${paths.join(' | \\\n        ')}) at="$at $word" ;;
    esac
  done`
}

function bashScript(nodes: readonly Node[]): string {
  const cases = nodes.map(({ path, commands, options }) => {
    const names = (words: readonly Word[]) => words.map(({ name }) => name).join(' ')
    return `    ${quoted(path)}) commands=${quoted(names(commands))} options=${quoted(names(options))} ;;`
  })
  return `# Completes slotmesh in bash.
_slotmesh() {
  local at='' word commands='' options='' current=\${COMP_WORDS[COMP_CWORD]}
${walk(nodes, `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`)}
  case $at in
${cases.join('\n')}
  esac
  # Where neither is meant, files are completed.
  if [[ $current == -* ]]; then commands=$options; fi
  COMPREPLY=($(compgen -W "$commands" -- "$current"))
}
complete -o default -F _slotmesh slotmesh
`
}

function zshScript(nodes: readonly Node[]): string {
  const cases = nodes.map(({ path, commands, options }) => {
    const described = (words: readonly Word[]) =>
      words.map(({ name, about }) => quoted(`${name}:${about.replaceAll(':', '\\:')}`)).join(' ')
    return `    ${quoted(path)}) commands=(${described(commands)}) options=(${described(options)}) ;;`
  })
  return `#compdef slotmesh
_slotmesh() {
  local at='' word
  local -a commands options
${walk(nodes, `\${words[2,CURRENT-1]}`)}
  case $at in
${cases.join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe option options
  elif (( $#commands )); then
    _describe command commands
  else
    _files
  fi
}
if [[ $funcstack[1] == _slotmesh ]]; then
  _slotmesh "$@"
else
  compdef _slotmesh slotmesh
fi
`
}

/** As one word for either shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
