import type { CommandDefinition, OptionDefinition } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The `completion` command over a list of commands (which may hold it itself). */
export function completionCommand(
  commands: () => readonly CommandDefinition[] | Promise<readonly CommandDefinition[]>,
): CommandDefinition {
  return {
    name: 'completion',
    summary: 'print the completion script of a shell',
    arguments: { name: 'SHELL', summary: SHELLS.join(', ') },
    options: [],
    examples: [
      'source <(nametap completion bash)  # in ~/.bashrc',
      'nametap completion zsh > ~/.zfunc/_nametap  # a folder of $fpath',
      'nametap completion fish > ~/.config/fish/completions/nametap.fish',
    ],
    async run(args) {
      const shell = SHELLS.find((one) => one === args[0]);
      if (shell === undefined || args.length > 1) throw new UserError(`Which shell? Give one of ${SHELLS.join(', ')}.`);
      process.stdout.write(completionScript(shell, await commands()));
      return EXIT.ok;
    },
  };
}

/** The completion script of a shell: commands, their options, closed lists of values, and files elsewhere. */
export function completionScript(shell: Shell, commands: readonly CommandDefinition[]): string {
  if (shell === 'bash') return bash(commands);
  return shell === 'zsh' ? zsh(commands) : fish(commands);
}

/** Spellings of an option, `-i` before `--interface`. */
function spellings({ name, letter }: OptionDefinition): string[] {
  return letter === undefined ? [`--${name}`] : [`-${letter}`, `--${name}`];
}

function bash(commands: readonly CommandDefinition[]): string {
  const cases = commands.map((command) => {
    const flags = command.options.flatMap(spellings).join(' ');
    const values = command.options
      .filter(({ choices }) => choices !== undefined)
      .map((option) => {
        const words = (option.choices ?? []).join(' ');
        return `      ${spellings(option).join('|')}) COMPREPLY=($(compgen -W '${words}' -- "$word")); return ;;\n`;
      });
    const interfaces = command.options
      .filter(({ name }) => name === 'interface')
      .map(
        (option) =>
          `      ${spellings(option).join('|')}) COMPREPLY=($(compgen -W "$interfaces" -- "$word")); return ;;\n`,
      );
    const inCase = [...values, ...interfaces].join('');
    const previous =
      inCase === '' ? '' : `      case $before in\n${inCase.replaceAll(/^/gm, '  ').trimEnd()}\n      esac\n`;
    return `    ${command.name})\n${previous}      flags='${flags} --help' ;;\n`;
  });
  const names = commands.map(({ name }) => name).join(' ');
  return `# bash completion of nametap: source <(nametap completion bash)
_nametap() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} flags= interfaces=
  [[ -d /sys/class/net ]] && interfaces="any $(ls /sys/class/net)"
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${names} --help --version' -- "$word"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('')}  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
  else
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -F _nametap nametap
`;
}

function zsh(commands: readonly CommandDefinition[]): string {
  const quoted = (text: string) => text.replaceAll("'", "'\\''");
  const inBrackets = (text: string) => quoted(text).replaceAll(/[[\]:]/g, '\\$&');
  const argument = (option: OptionDefinition): string => {
    if (option.value === undefined) return '';
    if (option.choices !== undefined) return `:${option.value}:(${option.choices.join(' ')})`;
    if (option.name === 'interface') return `:${option.value}:_net_interfaces`;
    return option.value === 'FILE' ? `:${option.value}:_files` : `:${option.value}:`;
  };
  const cases = commands.map((command) => {
    const options = command.options.map((option) => {
      const words = spellings(option);
      const head = words.length > 1 ? `{${words.join(',')}}` : words[0];
      const not =
        option.many === true || words.length === 1 ? (option.many === true ? '*' : '') : `(${words.join(' ')})`;
      return `        '${not}'${head}'[${inBrackets(option.summary)}]${quoted(argument(option))}' \\\n`;
    });
    const rest = command.arguments === undefined ? '' : `        '*:${inBrackets(command.arguments.name)}:_files' \\\n`;
    return `      ${command.name})\n        _arguments \\\n${options.join('')}${rest}        '--help[show help]' ;;\n`;
  });
  const names = commands.map(({ name, summary }) => `    '${name}:${quoted(summary)}'\n`).join('');
  return `#compdef nametap
# zsh completion of nametap: save as _nametap in a folder of $fpath
_nametap() {
  local -a commands=(
${names}  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=\${words[2]}
  shift words
  ((CURRENT--))
  case $command in
${cases.join('')}  esac
}
_nametap "$@"
`;
}

function fish(commands: readonly CommandDefinition[]): string {
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = ['# fish completion of nametap: save as ~/.config/fish/completions/nametap.fish'];
  for (const { name, summary } of commands) {
    lines.push(`complete -c nametap -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`);
  }
  for (const command of commands) {
    for (const option of command.options) {
      const words = [`complete -c nametap -n ${quoted(`__fish_seen_subcommand_from ${command.name}`)}`];
      if (option.letter !== undefined) words.push(`-s ${option.letter}`);
      words.push(`-l ${option.name}`);
      if (option.choices !== undefined) words.push(`-x -a ${quoted(option.choices.join(' '))}`);
      else if (option.name === 'interface') words.push("-x -a '(command ls /sys/class/net 2>/dev/null)'");
      else if (option.value !== undefined) words.push(option.value === 'FILE' ? '-r' : '-x');
      lines.push(`${words.join(' ')} -d ${quoted(option.summary)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
