import { HoneError } from '../core/error';
import type { PlanArray } from '../engine/addon';
import { openSession } from '../engine/session';
import type { Graph, ValueType } from '../ir/graph';
import { type Tensor, tensorOf, type ViewType, viewAs } from '../ir/tensor';
import { bindToOneSample } from '../passes/bind-inputs';
import { openReference } from '../reference/session';
import type { Artifact } from './artifact';
import type { CompressOptions } from './compress';
import { makePlan, requireModel } from './make-plan';
import { indexLimits } from './random-feeds';

export const EXECUTORS = ['native', 'onnxruntime'] as const;
export type ExecutorName = (typeof EXECUTORS)[number];

export interface ExecutorOptions extends CompressOptions {
  /** `native` when left out; nothing falls back by itself. */
  readonly executor?: ExecutorName;
  readonly threads?: number;
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
  const { graph, bytes, external } = requireModel(artifact, 'run by onnxruntime');
  // The bytes alone do not say in which folder the other files are.
  const reference = await openReference(external ? graph : bytes, { threads });
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

/** Opens a plan on the native engine. @throws what `openSession` throws */
export function openNativeExecutor(plan: Uint8Array, threads = 1): Executor {
  const session = openSession(plan, { threads });
  const dims = new Map(session.outputs.map((output) => [output.name, output]));
  return {
    name: 'native',
    inputs: new Map(session.inputs.map(({ name, type, dims: shape }) => [name, { type, shape }])),
    outputs: session.outputs.map(({ name }) => name),
    indexLimits: new Map(),
    async run(feeds) {
      const arrays = [...feeds].map(([name, tensor]) => [name, asFeed(name, tensor)] as const);
      const results = session.run(new Map(arrays));
      return new Map(
        Object.entries(results).map(([name, data]) => {
          const { type, dims: shape } = dims.get(name)!;
          return [name, tensorOf(type, shape, data as never)] as const;
        }),
      );
    },
    async close() {
      session.close();
    },
  };
}

function asFeed(name: string, tensor: Tensor): { data: PlanArray; dims: readonly number[] } {
  const { type, dims } = tensor;
  if (type !== 'float32' && type !== 'uint8' && type !== 'int8')
    throw new HoneError('E_INPUT_TYPE', { name, expected: 'float32, uint8 or int8', found: type });
  return { data: viewAs(tensor, type as ViewType) as PlanArray, dims };
}
