import { percentText } from '../../lib/cli/text';
import { quantize } from '../../lib/compress/quantize/quantize';
import type { Evaluate, Graph } from '../../lib/ir/graph';
import { runOnEngine } from './engine-accuracy';
import type { Samples } from './samples';
import type { SeedMean } from './seeds';

/** Shares of the test samples that a net gets wrong, in the native engine: on integers after calibration, and in float. */
export interface Errors {
  readonly int8: number;
  readonly float: number;
}

/** Quantizes a net and runs it, and the net itself, over the test samples. */
export async function judge(net: Graph, samples: Samples, evaluate: Evaluate): Promise<Errors> {
  const { graph } = await quantize(net, { dataset: samples.calibration, evaluate });
  const [int8, float] = [await runOnEngine(graph, samples.test), await runOnEngine(net, samples.test)];
  return { int8: 1 - int8.accuracy, float: 1 - float.accuracy };
}

/** `1.23 % ± 0.10 %`: mean and half the width of its 95 % interval. */
export function spreadText({ mean, halfWidth95 }: Pick<SeedMean, 'mean' | 'halfWidth95'>): string {
  return `${percentText(mean)} ± ${percentText(halfWidth95)}`;
}
