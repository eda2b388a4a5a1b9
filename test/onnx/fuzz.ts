import { parseArgs } from 'node:util';
import { HoneError } from '../../lib/core/error';
import { Rng } from '../../lib/core/rng';
import { print } from '../../lib/ir/print';
import { verify } from '../../lib/ir/verify';
import type { ExternalData } from '../../lib/onnx/external-data';
import { readModel } from '../../lib/onnx/read-model';
import { writeModel } from '../../lib/onnx/write-model';
import { mutate } from './mutate';
import { seedModels } from './seeds';

/** One input may take this long; more counts as a hang. */
const LIMIT_MS = 5000;

/** A file system with one file of 8 bytes. */
const external: ExternalData = {
  size: (location) => {
    if (location !== 'w.bin') throw new Error('no such file');
    return 8;
  },
  read: (_, offset, length) => new Uint8Array(8).subarray(offset, offset + length),
};

/**
 * Reads hostile bytes. Returns whether they were a model; such a model must be sound, printable and byte-stable.
 * @throws whatever the reader throws besides a HoneError of the expected kind: a defect
 */
export function tryModel(bytes: Uint8Array): boolean {
  try {
    const graph = readModel(bytes, { path: 'fuzz', externalData: external });
    if (verify(graph).length > 0) throw new Error('the reader let an invalid graph pass');
    print(graph);
    const first = writeModel(graph);
    if (Buffer.compare(writeModel(readModel(first)), first) !== 0) throw new Error('not byte-stable');
    return true;
  } catch (error) {
    if (error instanceof HoneError && /^E_(ONNX|GRAPH)_/.test(error.code)) return false;
    throw error;
  }
}

interface Summary {
  readonly executions: number;
  /** Executions whose bytes were still a model: shows that the mutations reach beyond the first check. */
  readonly models: number;
}

/** Runs mutated seeds through the reader until the time is over. `now` returns milliseconds. */
function fuzzReader(seed: number, seconds: number, now: () => number): Summary {
  const rng = new Rng(seed);
  const corpus = seedModels();
  const end = now() + seconds * 1000;
  let executions = 0;
  let models = 0;
  for (let time = now(); time < end; executions++) {
    const bytes = mutate(pick(corpus, rng), pick(corpus, rng), rng);
    try {
      if (tryModel(bytes)) {
        models++;
        // Accepted mutants are new starting points; the corpus stays small.
        if (corpus.length < 500 && bytes.length < 4096 && rng.uniform() < 0.1) corpus.push(bytes);
      }
    } catch (error) {
      throw new Error(`defect on input ${Buffer.from(bytes).toString('base64')}`, { cause: error });
    }
    const after = now();
    if (after - time > LIMIT_MS) throw new Error(`hang on input ${Buffer.from(bytes).toString('base64')}`);
    time = after;
  }
  return { executions, models };
}

function pick<T>(list: readonly T[], rng: Rng): T {
  return list[rng.integer(0, list.length - 1)];
}

function main(): void {
  const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } });
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  const seconds = Number(values.seconds ?? 10);
  console.log(`fuzzing the ONNX reader: seed ${seed}, ${seconds} s`);
  try {
    const { executions, models } = fuzzReader(seed, seconds, () => performance.now());
    console.log(`${executions} executions (${models} still models), no defect`);
    if (models === 0) throw new Error('no mutant was a model: the fuzzer checks nothing');
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
}

if (require.main === module) main();
