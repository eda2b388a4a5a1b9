import type { Dataset } from '../../ir/dataset';
import type { Graph } from '../../ir/graph';
import type { JudgedBy, OpenFinished } from '../finished';
import type { Runner } from './calibrate';
import { addPower, comparePower, decibels, type Power, type SqnrDb, type Values } from './measure-quality';
import { isFloat32 } from './roles';

/** Samples that outputs are judged on. */
export interface JudgedSamples {
  readonly calibration: Dataset;
  /** Kept out of calibration; undefined when there were too few samples. */
  readonly heldOut: Dataset | undefined;
}

/** How far the outputs of a finished network are from those of the float network. */
export interface OutputJudgement {
  /** The float32 outputs, in graph order. */
  readonly outputs: readonly OutputSqnr[];
  readonly judgedBy: JudgedBy;
  /** Samples behind it: those of calibration and those held out. */
  readonly samples: number;
}

export interface OutputSqnr {
  readonly name: string;
  /** Over all samples: what `hone eval` finds on them. */
  readonly sqnrDb: SqnrDb;
  /** Over those held out, which nothing but ranges rests on; null when none were. */
  readonly heldOutSqnrDb: SqnrDb | null;
  /** Of the middle one of all samples: what few samples that are far louder than the others do not decide. */
  readonly medianSqnrDb: SqnrDb;
}

/** What runs the two networks. */
export interface Judges {
  /** Outputs of the float network. */
  readonly float: Values;
  readonly open: OpenFinished;
}

/**
 * SQNR of the outputs of `quantized`, as they will be on the board where the engine runs it.
 * @throws E_CALIBRATION naming an output that is NaN or infinite in the float network; E_INTERRUPTED; what `open` throws
 */
export async function judgeOutputs(
  reference: Graph,
  quantized: Graph,
  { float, open }: Judges,
  { calibration, heldOut }: JudgedSamples,
  runner: Pick<Runner, 'onBatch' | 'signal'>,
): Promise<OutputJudgement> {
  const names = reference.outputs.filter((name) => isFloat32(reference, name));
  const alone = new Map(names.map((name) => [name, [] as SqnrDb[]]));
  const finished = await open(quantized);
  try {
    const compared = {
      graph: finished.graph,
      float,
      quantized: finished.run,
      pairs: new Map(names.map((name) => [name, name])),
    };
    const total = calibration.count + (heldOut?.count ?? 0);
    const powerOf = async (samples: Dataset, before: number): Promise<ReadonlyMap<string, Power>> =>
      names.length === 0
        ? new Map()
        : comparePower(compared, samples, {
            ...(runner.signal && { signal: runner.signal }),
            onBatch: (done) => runner.onBatch?.(before + done, total),
            onSample: (name, { signal, noise }) => alone.get(name)!.push(decibels(signal, noise)),
          });
    const seen = await powerOf(calibration, 0);
    const unseen = heldOut && (await powerOf(heldOut, calibration.count));
    const inDecibels = ({ signal, noise }: Power) => decibels(signal, noise);
    return {
      outputs: names.map((name) => {
        const [known, fresh] = [seen.get(name)!, unseen?.get(name)];
        return {
          name,
          sqnrDb: inDecibels(fresh ? addPower(known, fresh) : known),
          heldOutSqnrDb: fresh ? inDecibels(fresh) : null,
          medianSqnrDb: middleOf(alone.get(name)!),
        };
      }),
      judgedBy: finished.by,
      samples: total,
    };
  } finally {
    await finished.close();
  }
}

function middleOf(values: readonly SqnrDb[]): SqnrDb {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
