/** Which samples of a dataset a batch holds. */
export interface SampleSpan {
  /** Index of its first sample. */
  readonly first: number;
  readonly count: number;
}

/**
 * Gathers one statistic of one value while a dataset streams by. What an observer remembers grows by a few numbers per sample at
 * most.
 */
export interface Observer {
  /**
   * Takes in the elements of one batch (`dims` as the executor returned them).
   * @throws E_CALIBRATION when an element is NaN or infinite
   */
  observe(data: Float32Array, dims: readonly number[], samples: SampleSpan): void;
}

/** Mean per channel of a value, over all samples and positions. */
export class ChannelMean implements Observer {
  private readonly axis: number;
  private sums = new Float64Array(0);
  private perChannel = 0;

  /** `axis`: the channel axis; negative counts from the end. */
  constructor(axis: number) {
    this.axis = axis;
  }

  observe(data: Float32Array, dims: readonly number[]): void {
    const axis = this.axis < 0 ? this.axis + dims.length : this.axis;
    const channels = dims[axis];
    const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
    if (this.sums.length === 0) this.sums = new Float64Array(channels);
    for (let index = 0, channel = 0; index < data.length; channel = (channel + 1) % channels) {
      let sum = 0;
      for (const end = index + inner; index < end; index++) sum += data[index];
      this.sums[channel] += sum;
    }
    this.perChannel += data.length / channels;
  }

  /** Mean per channel; empty before the first batch. */
  means(): Float64Array {
    return this.sums.map((sum) => sum / this.perChannel);
  }
}

/** Extremes and mean square per channel of a value, over all samples and positions. */
export class ChannelSpan implements Observer {
  private readonly axis: number;
  private squares = new Float64Array(0);
  private perChannel = 0;
  /** Smallest and largest element per channel, zero included; empty before the first batch. */
  low = new Float64Array(0);
  high = new Float64Array(0);

  /** `axis`: the channel axis; negative counts from the end. */
  constructor(axis: number) {
    this.axis = axis;
  }

  observe(data: Float32Array, dims: readonly number[]): void {
    const axis = this.axis < 0 ? this.axis + dims.length : this.axis;
    const channels = dims[axis];
    const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
    if (this.low.length === 0)
      [this.low, this.high, this.squares] = [channels, channels, channels].map((size) => new Float64Array(size));
    for (let index = 0, channel = 0; index < data.length; channel = (channel + 1) % channels) {
      let [low, high, squares] = [this.low[channel], this.high[channel], this.squares[channel]];
      for (const end = index + inner; index < end; index++) {
        const x = data[index];
        if (x < low) low = x;
        if (x > high) high = x;
        squares += x * x;
      }
      this.low[channel] = low;
      this.high[channel] = high;
      this.squares[channel] = squares;
    }
    this.perChannel += data.length / channels;
  }

  /** Mean square per channel; empty before the first batch. */
  power(): Float64Array {
    return this.squares.map((sum) => sum / this.perChannel);
  }
}
