import { pruningSensitivity } from '../compress/prune/pruning-sensitivity';
import { quantizationSensitivity } from '../compress/quantize/quantization-sensitivity';
import type { TrialDamage } from '../compress/weight-trials';
import type { PreprocessSpec } from '../core/preprocess';
import { guardCount } from '../data/guard-count';
import { createReferenceEvaluate } from '../reference/evaluate';
import type { ModelArtifact } from './artifact';
import { openRecorded, requireClasses } from './samples';

export interface SensitivityRequest {
  /** Samples to judge by: a path that `openDataset` takes. Labels are optional. */
  readonly data: string;
  readonly preprocess?: PreprocessSpec;
  /** Most samples that are run. */
  readonly samples: number;
  /** Bits of weights to try. */
  readonly bits: readonly number[];
  /** Shares of zeros to try, 0 to below 1. */
  readonly sparsities: readonly number[];
  readonly onProgress?: (what: string, done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** One treatment of one layer alone. */
export interface SensitivityTrial extends TrialDamage {
  /** Exactly one of the two. */
  readonly bits?: number;
  readonly sparsity?: number;
}

/** What each treatment of a layer alone costs. */
export interface LayerSensitivity {
  readonly layer: string;
  readonly op: string;
  readonly weights: number;
  readonly trials: readonly SensitivityTrial[];
}

export interface ModelSensitivity {
  /** The layer that suffers most first: by the mean over its trials of the noise beside the signal. */
  readonly layers: readonly LayerSensitivity[];
  /** Share of samples with the right class; undefined without classes. */
  readonly floatScore: number | undefined;
  /** What scores are: right classes, or agreement with the float model where there are no labels. */
  readonly metric: 'accuracy' | 'agreement';
  readonly samples: number;
}

/**
 * What each layer's weights alone lose by quantization and by pruning; the rest of the network stays as it is.
 * @throws what `openRecorded`, `quantizationSensitivity` and `pruningSensitivity` throw, E_REFERENCE_MISSING
 */
export async function measureSensitivity(model: ModelArtifact, options: SensitivityRequest): Promise<ModelSensitivity> {
  const { data, preprocess, samples, bits, sparsities, onProgress, signal } = options;
  const opened = await openRecorded(model, data, { preprocess, signal });
  const { graph } = opened.artifact;
  const dataset = guardCount(requireClasses(opened.artifact, opened.dataset));
  const reference = createReferenceEvaluate();
  try {
    const context = {
      data: { training: undefined, calibration: dataset, validation: dataset },
      evaluate: reference.evaluate,
      ...(signal && { signal }),
    };
    const progress = (what: string) => ({
      onProgress: (_: string, done: number, total: number) => onProgress?.(what, done, total),
    });
    const quantized = await quantizationSensitivity(graph, { ...context, ...progress('quantize') }, { bits, samples });
    const pruned = await pruningSensitivity(graph, { ...context, ...progress('prune') }, { sparsities, samples });
    const layers = new Map<string, LayerSensitivity>();
    for (const { layer, op, weights, ...trial } of [...quantized.rows, ...pruned.rows]) {
      const known = layers.get(layer) ?? { layer, op, weights, trials: [] };
      layers.set(layer, { ...known, trials: [...known.trials, trial] });
    }
    return {
      layers: [...layers.values()].sort((a, b) => damageOf(b) - damageOf(a)),
      floatScore: quantized.floatScore,
      metric: dataset.hasLabels ? 'accuracy' : 'agreement',
      samples: quantized.samples,
    };
  } finally {
    await reference.close();
  }
}

function damageOf({ trials }: LayerSensitivity): number {
  return trials.reduce((sum, { sqnrDb }) => sum + 10 ** (-sqnrDb / 10), 0) / trials.length;
}
