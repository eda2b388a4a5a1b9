import type { Graph, ValueType } from '../ir/graph';
import { bindToOneSample } from '../passes/bind-inputs';
import { openReference } from '../reference/session';
import type { Artifact } from './artifact';
import type { CompressOptions } from './compress';
import type { Executor, ExecutorName } from './executor';
import { makePlan, requireModel } from './make-plan';
import { openNativeExecutor } from './native-executor';
import { indexLimits } from './random-feeds';
import { requireRunnable } from './require-runnable';

export interface ExecutorOptions extends CompressOptions {
  /** `native` when left out; nothing falls back by itself. */
  readonly executor?: ExecutorName;
  readonly threads?: number;
  /** Whether the native engine runs beside this thread (`openNativeExecutor`). */
  readonly beside?: boolean;
  /** For timing: onnxruntime as it comes, with integer kernels that may saturate (see `openReference`). */
  readonly integerKernels?: boolean;
}

/**
 * Opens an artifact for execution: compiled for the native engine, or by onnxruntime when the caller says so.
 * @throws what `makePlan`, `openSession`, `openReference` and, for onnxruntime, `requireRunnable` throw
 */
export async function openExecutor(artifact: Artifact, options: ExecutorOptions = {}): Promise<Executor> {
  const { executor = 'native', threads = 1 } = options;
  if (executor === 'native') {
    const { beside = false, signal } = options;
    return openNativeExecutor((await makePlan(artifact, options)).plan, { threads, beside, ...(signal && { signal }) });
  }
  const { graph, bytes, derived } = requireModel(artifact, 'run by onnxruntime');
  requireRunnable(graph);
  const reference = await openReference(derived ? graph : bytes, {
    threads,
    integerKernels: options.integerKernels ?? false,
  });
  return {
    name: 'onnxruntime',
    inputs: inputTypes(bindToOneSample(graph)),
    outputs: graph.outputs,
    indexLimits: indexLimits(graph),
    convert: (feeds) => feeds,
    run: (feeds) => reference.run(feeds),
    reset: () => {},
    close: () => reference.close(),
  };
}

function inputTypes({ inputs, values }: Graph): ReadonlyMap<string, ValueType> {
  return new Map(inputs.map((name) => [name, values.get(name)!]));
}
