import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import type { Graph } from '../lib/ir/graph';
import { elementCount, type Tensor, toNumbers } from '../lib/ir/tensor';
import { readModelFile } from '../lib/onnx/read-model';
import { writeModel } from '../lib/onnx/write-model';
import { loadRuntime } from '../lib/reference/runtime';
import { toRuntimeTensor } from '../lib/reference/tensors';
import { inputParameters } from './rival-forms';
import type { Subject } from './timing';

/** How an onnxruntime session is set up. */
export interface RivalSetting {
  readonly name: string;
  readonly level: 'all' | 'extended';
  /** Keys below `session.`. */
  readonly config: Readonly<Record<string, string>>;
}

/** The settings that race; all of them with one thread and no spinning. */
export const RIVAL_SETTINGS: readonly RivalSetting[] = [
  { name: 'all optimizations', level: 'all', config: {} },
  { name: 'all optimizations, Q/DQ cleanup', level: 'all', config: { enable_quant_qdq_cleanup: '1' } },
  { name: 'extended optimizations', level: 'extended', config: {} },
];

/** Whether results go to tensors made once, or to fresh ones. */
export type RivalCall = 'outputs preallocated' | 'outputs fresh';

/** A session of onnxruntime with its inputs and outputs made once. */
export interface Rival {
  readonly name: string;
  /** Operators of the graph that onnxruntime made of the model, in order. */
  readonly operators: readonly string[];
  /** One inference through the public interface. */
  subject(call: RivalCall): Subject;
  /** One inference through the synchronous binding below it: what is left without promise and event loop. */
  direct(): Subject;
  /** Puts a sample into the inputs; quantizes it where the graph takes bytes. */
  feed(sample: ReadonlyMap<string, Tensor>): void;
  /** The first output of an inference on the inputs as they are. */
  infer(): Promise<number[]>;
  close(): Promise<void>;
}

/** Opens `graph` under `setting`. `sample` gives the order of the inputs. @throws what onnxruntime throws */
export async function openRival(name: string, graph: Graph, setting: RivalSetting): Promise<Rival> {
  const runtime = loadRuntime();
  const bytes = writeModel(graph);
  const folder = await mkdtemp(join(tmpdir(), 'hone-bench-'));
  let session: InferenceSession;
  let operators: string[];
  try {
    const optimized = join(folder, 'optimized.onnx');
    session = await runtime.InferenceSession.create(bytes, sessionOptions(setting, optimized));
    operators = (await readModelFile(optimized)).nodes.map(({ op }) => op);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const feeds = Object.fromEntries(graph.inputs.map((input) => [input, makeTensor(graph, input)]));
  const fetches = Object.fromEntries(graph.outputs.map((output) => [output, makeTensor(graph, output)]));
  let binding: SynchronousSession | undefined;
  return {
    name,
    operators,
    subject: (call) => ({
      name,
      run: call === 'outputs fresh' ? () => session.run(feeds) : () => session.run(feeds, fetches),
    }),
    direct() {
      binding ??= openSynchronous(bytes, sessionOptions(setting));
      const target = binding;
      return { name: `${name}, synchronous`, run: () => void target.run(feeds, fetches, {}) };
    },
    feed(sample) {
      const values = [...sample.values()].map(toNumbers);
      for (const [index, input] of graph.inputs.entries())
        (feeds[input].data as Float32Array).set(encode(values[index], inputParameters(graph, input)));
    },
    async infer() {
      const results = await session.run(feeds);
      return Array.from(results[graph.outputs[0]].data as Float32Array);
    },
    async close() {
      binding?.dispose();
      await session.release();
    },
  };
}

/** Opens an ONNX file with fixed shapes and returns a function that runs one inference on zeros. */
export async function openSessionFile(path: string): Promise<() => Promise<unknown>> {
  const { InferenceSession: Runtime, Tensor: RuntimeTensorClass } = loadRuntime();
  const session = await Runtime.create(path, sessionOptions(RIVAL_SETTINGS[0]));
  const tensors = (ports: readonly InferenceSession.ValueMetadata[]): Record<string, RuntimeTensor> =>
    Object.fromEntries(
      ports.flatMap((port) => {
        if (!port.isTensor) return [];
        const dims = port.shape as readonly number[];
        return [[port.name, new RuntimeTensorClass('float32', new Float32Array(elementCount(dims)), dims)]];
      }),
    );
  const [feeds, fetches] = [tensors(session.inputMetadata), tensors(session.outputMetadata)];
  return () => session.run(feeds, fetches);
}

/** A session of onnxruntime that always runs on the same inputs. */
export interface FedSession {
  readonly run: () => Promise<unknown>;
  readonly close: () => Promise<void>;
}

/** Opens the bytes of an ONNX model for inferences on `feeds`. @throws what onnxruntime throws */
export async function openFed(model: Uint8Array, feeds: ReadonlyMap<string, Tensor>): Promise<FedSession> {
  const session = await loadRuntime().InferenceSession.create(model, sessionOptions(RIVAL_SETTINGS[0]));
  const tensors = Object.fromEntries(
    [...feeds]
      .filter(([name]) => session.inputNames.includes(name))
      .map(([name, tensor]) => [name, toRuntimeTensor(name, tensor)]),
  );
  return { run: () => session.run(tensors), close: () => session.release() };
}

interface SynchronousSession {
  loadModel(
    buffer: ArrayBufferLike,
    byteOffset: number,
    byteLength: number,
    options: InferenceSession.SessionOptions,
  ): void;
  run(
    feeds: Readonly<Record<string, RuntimeTensor>>,
    fetches: Readonly<Record<string, RuntimeTensor>>,
    options: InferenceSession.RunOptions,
  ): unknown;
  dispose(): void;
}

/** A session of the binding inside onnxruntime-node, which its public interface calls from `setImmediate`. */
function openSynchronous(bytes: Uint8Array, options: InferenceSession.SessionOptions): SynchronousSession {
  const { binding } = require('onnxruntime-node/dist/binding') as {
    readonly binding: { readonly InferenceSession: new () => SynchronousSession };
  };
  const session = new binding.InferenceSession();
  session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, options);
  return session;
}

function sessionOptions(setting: RivalSetting, optimizedModelFilePath?: string): InferenceSession.SessionOptions {
  return {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: setting.level,
    logSeverityLevel: 3,
    extra: { session: { ...setting.config, intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
    ...(optimizedModelFilePath === undefined ? {} : { optimizedModelFilePath }),
  };
}

function makeTensor(graph: Graph, value: string): RuntimeTensor {
  const { Tensor: Runtime } = loadRuntime();
  const { type, shape } = graph.values.get(value)!;
  const dims = shape as readonly number[];
  const count = elementCount(dims);
  return type === 'uint8'
    ? new Runtime('uint8', new Uint8Array(count), dims)
    : new Runtime('float32', new Float32Array(count), dims);
}

function encode(values: readonly number[], bytes: ReturnType<typeof inputParameters>): readonly number[] {
  if (bytes === undefined) return values;
  const { scale, zeroPoint } = bytes;
  return values.map((value) => Math.min(255, Math.max(0, Math.round(value / scale) + zeroPoint)));
}
