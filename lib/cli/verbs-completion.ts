import { HoneError } from '../core/error';
import { COMPLETIONS } from './completion';
import type { Verb, VerbRow } from './verb';

/** The verb that completes the verbs given. */
export function completionVerb(verbs: readonly VerbRow[]): Verb {
  return {
    args: [{ name: '<shell>', description: Object.keys(COMPLETIONS).join(', ') }],
    options: [],
    examples: [
      'hone completion bash >> ~/.bashrc',
      'hone completion zsh >> ~/.zshrc',
      'hone completion fish > ~/.config/fish/completions/hone.fish',
    ],
    async run([shell], _options, console) {
      if (!Object.hasOwn(COMPLETIONS, shell))
        throw new HoneError('E_USAGE', {
          reason: `no completion for '${shell}'; there is one for ${Object.keys(COMPLETIONS).join(', ')}`,
          verb: 'completion',
        });
      const script = COMPLETIONS[shell](verbs.map(({ name, summary, load }) => ({ name, summary, ...load() })));
      console.result({ shell, script });
      console.say(script.trimEnd());
      return undefined;
    },
  };
}
