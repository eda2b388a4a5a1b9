import type { Dim, Graph, ValueType } from './graph';

/** Where an input has its samples: an axis, or `none` when a whole input is one sample. */
export type SampleAxis = number | 'none';
export type SampleAxes = ReadonlyMap<string, SampleAxis>;

/** Metadata key under which a file keeps the sample axes that were declared for it. */
const AXES_KEY = 'hone.sample-axes';

/** The metadata entry that declares sample axes; empty when there are none. */
export function sampleAxesMetadata(declared: SampleAxes): ReadonlyMap<string, string> {
  return declared.size === 0 ? new Map() : new Map([[AXES_KEY, JSON.stringify(Object.fromEntries(declared))]]);
}

/** The sample axes that metadata declares; empty when it says nothing, or something that is not ours. */
export function declaredSampleAxes(metadata: ReadonlyMap<string, string>): SampleAxes {
  try {
    const entries = Object.entries(JSON.parse(metadata.get(AXES_KEY) ?? '{}') as object);
    return new Map(entries.filter((entry): entry is [string, SampleAxis] => isSampleAxis(entry[1])));
  } catch {
    return new Map();
  }
}

function isSampleAxis(value: unknown): value is SampleAxis {
  return value === 'none' || (Number.isInteger(value) && (value as number) >= 0);
}

/** The sample axes of a graph's inputs: what its metadata declares, else what `findSampleAxes` finds. */
export function sampleAxesOf(graph: Pick<Graph, 'inputs' | 'values' | 'metadata'>): SampleAxes {
  const inputs = new Map(graph.inputs.flatMap((name) => entryOf(graph, name)));
  return findSampleAxes(inputs, declaredSampleAxes(graph.metadata));
}

/** How many samples one run of a graph takes, by input: a number, a symbol, undefined for an unknown shape; 1 for whole inputs. */
export function batchExtents(
  graph: Pick<Graph, 'inputs' | 'values' | 'metadata'>,
): ReadonlyMap<string, Dim | undefined> {
  const axes = sampleAxesOf(graph);
  return new Map(
    graph.inputs.map((name) => {
      const axis = axes.get(name) ?? 0;
      return [name, axis === 'none' ? 1 : graph.values.get(name)?.shape?.[axis]];
    }),
  );
}

function entryOf({ values }: Pick<Graph, 'values'>, name: string): [string, ValueType][] {
  const type = values.get(name);
  return type === undefined ? [] : [[name, type]];
}

/**
 * The sample axis of every input. Declared ones count. Otherwise it is the axis of the symbol that stands for the batch: one
 * named like it, else the first symbol that leads an input. An input without that symbol has its samples on its first axis,
 * unless another input shows that the batch is free or 1 and this one's first extent is neither: then (a state `[2, 1, 128]`)
 * on the first axis that is, if there is one. Scalars and vectors of more than one element (tokens of one text) have none,
 * unless the vector's symbol is the batch.
 */
export function findSampleAxes(
  inputs: ReadonlyMap<string, ValueType>,
  declared: SampleAxes = new Map(),
): Map<string, SampleAxis> {
  const shapes = [...inputs].map(([name, { shape }]) => [name, shape] as const);
  const batch = batchSymbol(
    shapes.map(([, shape]) => shape),
    declared,
    inputs,
  );
  const single =
    batch !== undefined || shapes.some(([, shape]) => shape !== undefined && shape.length > 1 && isSingle(shape[0]));
  return new Map(
    shapes.map(([name, shape]) => {
      const given = declared.get(name);
      const sound = given === 'none' || (given !== undefined && given < (shape?.length ?? Number.POSITIVE_INFINITY));
      return [name, sound ? given : axisOf(shape, { batch, single })];
    }),
  );
}

function axisOf(
  shape: readonly Dim[] | undefined,
  { batch, single }: { batch: Dim | undefined; single: boolean },
): SampleAxis {
  if (shape === undefined) return 0;
  const named = batch === undefined ? -1 : shape.indexOf(batch);
  if (named >= 0) return named;
  if (shape.length === 0 || (shape.length === 1 && shape[0] !== 1)) return 'none';
  if (shape[0] === 1 || !single) return 0;
  if (typeof shape[0] === 'string') return isTime(shape[0]) ? 'none' : 0;
  const axis = shape.findIndex(isSingle);
  return axis < 0 ? 'none' : axis;
}

function isSingle(dim: Dim): boolean {
  return dim === 1 || (typeof dim === 'string' && !isTime(dim));
}

/** The symbol that stands for the number of samples. */
function batchSymbol(
  shapes: readonly (readonly Dim[] | undefined)[],
  declared: SampleAxes,
  inputs: ReadonlyMap<string, ValueType>,
): string | undefined {
  for (const [name, axis] of declared) {
    const dim = axis === 'none' ? undefined : inputs.get(name)?.shape?.[axis];
    if (typeof dim === 'string') return dim;
  }
  const symbols = shapes.flatMap((shape) => (shape ?? []).filter((dim) => typeof dim === 'string'));
  const named = symbols.find((symbol) => /batch/i.test(symbol));
  if (named !== undefined) return named;
  // Sequence first, as in [T, N, C].
  for (const shape of shapes) {
    const [first, second] = shape ?? [];
    if (typeof first === 'string' && isTime(first) && typeof second === 'string' && /^(n|b|bs)$/i.test(second))
      return second;
  }
  // A lone vector is one sample (tokens of one text) rather than a batch of numbers.
  return shapes
    .filter((shape) => shape !== undefined && shape.length > 1)
    .map((shape) => shape![0])
    .find((dim) => typeof dim === 'string' && !isTime(dim)) as string | undefined;
}

/** Whether a symbol is named like a course of time: it leads inputs that have no samples on that axis. */
function isTime(dim: Dim): boolean {
  return (
    typeof dim === 'string' &&
    dim.length < 64 &&
    /^(t|l|s|steps?|(.*_)?(seq|sequence|time|length|len|frames|tokens)(_.*)?)$/i.test(dim)
  );
}
