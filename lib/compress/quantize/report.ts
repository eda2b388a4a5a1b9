import type { Diagnostic } from '../../core/diagnostic';
import type { ValueRange } from './ranges';
import type { SkippedNode } from './select';

/** One quantized layer. */
interface LayerReport {
  readonly name: string;
  readonly op: string;
  /** SQNR of what the layer and its activation make, with all noise from before it; in dB on the measured samples. */
  readonly sqnrDb: number;
  /** Weight scales: one per output channel, or one in all. */
  readonly weightScales: number;
  /** Output channels whose weight scale was widened so that int32 sums cannot overflow. */
  readonly widenedChannels: readonly number[];
}

/** What quantization did and how far the result is from the float network. */
export interface QuantizeReport {
  readonly layers: readonly LayerReport[];
  /** One entry per group of values with one scale. */
  readonly values: readonly ValueRange[];
  /** Nodes of float data that stay float, each with the reason. */
  readonly skipped: readonly SkippedNode[];
  /** SQNR per graph output; of what goes into it where the output is a Softmax (logits). */
  readonly outputs: readonly { readonly name: string; readonly sqnrDb: number }[];
  readonly samples: {
    readonly calibration: number;
    /** Samples behind every SQNR. */
    readonly measured: number;
    /** Whether the measured samples were kept out of calibration (too few samples: they were not). */
    readonly heldOut: boolean;
  };
  /** Pairs of layers balanced by cross-layer equalization. */
  readonly equalized: readonly (readonly [string, string])[];
  readonly biasesCorrected: boolean;
  /** What preparing the graph found. */
  readonly diagnostics: readonly Diagnostic[];
}
