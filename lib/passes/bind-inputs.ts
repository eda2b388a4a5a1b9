import { HoneError } from '../core/error';
import type { Dataset } from '../ir/dataset';
import type { Dim, Graph } from '../ir/graph';
import { declaredSampleAxes, sampleAxesMetadata, sampleAxesOf } from '../ir/sample-axes';
import { bindShapes } from './infer-shapes';

/** Extents of inputs by name, with all axes. */
export type InputShapes = ReadonlyMap<string, readonly number[]>;

/**
 * The graph with the extents of some inputs given: as if its file said so. One symbol has one extent in all inputs. A batch
 * of 1 stays free: that is what single samples are anyway.
 * @throws E_OPTION_VALUE (option `--shape`) for an input that is not there, another rank, an extent that the model fixes
 * otherwise, and for two extents of one symbol
 */
export function bindInputs(graph: Graph, shapes: InputShapes): Graph {
  const bound = new Map<string, { readonly extent: number; readonly input: string }>();
  const values = new Map(graph.values);
  for (const [input, extents] of shapes) {
    if (!graph.inputs.includes(input)) throw refuse(`an input (${graph.inputs.join(', ')})`, input);
    const { type, shape } = values.get(input)!;
    const found = `${input}=${extents.join(',')}`;
    if (shape === undefined) {
      values.set(input, { type, shape: extents });
      continue;
    }
    const wanted = `${input} as [${shape.join(', ')}]`;
    if (shape.length !== extents.length) throw refuse(wanted, found);
    for (const [axis, dim] of shape.entries()) {
      const extent = extents[axis];
      if (typeof dim === 'number') {
        if (dim !== extent) throw refuse(wanted, found);
        continue;
      }
      const known = bound.get(dim) ?? { extent, input };
      if (known.extent !== extent)
        throw refuse(`${dim} to be ${known.extent} in ${input}, as in ${known.input}`, found);
      bound.set(dim, known);
    }
  }
  const batch = batchSymbols(graph);
  const fixed = [...bound].filter(([symbol, { extent }]) => extent !== 1 || !batch.has(symbol));
  return bindShapes({ ...graph, values }, Object.fromEntries(fixed.map(([symbol, { extent }]) => [symbol, extent])));
}

/** The graph for single samples: the symbol of the batch becomes 1, other free extents stay. */
export function bindToOneSample(graph: Graph): Graph {
  return bindShapes(graph, Object.fromEntries([...batchSymbols(graph)].map((symbol) => [symbol, 1])));
}

/** An input with extents that nothing gives. */
export interface FreeInput {
  readonly name: string;
  /** `?` where even the rank is unknown; the batch of one sample is 1. */
  readonly shape: readonly Dim[] | undefined;
}

/** The inputs of a graph whose extents, other than the number of samples, are not known. */
export function freeInputs(graph: Graph): FreeInput[] {
  const { values, inputs } = bindToOneSample(graph);
  return inputs.map((name): FreeInput => ({ name, shape: values.get(name)?.shape })).filter(isFree);
}

/** Whether an input's extents are not all known. */
export function isFree({ shape }: FreeInput): boolean {
  return shape === undefined || shape.some((dim) => typeof dim === 'string');
}

/** How the missing extents are given, as options for one command line. */
export function shapeAdvice(free: readonly FreeInput[]): string {
  return free.map(({ name, shape }) => `--shape ${name}=${shape?.join(',') ?? '<extents>'}`).join(' ');
}

/** @throws E_SHAPE_FREE naming the inputs with free extents and the options that give them */
export function requireExtents(graph: Graph): void {
  const free = freeInputs(graph);
  if (free.length > 0) throw freeError(free);
}

/** Error E_SHAPE_FREE. */
export function freeError(free: readonly FreeInput[]): HoneError {
  const inputs = free.map(({ name, shape }) => `${name} [${shape?.join(', ') ?? '?'}]`).join(', ');
  return new HoneError('E_SHAPE_FREE', { inputs, advice: shapeAdvice(free) });
}

/**
 * The graph with the free extents of its inputs taken from samples, and their sample axes declared where the samples show
 * others than the model does. Extents that are known, and the batch, stay as they are.
 */
export function bindToSamples(graph: Graph, samples: Dataset['inputs']): Graph {
  const found = sampleAxesOf(graph);
  const declared = new Map(declaredSampleAxes(graph.metadata));
  for (const [name, { axis = 0 }] of samples) if (axis !== found.get(name)) declared.set(name, axis);
  const metadata = new Map([...graph.metadata, ...sampleAxesMetadata(declared)]);
  const values = new Map(graph.values);
  const batch = batchSymbols({ ...graph, metadata });
  const sizes: Record<string, number> = {};
  for (const [name, { dims, axis = 0 }] of samples) {
    const known = values.get(name);
    if (known === undefined) continue;
    const shape = axis === 'none' ? dims : dims.toSpliced(axis, 0, 1);
    if (known.shape === undefined) values.set(name, { type: known.type, shape });
    known.shape?.forEach((dim, at) => {
      if (typeof dim === 'string' && shape[at] !== undefined && !batch.has(dim)) sizes[dim] = shape[at];
    });
  }
  return bindShapes({ ...graph, values, metadata }, sizes);
}

/** Symbols on the sample axes of the inputs. */
export function batchSymbols(graph: Graph): Set<string> {
  const dims = [...sampleAxesOf(graph)].map(([name, axis]) =>
    axis === 'none' ? undefined : graph.values.get(name)?.shape?.[axis],
  );
  return new Set(dims.filter((dim) => typeof dim === 'string'));
}

function refuse(expected: string, found: string): HoneError {
  return new HoneError('E_OPTION_VALUE', { option: '--shape', expected, found });
}
