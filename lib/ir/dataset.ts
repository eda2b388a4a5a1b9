import type { PictureSize } from '../core/picture-fit';
import type { ElementType } from './element-type';
import type { SampleAxis } from './sample-axes';
import type { Tensor } from './tensor';

/**
 * Consecutive samples of a dataset: one tensor per model input, with `count` samples on the input's sample axis (the first,
 * unless the dataset says otherwise).
 */
export interface Batch {
  readonly count: number;
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Class index per sample; undefined when the dataset has no labels. */
  readonly labels: Int32Array | undefined;
  /** Extents of the picture that each sample was made of; left out for other data. */
  readonly pictures?: readonly PictureSize[];
}

export interface BatchOptions {
  /** Samples per batch; the last batch may be short. */
  readonly size: number;
  /** Shuffles the samples with this seed; undefined keeps their order. */
  readonly seed?: number;
  /** Batches to leave out at the start, for resuming: the rest is the same as without it. */
  readonly skip?: number;
}

/** One sample of an input. */
export interface SampleType {
  readonly type: ElementType;
  /** Its shape, without the sample axis. */
  readonly dims: readonly number[];
  /** Where batches have their samples; the first axis when left out. An input with `none` comes in batches of one. */
  readonly axis?: SampleAxis;
}

/** Samples that can be read again and again, in batches, without holding all of them in memory. */
export interface Dataset {
  /** Where the samples come from, for messages. */
  readonly name: string;
  readonly count: number;
  readonly hasLabels: boolean;
  /** Lowest and highest label; left out where that is not known, or there are none. */
  readonly labelRange?: readonly [low: number, high: number];
  readonly inputs: ReadonlyMap<string, SampleType>;
  batches(options: BatchOptions): AsyncIterable<Batch>;
  /** The samples at these indices, as a dataset. */
  select(indices: ArrayLike<number>): Dataset;
}
