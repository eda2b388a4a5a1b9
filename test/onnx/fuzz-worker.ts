import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { corpusOf, makeCase, runCase } from './fuzz-case';

/** Cases that one process tries: what onnxruntime leaves behind would add up. */
const CASES = 3000;

/** A line to the process that watches; written at once, so that it is there when this process ends. */
function say(...words: readonly (string | number)[]): void {
  writeSync(1, `${words.join(' ')}\n`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { seed: { type: 'string' }, from: { type: 'string' }, folder: { type: 'string', multiple: true } },
  });
  const [seed, from] = [Number(values.seed), Number(values.from)];
  const corpus = corpusOf(values.folder ?? []);
  say('corpus', corpus.length);
  for (let index = from; index < from + CASES; index++) {
    say('begin', index);
    const bytes = makeCase(corpus, seed, index);
    try {
      const outcome = await runCase(bytes, index, (stage) => say('stage', stage));
      say('end', process.resourceUsage().maxRSS, outcome);
    } catch (error) {
      say('fault', JSON.stringify(error instanceof Error ? error.stack : String(error)));
    }
  }
}

void main();
