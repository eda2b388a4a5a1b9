import { allOptions, type Verb, type VerbOption } from './verb';

/** A verb as completion sees it. */
export interface CompletionVerb extends Verb {
  readonly name: string;
  readonly summary: string;
}

/** Script that completes verbs, their options and file names, by the shell that reads it. */
export const COMPLETIONS: Readonly<Record<string, (verbs: readonly CompletionVerb[]) => string>> = { bash, zsh, fish };

const HELP: VerbOption = { flags: '--help', description: 'show what the verb takes' };

function optionsOf(verb: Verb): { name: string; value: boolean; description: string }[] {
  return [...allOptions(verb), HELP].map(({ flags, description }) => {
    const [name, ...value] = flags.split(' ');
    return { name, value: value.length > 0, description };
  });
}

/** A word in single quotes as POSIX shells read it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function bash(verbs: readonly CompletionVerb[]): string {
  const cases = verbs.map((verb) => {
    const names = optionsOf(verb).map(({ name }) => name);
    return `    ${verb.name}) words=${quote(names.join(' '))} ;;`;
  });
  return `_hone() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quote(verbs.map(({ name }) => name).join(' '))} -- "$current"))
    return
  fi
  case "$current" in -*) ;; *) return ;; esac
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F _hone hone
`;
}

function zsh(verbs: readonly CompletionVerb[]): string {
  // A colon parts the word from its description.
  const entry = (name: string, description: string) => quote(`${name.replaceAll(':', '\\:')}:${description}`);
  const cases = verbs.map((verb) => {
    const entries = optionsOf(verb).map(({ name, description }) => entry(name, description));
    return `    ${verb.name}) options=(${entries.join(' ')}) ;;`;
  });
  return `#compdef hone
_hone() {
  local -a verbs options
  verbs=(${verbs.map(({ name, summary }) => entry(name, summary)).join(' ')})
  if (( CURRENT == 2 )); then
    _describe -t verbs 'verb' verbs
    return
  fi
  case "$words[2]" in
${cases.join('\n')}
  esac
  if [[ "$PREFIX" == -* ]]; then _describe -t options 'option' options; else _files; fi
}
if [[ "$funcstack[1]" == _hone ]]; then _hone "$@"; else compdef _hone hone; fi
`;
}

function fish(verbs: readonly CompletionVerb[]): string {
  // Fish escapes with a backslash inside of single quotes.
  const word = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = verbs.flatMap((verb) => [
    `complete -c hone -n __fish_use_subcommand -f -a ${verb.name} -d ${word(verb.summary)}`,
    ...optionsOf(verb).map(
      ({ name, value, description }) =>
        `complete -c hone -n '__fish_seen_subcommand_from ${verb.name}' -l ${name.slice(2)}${value ? ' -r' : ''} -d ${word(description)}`,
    ),
  ]);
  return `${lines.join('\n')}\n`;
}
