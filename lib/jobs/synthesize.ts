import { type Synthesis, synthesisOptions, synthesizeImages } from '../compress/distill/synthesize-images';
import { parseOptions } from '../core/parse-options';
import { writeNpz } from '../data/npz';
import { requireExtents } from '../passes/bind-inputs';
import { prepare } from '../passes/pipeline';
import { requireConsistent } from '../passes/require-consistent';
import { createReferenceEvaluate } from '../reference/evaluate';
import type { ModelArtifact } from './artifact';
import { writeFileAtomically } from './write-file';

export interface SynthesizeOptions {
  /** Options of `synthesizeImages`; what is left out has its default. */
  readonly images: Readonly<Record<string, unknown>>;
  /** .npz file to write. */
  readonly target: string;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** What was made. */
export interface SynthesizeReport {
  readonly path: string;
  readonly sizeBytes: number;
  readonly count: number;
  /** Distance from the statistics of the training samples, before (noise) and after. */
  readonly loss: Synthesis['loss'];
}

/**
 * Samples made from the network alone, as a .npz file that every verb takes as `--data` (without labels).
 * @throws E_OPTION_UNKNOWN, E_OPTION_VALUE, E_SHAPE_FREE, E_GRAPH_INVALID for a model without statistics or one that `requireConsistent` refuses, E_FILE_WRITE, E_REFERENCE_MISSING
 */
export async function synthesize(model: ModelArtifact, options: SynthesizeOptions): Promise<SynthesizeReport> {
  const { images, target, onProgress, signal } = options;
  const settings = parseOptions(synthesisOptions, images, '', 'synthesize');
  requireExtents(model.graph);
  const reference = createReferenceEvaluate();
  try {
    const graph = requireConsistent(prepare(model.graph, { batchNorm: 'keep' }));
    const { evaluate } = reference;
    const { inputs, loss } = await synthesizeImages(graph, settings, {
      evaluate,
      ...(onProgress && { onProgress }),
      ...(signal && { signal }),
    });
    const bytes = writeNpz(inputs);
    await writeFileAtomically(target, bytes);
    return { path: target, sizeBytes: bytes.length, count: settings.count, loss };
  } finally {
    await reference.close();
  }
}
