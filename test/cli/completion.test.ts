import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMPLETIONS } from '../../lib/cli/completion';
import { optionNames } from '../../lib/cli/verb';
import { VERBS } from '../../lib/cli/verbs';
import { hone } from './hone';

const verbs = VERBS.map(({ name, summary, load }) => ({ name, summary, ...load() }));
const names = verbs.map(({ name }) => name);
const folder = mkdtempSync(join(tmpdir(), 'hone-completion-'));
writeFileSync(join(folder, 'model.onnx'), '');
afterAll(() => rmSync(folder, { recursive: true }));

/** What a shell offers for a command line whose last word is being typed. */
const ASK: Readonly<Record<string, (script: string, words: readonly string[]) => string>> = {
  bash: (script, words) => {
    const line = words.map((word) => `'${word}'`).join(' ');
    const ask = `${script}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _hone; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', ask], { encoding: 'utf8', cwd: folder });
  },
  // Completion of zsh runs only while a line is edited: its functions are called here with the words that they would see.
  zsh: (script, words) => {
    const ask = `compdef() { : }
_files() { print -l *(N) }
_describe() { local array=$4; print -l -- \${(P)array%%:*} }
${script}
words=(${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length}; PREFIX='${words.at(-1)}'; _hone`;
    return execFileSync('zsh', ['-f', '-c', ask], { encoding: 'utf8', cwd: folder });
  },
  fish: (script, words) =>
    execFileSync(
      'fish',
      ['--no-config', '-c', `${script}\ncomplete -C '${words.join(' ')}' | string replace -r '\\t.*' ''; true`],
      {
        encoding: 'utf8',
        cwd: folder,
        env: { ...process.env, HOME: folder },
      },
    ),
};

describe.each(Object.keys(COMPLETIONS))('%s', (shell) => {
  const there = spawnSync(shell, ['--version']).status === 0;
  const run = there ? test : test.skip;
  const offers = (...words: string[]) =>
    ASK[shell](COMPLETIONS[shell](verbs), ['hone', ...words])
      .split('\n')
      .filter((word) => word !== '');

  run('offers the verbs', () => {
    expect(offers('').sort()).toEqual(expect.arrayContaining([...names].sort()));
  });

  run('offers the options of each verb, and no others', () => {
    for (const verb of verbs) expect(offers(verb.name, '--').sort()).toEqual(optionNames(verb).sort());
  });

  run('offers files where no option begins', () => {
    // Bash offers files by itself where its function offers nothing.
    expect(offers('inspect', '')).toEqual(shell === 'bash' ? [] : expect.arrayContaining(['model.onnx']));
  });
});

test('the verb prints the script, and refuses other shells', async () => {
  expect((await hone(['completion', 'bash'])).stdout).toBe(COMPLETIONS.bash(verbs));
  const { code, stderr } = await hone(['completion', 'csh']);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/'csh'; there is one for bash, zsh, fish \[E_USAGE\]/)]);
});
