import type { Graph, ValueType } from '../ir/graph';
import type { Tensor } from '../ir/tensor';
import { bindToOneSample } from '../passes/bind-inputs';
import { openReference } from '../reference/session';
import type { Artifact } from './artifact';
import type { CompressOptions } from './compress';
import { makePlan, requireModel } from './make-plan';
import { openNativeExecutor } from './native-executor';
import { indexLimits } from './random-feeds';

export const EXECUTORS = ['native', 'onnxruntime'] as const;
export type ExecutorName = (typeof EXECUTORS)[number];

export interface ExecutorOptions extends CompressOptions {
  /** `native` when left out; nothing falls back by itself. */
  readonly executor?: ExecutorName;
  readonly threads?: number;
  /** For timing: onnxruntime as it comes, with integer kernels that may saturate (see `openReference`). */
  readonly integerKernels?: boolean;
}

/** Runs single samples of one model, by whichever engine. */
export interface Executor {
  readonly name: ExecutorName;
  /** Types for one sample; extents that the model leaves free are symbols. */
  readonly inputs: ReadonlyMap<string, ValueType>;
  readonly outputs: readonly string[];
  /** Bound of integer inputs that are indices into a table, by name. */
  readonly indexLimits: ReadonlyMap<string, number>;
  /** Outputs by name for inputs with a leading axis of 1. */
  run(feeds: ReadonlyMap<string, Tensor>): Promise<ReadonlyMap<string, Tensor>>;
  close(): Promise<void>;
}

/**
 * Opens an artifact for execution: compiled for the native engine, or by onnxruntime when the caller says so.
 * @throws what `makePlan`, `openSession` and `openReference` throw
 */
export async function openExecutor(artifact: Artifact, options: ExecutorOptions = {}): Promise<Executor> {
  const { executor = 'native', threads = 1 } = options;
  if (executor === 'native') return openNativeExecutor((await makePlan(artifact, options)).plan, threads);
  const { graph, bytes, derived } = requireModel(artifact, 'run by onnxruntime');
  const reference = await openReference(derived ? graph : bytes, {
    threads,
    integerKernels: options.integerKernels ?? false,
  });
  return {
    name: 'onnxruntime',
    inputs: inputTypes(bindToOneSample(graph)),
    outputs: graph.outputs,
    indexLimits: indexLimits(graph),
    run: (feeds) => reference.run(feeds),
    close: () => reference.close(),
  };
}

function inputTypes({ inputs, values }: Graph): ReadonlyMap<string, ValueType> {
  return new Map(inputs.map((name) => [name, values.get(name)!]));
}
