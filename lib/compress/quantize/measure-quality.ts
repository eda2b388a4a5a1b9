import { HoneError } from '../../core/error';
import type { Dataset } from '../../ir/dataset';
import { byteLength } from '../../ir/element-type';
import type { Graph } from '../../ir/graph';
import { elementCount, type Tensor, viewAs } from '../../ir/tensor';
import { feedsOf, type SampleFeed } from '../feeds';
import type { Runner } from './calibrate';

/** Signal-to-quantization-noise ratio of a value in dB, `10 log10(sum x^2 / sum (x - q)^2)`; infinite without noise. */
export type SqnrDb = number;

/** Sums of squares of a value and of what another network makes of it. */
export interface Power {
  readonly signal: number;
  readonly noise: number;
}

/** A network that gives the named values for some inputs. */
export type Values = (
  inputs: ReadonlyMap<string, Tensor>,
  names: readonly string[],
) => Promise<ReadonlyMap<string, Tensor>>;

/** Two networks whose values are compared, running from the same inputs. */
export interface Compared {
  /** Says in which batches samples are fed. */
  readonly graph: Graph;
  readonly float: Values;
  readonly quantized: Values;
  /** Called once, when `float` is not needed any more: before `quantized` runs if the values take less room than the weights. */
  readonly releaseFloat?: () => Promise<void>;
  /** Name of a value in the float network -> name in the other. */
  readonly pairs: ReadonlyMap<string, string>;
}

/**
 * Power of values of the float network and of their noise in the other, over all samples, so that the noise of everything
 * before a value counts too. By name in the float network. `onSample` hears of every sample alone (of a run as a whole where the
 * value has no axis of samples in front).
 * @throws E_CALIBRATION naming a float value that is NaN or infinite; E_DATA_EMPTY, E_DATA_MISMATCH, E_INTERRUPTED
 */
export async function comparePower(
  compared: Compared,
  dataset: Dataset,
  runner: Pick<Runner, 'onBatch' | 'signal'> & { readonly onSample?: (name: string, power: Power) => void },
): Promise<Map<string, Power>> {
  const { quantized, pairs } = compared;
  const names = [...pairs.keys()];
  const fetches = [...new Set(pairs.values())];
  const power = new Map<string, Power>(names.map((name) => [name, { signal: 0, noise: 0 }]));
  let samples = 0;
  for await (const { inputs, count, expected } of expectedValues(compared, names, dataset, runner.signal)) {
    const found = await quantized(inputs, fetches);
    for (const [name, other] of pairs) {
      const [x, q] = [viewAs(expected.get(name)!, 'float32'), viewAs(found.get(other)!, 'float32')];
      const rows = expected.get(name)!.dims[0] === count ? count : 1;
      for (let row = 0; row < rows; row++) {
        const own = powerOf(x, q, (row * x.length) / rows, ((row + 1) * x.length) / rows);
        power.set(name, addPower(power.get(name)!, own));
        runner.onSample?.(name, own);
      }
    }
    for (const [name, { signal }] of power)
      if (!Number.isFinite(signal))
        throw new HoneError('E_CALIBRATION', {
          value: `'${name}'`,
          reason: `it is NaN or infinite in samples ${samples} to ${samples + count - 1} of those measured`,
        });
    samples += count;
    runner.onBatch?.(samples, dataset.count);
  }
  return power;
}

/** One run and what the float network makes of it. */
interface Expected extends SampleFeed {
  readonly expected: ReadonlyMap<string, Tensor>;
}

/**
 * The runs with their float values: all of them computed, and the float network released, before the first is handed on, as
 * long as they take less memory than its weights, which a second network beside it would hold once more.
 */
async function* expectedValues(
  { graph, float, releaseFloat }: Compared,
  names: readonly string[],
  dataset: Dataset,
  signal: AbortSignal | undefined,
): AsyncGenerator<Expected> {
  const held: Expected[] = [];
  let room = releaseFloat ? sizeOf(graph.initializers) : 0;
  for await (const feed of feedsOf(graph, dataset, signal)) {
    const run = { ...feed, expected: await float(feed.inputs, names) };
    room -= sizeOf(run.inputs) + sizeOf(run.expected);
    held.push(run);
    if (room < 0) yield* held.splice(0);
  }
  await releaseFloat?.();
  yield* held;
}

function sizeOf(tensors: ReadonlyMap<string, Tensor>): number {
  let sum = 0;
  for (const { type, dims } of tensors.values()) sum += byteLength(type, elementCount(dims));
  return sum;
}

/** Power of elements `from` to `to` of a value, and of what another one differs there. */
export function powerOf(x: Float32Array, q: Float32Array, from = 0, to = x.length): Power {
  let [signal, noise] = [0, 0];
  for (let i = from; i < to; i++) {
    const error = x[i] - q[i];
    signal += x[i] * x[i];
    noise += error * error;
  }
  return { signal, noise };
}

/** The power of two sets of samples together. */
export function addPower(a: Power, b: Power): Power {
  return { signal: a.signal + b.signal, noise: a.noise + b.noise };
}

/** SQNR of sums of squares. */
export function decibels(signal: number, noise: number): SqnrDb {
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}

/** A ratio in decibels for people, with the unit unless `bare`; `exact` where there is no noise. */
export function decibelsText(db: SqnrDb, bare = false): string {
  return db === Number.POSITIVE_INFINITY ? 'exact' : `${db.toFixed(1)}${bare ? '' : ' dB'}`;
}
