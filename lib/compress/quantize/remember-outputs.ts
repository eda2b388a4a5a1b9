import type { Evaluate, Graph } from '../../ir/graph';
import { sampleAxesOf } from '../../ir/sample-axes';
import type { Tensor } from '../../ir/tensor';
import type { Values } from './measure-quality';

/** Outputs of one graph, kept while it runs for another purpose. */
export interface OutputMemory {
  /** Runs graphs as before, and keeps what the outputs of that graph are. */
  readonly evaluate: Evaluate;
  /** Outputs of that graph: the kept ones where it has seen all of these samples, whatever the batch. */
  readonly outputs: Values;
}

/** Bytes of outputs that are kept at most. */
const BYTES = 2 ** 24;

/**
 * Keeps the outputs of `graph` sample by sample, found again by the contents of the inputs: judging the same samples later
 * needs no second run. Nothing is kept of graphs with samples on another axis than the first, or with a fixed batch.
 */
export function rememberOutputs(graph: Graph, evaluate: Evaluate): OutputMemory {
  const known = new Map<string, ReadonlyMap<string, Tensor>>();
  let room = leadsWithSamples(graph) ? BYTES : 0;
  // An object of its own gets a session of its own: without inner values to offer, executors fuse more.
  const plain = { ...graph };

  const keep = (feeds: ReadonlyMap<string, Tensor>, results: ReadonlyMap<string, Tensor>): void => {
    const count = countOf(feeds);
    const outputs = graph.outputs.map((name) => [name, results.get(name)!] as const);
    const size = outputs.reduce((sum, [, { bytes }]) => sum + bytes.length, 0);
    if (count === undefined || size > room || outputs.some(([, { dims }]) => dims[0] !== count)) return;
    room -= size;
    for (let n = 0; n < count; n++)
      known.set(keyOf(feeds, n, count), new Map(outputs.map(([name, tensor]) => [name, sampleOf(tensor, n, count)])));
  };
  const recall = (feeds: ReadonlyMap<string, Tensor>): readonly ReadonlyMap<string, Tensor>[] | undefined => {
    const count = known.size > 0 ? countOf(feeds) : undefined;
    if (count === undefined) return undefined;
    const found = Array.from({ length: count }, (_, n) => known.get(keyOf(feeds, n, count)));
    return found.every((each) => each !== undefined) ? found : undefined;
  };
  return {
    async evaluate(other, feeds, fetches) {
      if (other !== graph || room === 0) return evaluate(other, feeds, fetches);
      const results = await evaluate(other, feeds, [...new Set([...fetches, ...graph.outputs])]);
      keep(feeds, results);
      return results;
    },
    async outputs(feeds, names) {
      const samples = recall(feeds);
      if (!samples) return evaluate(plain, feeds, names);
      return new Map(names.map((name) => [name, join(samples.map((sample) => sample.get(name)!))]));
    },
  };
}

/** Whether all inputs and outputs have the samples, any number of them or one, on their first axis. */
function leadsWithSamples(graph: Graph): boolean {
  const axes = sampleAxesOf(graph);
  const batches = new Set(graph.inputs.map((name) => graph.values.get(name)?.shape?.[0]));
  const [batch] = batches;
  if (batches.size !== 1 || (typeof batch !== 'string' && batch !== 1)) return false;
  return (
    graph.inputs.every((name) => axes.get(name) === 0) &&
    graph.outputs.every((name) => graph.values.get(name)?.shape?.[0] === batch)
  );
}

/** Samples in feeds; undefined when the inputs do not agree. */
function countOf(feeds: ReadonlyMap<string, Tensor>): number | undefined {
  const counts = new Set([...feeds.values()].map(({ dims }) => dims[0]));
  const [count] = counts;
  return counts.size === 1 && count > 0 ? count : undefined;
}

function sampleOf({ type, dims, bytes }: Tensor, n: number, count: number): Tensor {
  const size = bytes.length / count;
  return { type, dims: [1, ...dims.slice(1)], bytes: bytes.slice(n * size, (n + 1) * size) };
}

function join(samples: readonly Tensor[]): Tensor {
  const [{ type, dims, bytes }] = samples;
  const all = new Uint8Array(bytes.length * samples.length);
  samples.forEach((sample, n) => {
    all.set(sample.bytes, n * bytes.length);
  });
  return { type, dims: [samples.length, ...dims.slice(1)], bytes: all };
}

/** Text that says which numbers sample `n` consists of: two hashes of 32 bits and the length for each input. */
function keyOf(feeds: ReadonlyMap<string, Tensor>, n: number, count: number): string {
  const part = (name: string): string => {
    const { bytes } = feeds.get(name)!;
    const size = bytes.length / count;
    const own = bytes.subarray(n * size, (n + 1) * size);
    // Words need alignment, which a copy has.
    const { buffer, byteOffset } = own.byteOffset % 4 === 0 ? own : own.slice();
    const words = new Int32Array(buffer, byteOffset, size >> 2);
    let [spread, sum] = [0x811c9dc5, 0];
    for (let index = 0; index < words.length; index++) {
      // FNV-1a (Fowler, Noll, Vo) over words, and the sum of its states.
      spread = Math.imul(spread ^ words[index], 0x01000193);
      sum = (sum + spread) | 0;
    }
    for (let index = 4 * words.length; index < size; index++) spread = Math.imul(spread ^ own[index], 0x01000193);
    return `${name}:${size}:${spread}:${sum}`;
  };
  return [...feeds.keys()].sort().map(part).join(' ');
}
