import type { InferenceSession } from 'onnxruntime-node';
import { HoneError } from '../core/error';
import { usesOf } from '../ir/edit';
import type { Graph } from '../ir/graph';
import type { Tensor } from '../ir/tensor';
import { readModel } from '../onnx/read-model';
import { writeModel } from '../onnx/write-model';
import { loadRuntime } from './runtime';
import { shiftProducts } from './shift-products';
import { fromRuntimeTensor, toRuntimeTensor } from './tensors';

/** How a reference session runs. */
export interface ReferenceOptions {
  /** Threads inside operators; 1 when left out. */
  readonly threads?: number;
  /**
   * How far onnxruntime may rewrite the graph; `all` when left out. `disabled` runs every node as written, `extended` leaves out
   * what holds for this processor alone.
   */
  readonly optimization?: 'disabled' | 'extended' | 'all';
  /**
   * Lets onnxruntime fuse quantized layers into its integer kernels, as it does in a session of a user. For timing, and to see
   * what such a session gives: these kernels saturate on x86 without 8-bit dot products, and refuse some valid models.
   */
  readonly integerKernels?: boolean;
  /** Lets idle threads spin: quicker with many threads, but it takes whole cores. False when left out. */
  readonly spinning?: boolean;
  /** File that gets the rewritten graph. */
  readonly optimizedModelPath?: string;
  /** Start of the name of a Chrome-trace file with per-node times; `close` writes the rest of it. */
  readonly profilePrefix?: string;
  /** Values to offer for fetching besides the graph outputs (needs a Graph, not bytes). */
  readonly alsoFetch?: readonly string[];
}

/** An opened onnxruntime session. */
export interface Reference extends AsyncDisposable {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Values of `fetches` (all outputs when left out) for these inputs. Results are copies that the caller owns.
   * @throws E_INPUT_NAME, E_REFERENCE_RUN, E_SESSION_CLOSED
   */
  run(feeds: ReadonlyMap<string, Tensor>, fetches?: readonly string[]): Promise<Map<string, Tensor>>;
  /** Frees the session once running calls have ended; closing twice is fine. */
  close(): Promise<void>;
}

/**
 * Session of onnxruntime-node over a graph or over the bytes of an ONNX file; the only way to run a model in it. Unless `integerKernels`
 * says otherwise, quantized graphs run in a form whose results are the same on every machine: QuantizeLinear and
 * DequantizeLinear stay nodes (those of constants are folded) around float layers that are optimised as usual, and integer
 * products run as uint8 x uint8.
 * @throws what `readModel` throws, E_REFERENCE_MISSING, E_REFERENCE_LOAD when onnxruntime refuses the model, E_REFERENCE_RUN for an unknown `alsoFetch`
 */
export async function openReference(model: Graph | Uint8Array, options: ReferenceOptions = {}): Promise<Reference> {
  const runtime = loadRuntime();
  const bytes = bytesOf(model, options);
  let session: InferenceSession;
  try {
    session = await runtime.InferenceSession.create(bytes, sessionOptions(options));
  } catch (error) {
    throw new HoneError('E_REFERENCE_LOAD', { reason: (error as Error).message }, { cause: error });
  }
  return wrapSession(session, options.profilePrefix !== undefined);
}

/** The file that onnxruntime gets. */
function bytesOf(model: Graph | Uint8Array, { alsoFetch = [], integerKernels }: ReferenceOptions): Uint8Array {
  if (model instanceof Uint8Array) {
    if (integerKernels) return model;
    const graph = readModel(model);
    const shifted = shiftProducts(graph);
    return shifted === graph ? model : writeModel(shifted);
  }
  const wanted = withOutputs(model, alsoFetch);
  return writeModel(integerKernels ? wanted : shiftProducts(wanted));
}

/**
 * The graph with more outputs; values that are outputs already stay where they are.
 * @throws E_REFERENCE_RUN when the graph has no such value
 */
function withOutputs(graph: Graph, names: readonly string[]): Graph {
  const more = [...new Set(names)].filter((name) => !graph.outputs.includes(name));
  if (more.length === 0) return graph;
  const uses = usesOf(graph);
  for (const name of more)
    if (!uses.producer(name) && !graph.inputs.includes(name) && !graph.initializers.has(name))
      throw new HoneError('E_REFERENCE_RUN', { reason: `the model has no value '${name}' to fetch` });
  return { ...graph, outputs: [...graph.outputs, ...more] };
}

function sessionOptions(options: ReferenceOptions): InferenceSession.SessionOptions {
  const threads = options.threads ?? 1;
  const spin = options.spinning ? '1' : '0';
  return {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: options.optimization ?? 'all',
    // Nothing: what fails is thrown, and its own red lines would stand before our error.
    logSeverityLevel: 4,
    extra: {
      session: {
        disable_quant_qdq: options.integerKernels ? '0' : '1',
        intra_op: { allow_spinning: spin },
        inter_op: { allow_spinning: spin },
      },
      // It drops a DequantizeLinear before QuantizeLinear even where its value is an output, and the process ends in fetching that.
      ...(options.integerKernels
        ? {}
        : { optimization: { disable_specified_optimizers: 'QDQFinalCleanupTransformer' } }),
    },
    ...(options.optimizedModelPath === undefined ? {} : { optimizedModelFilePath: options.optimizedModelPath }),
    ...(options.profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: options.profilePrefix }),
  };
}

/**
 * Fetching a value of 4 bits per element ends the process.
 * @throws E_REFERENCE_RUN for values that onnxruntime-node cannot give: those, sequences, maps and optional values
 */
function requireGettable(session: InferenceSession, name: string): void {
  const found = session.outputMetadata.find((output) => output.name === name);
  const tensor = found?.isTensor !== false;
  const type = found?.isTensor === false ? 'no tensor but a sequence, map or optional value' : found?.type;
  if (type === undefined || (tensor && type !== 'int4' && type !== 'uint4')) return;
  throw new HoneError('E_REFERENCE_RUN', {
    reason: `output '${name}' is ${type}, which onnxruntime-node cannot give; export the model without it${tensor ? ', or with a Cast behind it' : ''}`,
  });
}

function wrapSession(session: InferenceSession, profiled: boolean): Reference {
  let closed: Promise<void> | undefined;
  const running = new Set<Promise<unknown>>();

  async function execute(feeds: ReadonlyMap<string, Tensor>, fetches: readonly string[]): Promise<Map<string, Tensor>> {
    const expected = () => session.inputNames.join(', ');
    for (const name of feeds.keys())
      if (!session.inputNames.includes(name)) throw new HoneError('E_INPUT_NAME', { name, expected: expected() });
    for (const name of fetches) requireGettable(session, name);
    const inputs = Object.fromEntries([...feeds].map(([name, tensor]) => [name, toRuntimeTensor(name, tensor)]));
    let results: InferenceSession.ReturnType;
    try {
      results = await session.run(inputs, [...fetches]);
    } catch (error) {
      throw new HoneError('E_REFERENCE_RUN', { reason: (error as Error).message }, { cause: error });
    }
    return new Map(fetches.map((name) => [name, fromRuntimeTensor(name, results[name])]));
  }

  const close = (): Promise<void> => {
    closed ??= Promise.allSettled(running).then(async () => {
      if (profiled) session.endProfiling();
      await session.release();
    });
    return closed;
  };
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    async run(feeds, fetches = session.outputNames) {
      if (closed) throw new HoneError('E_SESSION_CLOSED');
      const call = execute(feeds, fetches);
      running.add(call);
      try {
        return await call;
      } finally {
        running.delete(call);
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
