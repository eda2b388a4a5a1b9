import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { shellQuote } from '../../lib/boards/shell-quote';

const SHELLS = ['sh', 'bash', 'zsh', 'fish', 'busybox'].filter(
  (name) => spawnSync(name, ['-c', 'true']).error === undefined,
);

test('some shell is there', () => expect(SHELLS).toContain('sh'));

test.each(SHELLS)('a quoted word arrives in %s as it is', (shell) => {
  const run = (script: string) =>
    execFileSync(shell, [...(shell === 'busybox' ? ['sh'] : []), '-c', script], { encoding: 'utf8' });
  const word = fc
    .array(fc.constantFrom('\\', "'", '"', '$', '`', '!', '\n', ' ', '\\n', "\\'", '%', '#', '~', 'a', 'é', '*', ';'), {
      maxLength: 40,
    })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
      const script = words.map((each) => `printf '<%s>' ${shellQuote(each)}`).join('\n');
      expect(run(script)).toBe(words.map((each) => `<${each}>`).join(''));
    }),
    { numRuns: 20 },
  );
});
