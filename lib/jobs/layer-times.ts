import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ISAS, type Isa } from '../compress/target';
import { HoneError } from '../core/error';
import { allocate } from '../engine/arrays';
import { describeCpu, openSession } from '../engine/session';
import type { Artifact } from './artifact';
import { makePlan } from './make-plan';
import type { ExecutorOptions } from './open-executor';
import { writeFileAtomically } from './write-file';

const layerTimes = z.object({
  format: z.literal('hone-layer-times'),
  version: z.literal(1),
  isa: z.enum(Object.keys(ISAS) as [Isa, ...Isa[]]),
  threads: z.number().int().min(1),
  /** SHA-256 of the file that was measured. */
  model: z.string(),
  runs: z.number().int().min(1),
  /** Least time of each layer in ns, by the name of its node. */
  layers: z.record(z.string(), z.number().min(0)),
});

/** Measured times of layers: a file that `bench --times` writes and recipes read as `target.times`. */
export type LayerTimes = z.output<typeof layerTimes>;

/** Runs that are timed node by node. */
const RUNS = 500;

/** The strongest instruction set that the engine may use on this machine (see HONE_CPU). @throws E_ADDON_MISSING, E_CPU_MASK */
export function hostIsa(): Isa {
  return describeCpu(process.env.HONE_CPU).split(',').at(-1) as Isa;
}

/**
 * Least time of each layer of a model on the native engine of this machine.
 * @throws what `makePlan` and `openSession` throw
 */
export async function measureLayerTimes(artifact: Artifact, options: ExecutorOptions = {}): Promise<LayerTimes> {
  const { threads = 1 } = options;
  const layers = layerTimesOf((await makePlan(artifact, options)).plan, threads);
  return { format: 'hone-layer-times', version: 1, isa: hostIsa(), threads, model: artifact.hash, runs: RUNS, layers };
}

/** Least time of each layer of a plan in ns; a fused step counts for its first node, the layer. @throws as `openSession` */
export function layerTimesOf(plan: Uint8Array, threads = 1): Record<string, number> {
  const session = openSession(plan, { threads, profile: true });
  try {
    const [inputs, outputs] = [session.inputs, session.outputs].map((ports) =>
      Object.fromEntries(ports.map((port) => [port.name, allocate(port)])),
    );
    const run = session.bind(inputs, outputs);
    for (let count = 0; count < RUNS; count++) run();
    return Object.fromEntries(session.profile().nodes.map(({ name, leastNs }) => [name.split('+')[0], leastNs]));
  } finally {
    session.close();
  }
}

/** Writes measured times. @throws E_FILE_WRITE */
export function writeLayerTimes(path: string, times: LayerTimes): Promise<void> {
  return writeFileAtomically(path, `${JSON.stringify(times, null, 2)}\n`);
}

/** The times of a file and the SHA-256 of its bytes; `option` names it in messages. @throws E_OPTION_VALUE */
export async function readLayerTimes(path: string, option: string): Promise<{ times: LayerTimes; sha256: string }> {
  const expected = 'a file of layer times, as `hone bench <model> --times <file>` writes it';
  const refuse = (reason: string, cause: unknown) =>
    new HoneError('E_OPTION_VALUE', { option, expected, found: `${path}: ${reason}` }, { cause });
  const bytes = await readFile(path).catch((error: Error) => {
    throw refuse(error.message, error);
  });
  try {
    const times = layerTimes.parse(JSON.parse(bytes.toString('utf8')));
    return { times, sha256: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    throw refuse(error instanceof z.ZodError ? 'other content' : (error as Error).message, error);
  }
}
