import type { VerbRow } from '../../lib/cli/verb';
import { VERBS } from '../../lib/cli/verbs';

/** docs/cli.md: every verb with its arguments, options and examples, from the verb table. */
export function cliPage(): string {
  const list = VERBS.map(({ name, summary }) => `| [\`${name}\`](#hone-${name}) | ${cell(summary)} |`);
  return [
    '# Command line',
    '',
    'Generated from `lib/cli/verbs.ts` by `npm run docs`. Every verb takes `--json` (results and errors as JSON on standard',
    'output; `watch` prints one line of JSON per frame, `stream` one per answer) and `--help`. Exit code 0: done; 1: an error, on standard error with its',
    'code of [errors.md](errors.md); 3: `compress` missed a goal of its recipe and kept the best model; 130: ended by Ctrl-C.',
    '`serve` and `stream` end with 0 when they are told to stop by SIGTERM. In JSON, `null` is a value that is not known, with the reason beside it; a ratio',
    'in decibels without any noise is the string `Infinity`. `HONE_TRACE=passes` names every rewrite of a model as it happens, rule and nodes,',
    'on standard error (`inspect`, `compile`, `run`, `eval`, `bench`, `serve`, `deploy`, `compress` without a recipe).',
    '',
    '| verb | what it does |',
    '| --- | --- |',
    ...list,
    ...VERBS.flatMap(section),
    '',
  ].join('\n');
}

function section({ name, summary, load }: VerbRow): string[] {
  const { args, options, examples } = load();
  const usage = ['hone', name, ...(options.length > 0 ? ['[options]'] : []), ...args.map((arg) => arg.name)].join(' ');
  const rows = [
    ...args.map((arg) => `| \`${arg.name}\` | ${cell(arg.description)} | |`),
    ...options.map(
      ({ flags, description, default: value }) =>
        `| \`${flags}\` | ${cell(description)} | ${value === undefined ? '' : `\`${value}\``} |`,
    ),
  ];
  const table = rows.length === 0 ? [] : ['| option | meaning | default |', '| --- | --- | --- |', ...rows, ''];
  return ['', `## hone ${name}`, '', `${sentence(summary)} \`${usage}\``, '', ...table, '```sh', ...examples, '```'];
}

function sentence(text: string): string {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
