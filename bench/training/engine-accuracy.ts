import { compile } from '../../lib/compile/compile';
import type { Dataset } from '../../lib/ir/dataset';
import type { Graph } from '../../lib/ir/graph';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { largest } from '../../lib/telemetry/statistics';
import { openNative } from '../native';

/** Classes that the native engine names for every sample, in order, and which of them are right (1) or wrong (0). */
export interface EngineRun {
  readonly classes: Int32Array;
  readonly hits: Uint8Array;
  /** Share of right ones, 0..1. */
  readonly accuracy: number;
}

/** Plan of a graph for single samples, as the board would get it. */
export function planOf(graph: Graph): Uint8Array {
  return compile(prepareForEngine(graph), { sourceHash: '0'.repeat(64) }).plan;
}

/** Runs every sample of a labelled dataset through the native engine (the integer engine, for a quantized graph). */
export async function runOnEngine(graph: Graph, dataset: Dataset): Promise<EngineRun> {
  const native = openNative(planOf(graph));
  const classes = new Int32Array(dataset.count);
  const hits = new Uint8Array(dataset.count);
  let at = 0;
  for await (const { inputs, labels } of dataset.batches({ size: 1 })) {
    native.feed(inputs);
    classes[at] = largest(native.infer());
    hits[at] = Number(classes[at] === labels?.[0]);
    at++;
  }
  native.close();
  return { classes, hits, accuracy: hits.reduce((sum, hit) => sum + hit, 0) / dataset.count };
}
