import { type QuantizeProgress, quantize } from '../compress/quantize/quantize';
import type { PartialQuantizeOptions } from '../compress/quantize/quantize-options';
import type { QuantizeReport } from '../compress/quantize/report';
import type { PreprocessSpec } from '../core/preprocess';
import { trimMemory } from '../engine/trim-memory';
import type { Graph } from '../ir/graph';
import type { Trace } from '../passes/rewrite';
import { createReferenceEvaluate } from '../reference/evaluate';
import type { ModelArtifact } from './artifact';
import { openFinishedWith } from './open-finished';
import { preprocessMetadata } from './preprocess-note';
import { openRecorded } from './samples';
import { sourceMetadata } from './source';

export interface CompressOptions {
  /** Calibration samples: a path that `openDataset` takes. */
  readonly data?: string;
  readonly preprocess?: PreprocessSpec;
  readonly quantize?: PartialQuantizeOptions;
  readonly onProgress?: (progress: QuantizeProgress) => void;
  readonly signal?: AbortSignal;
  /** Learns of every rewrite of the graph. */
  readonly trace?: Trace | undefined;
}

/**
 * Post-training int8 quantization of a float model with onnxruntime as executor.
 * @throws what `openRecorded` and `quantize` throw, E_REFERENCE_MISSING
 */
export async function compress(
  model: ModelArtifact,
  options: CompressOptions & { readonly data: string },
): Promise<{ readonly graph: Graph; readonly report: QuantizeReport }> {
  const { artifact, dataset } = await openRecorded(model, options.data, options);
  const reference = createReferenceEvaluate();
  try {
    const { graph, report } = await quantize(artifact.graph, {
      dataset,
      evaluate: reference.evaluate,
      release: async (graph) => {
        await reference.release(graph);
        trimMemory();
      },
      openFinished: openFinishedWith(reference.evaluate, { float16Ports: model.float16Ports }),
      ...(options.quantize ? { options: options.quantize } : {}),
      ...(options.onProgress ? { onProgress: options.onProgress } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
      trace: options.trace,
    });
    const note = [...Object.entries(sourceMetadata(model)), ...preprocessMetadata(options.preprocess)];
    return { graph: { ...graph, metadata: new Map([...graph.metadata, ...note]) }, report };
  } finally {
    await reference.close();
  }
}
