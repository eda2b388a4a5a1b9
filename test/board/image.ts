import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { outcomeOf } from './programs';

/** The image of the board, built when it is not in the cache yet; `say` gets the lines of progress. */
export async function boardImage(say: (line: string) => void, { rebuild = false } = {}): Promise<string> {
  const script = resolve('deploy/virtual-board/build.mjs');
  const { code, stdout, stderr } = await outcomeOf(process.execPath, [script, ...(rebuild ? ['--rebuild'] : [])], {
    timeoutMs: 20 * 60_000,
    onError: (text) => {
      for (const line of text.trim().split('\n')) say(line);
    },
  });
  const folder = stdout.trim().split('\n').at(-1) ?? '';
  if (code !== 0 || !existsSync(join(folder, 'image.json')))
    throw new Error(`the image of the virtual board was not built:\n${stderr}`);
  return folder;
}

/** A new folder beside the images for what one running board writes; those of boards that are gone are removed. */
export function runFolder(image: string): string {
  const runs = join(dirname(image), 'runs');
  mkdirSync(runs, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(runs))
    if (!existsSync(`/proc/${name.split('-')[0]}`)) rmSync(join(runs, name), { recursive: true, force: true });
  const folder = mkdtempSync(join(runs, `${process.pid}-`));
  symlinkSync(image, join(folder, 'image'));
  return folder;
}
