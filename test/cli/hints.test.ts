import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandName, withCommandName } from '../../lib/cli/command-name';
import { optionNames } from '../../lib/cli/verb';
import { VERBS } from '../../lib/cli/verbs';
import { ERRORS } from '../../lib/core/error-table';
import { adviceOn, nearest } from '../../lib/core/nearest';
import { ROOT, sourceFiles } from '../tidy/sources';
import { distPath } from './hone';

const sampleVerbs = VERBS.map((row) => optionNames(row.load())).filter((names) =>
  ['--data', '--calibration', '--input'].some((name) => names.includes(name)),
);
const hints = Object.entries(ERRORS).map(([code, { hint }]) => [code, hint] as const);

test.each(hints)('%s: its hint names only what there is', (_code, hint) => {
  for (const [, words] of hint.matchAll(/`hone ([^`{]+)/g)) {
    const [name, ...options] = words
      .trim()
      .split(' ')
      .filter((word) => /^-|^\w/.test(word));
    const row = VERBS.find((verb) => verb.name === name);
    if (name.startsWith('--')) expect(name).toBe('--help');
    else
      expect(optionNames(row!.load())).toEqual(expect.arrayContaining(options.filter((word) => word.startsWith('-'))));
  }
  // An option by itself is advice to all verbs that read samples, except where the hint offers several.
  const outside = hint.replace(/`[^`]*`/g, '').replace('(--data, --calibration)', '');
  for (const [option] of outside.matchAll(/--\w[\w-]*/g))
    expect(sampleVerbs.filter((names) => !names.includes(option))).toEqual([]);
  expect(hint).not.toMatch(/npm run|node dist/);
});

test('verbs that errors name to the user exist', () => {
  const named = sourceFiles('lib', ['.ts']).flatMap((path) =>
    [...readFileSync(join(ROOT, path), 'utf8').matchAll(/\bverb(?:: string)?(?::| =) '([\w-]+)'(?! \|)/g)].map(
      ([, verb]) => verb,
    ),
  );
  expect(named.length).toBeGreaterThan(5);
  expect(VERBS.map(({ name }) => name)).toEqual(expect.arrayContaining(named));
});

test.each([
  ['/p/node_modules/.bin/hone', 'exec', 'npx hone'],
  ['/usr/bin/hone', undefined, 'hone'],
  ['/p/node_modules/.bin/hone', 'run', 'npx hone'],
  ['/usr/lib/node_modules/@hone-edge/hone/dist/lib/cli/hone', 'run', 'hone'],
  ['/clone/dist/lib/cli/main.js', undefined, 'node ../clone/dist/lib/cli/main.js'],
])('%s with npm %s is called %s', (script, npm, name) => {
  expect(commandName(script, npm, '/work')).toBe(name);
  expect(withCommandName('see `hone bench --help`, `hone` or `honey`', name)).toBe(
    `see \`${name} bench --help\`, \`${name}\` or \`honey\``,
  );
});

test.each([
  ['inspekt', 'inspect'],
  ['depoly', 'deploy'],
  ['rnu', 'run'],
  ['sens', 'sensitivity'],
  ['comp', undefined],
  ['xyz', undefined],
  ['list', undefined],
  ['', undefined],
  ['convert', undefined],
])('the verb nearest to "%s" is %s', (word, near) => {
  expect(
    nearest(
      word,
      VERBS.map(({ name }) => name),
    ),
  ).toBe(near);
});

test('where none is near, all are named', () => {
  expect(adviceOn('zebra', ['a', 'b'], (word) => `r.yaml: ${word}`)).toEqual({ advice: 'Known: a, b.' });
  expect(adviceOn('zebra', [])).toEqual({ advice: 'There is none to choose.' });
  expect(adviceOn('thread', ['threads'], (word) => `o.${word}`)).toEqual({
    nearest: 'o.threads',
    advice: "Did you mean 'o.threads'?",
  });
});

test('help and version load no verb', () => {
  const count = (...args: string[]) => {
    const main = JSON.stringify(distPath('lib/cli/main.js'));
    const script = `process.argv.splice(1, 0, 'hone'); process.on('exit', () => console.error(Object.keys(require.cache).length)); require(${main})`;
    return Number(spawnSync(process.execPath, ['-e', script, '--', ...args], { encoding: 'utf8' }).stderr);
  };
  expect(count('--version')).toBeLessThan(30);
  expect(count('--help')).toBeLessThan(30);
  expect(count('compress', '--help')).toBeGreaterThan(100);
});
