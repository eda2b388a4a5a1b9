import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Compares text with a file of test/passes/golden; UPDATE=1 writes the file instead. */
export function checkGoldenText(name: string, text: string): void {
  const path = join(__dirname, 'golden', `${name}.txt`);
  if (process.env.UPDATE === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  if (!existsSync(path)) throw new Error(`${path} is missing: run with UPDATE=1 and read what it writes`);
  expect(text).toBe(readFileSync(path, 'utf8'));
}
