import { readFileSync } from 'node:fs';
import { openSession } from '../../lib/engine/session';
import { loadRuntime } from '../../lib/reference/runtime';

/** One row of the demo's table: a model file and the runtime that runs it. */
export interface Contestant {
  readonly name: string;
  readonly runtime: 'onnxruntime' | 'hone';
  /** ONNX file, or plan. */
  readonly path: string;
}

/** What a runtime holds for a model, in bytes; null where it does not tell. */
export interface HeldBytes {
  readonly weights: number | null;
  readonly arena: number | null;
}

/** A contestant ready to run: fill `input`, call `run`, read `output`. One thread. */
export interface Runner {
  readonly input: Float32Array;
  readonly output: Float32Array;
  readonly held: HeldBytes;
  run(): void | Promise<void>;
  close(): void | Promise<void>;
}

/** Opens a contestant in the way that costs it least per call: memory bound once. */
export async function openRunner({ runtime, path }: Contestant): Promise<Runner> {
  return runtime === 'hone' ? openHone(path) : openOnnxruntime(path);
}

function openHone(path: string): Runner {
  const session = openSession(path);
  const input = new Float32Array(session.inputs[0].length);
  const output = new Float32Array(session.outputs[0].length);
  const run = session.bind({ [session.inputs[0].name]: input }, { [session.outputs[0].name]: output });
  const { planBytes, packedBytes, arenaBytes, scratchBytes } = session.memory;
  const held = { weights: planBytes + packedBytes, arena: arenaBytes + scratchBytes };
  return { input, output, held, run, close: () => session.close() };
}

async function openOnnxruntime(path: string): Promise<Runner> {
  const { InferenceSession, Tensor } = loadRuntime();
  const session = await InferenceSession.create(readFileSync(path), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  const input = new Float32Array(28 * 28);
  const output = new Float32Array(10);
  const feeds = { [session.inputNames[0]]: new Tensor('float32', input, [1, 1, 28, 28]) };
  const fetches = { [session.outputNames[0]]: new Tensor('float32', output, [1, 10]) };
  return {
    input,
    output,
    held: { weights: null, arena: null },
    run: async () => void (await session.run(feeds, fetches)),
    close: () => session.release(),
  };
}
