import { performance } from 'node:perf_hooks';
import { HoneError } from '../core/error';
import { notedOutputs } from '../core/notes';
import type { Decoded } from '../core/outputs/decode-outputs';
import type { Tensor } from '../ir/tensor';
import { LatencyHistogram } from '../telemetry/histogram';
import { type Artifact, metadataOf } from './artifact';
import { carryStates } from './carry-states';
import type { Executor } from './executor';
import { type FrameOptions, type FrameSource, openFrameSource } from './frame-source';
import { meaningOf } from './meaning-of';
import { type ExecutorOptions, openExecutor } from './open-executor';
import { type BrokenFrameReport, FrameReader, type ReadFrame } from './read-frames';

/** What happens to a frame, in this order; `age` is from its last byte to its answer. */
export const STAGES = ['read', 'wait', 'convert', 'preprocess', 'run', 'decode', 'age'] as const;
export type Stage = (typeof STAGES)[number];

/** What a model says of one frame. */
export interface StreamAnswer {
  /** Index among all frames that came in. */
  readonly frame: number;
  /** Of sound: index of its first sample. */
  readonly sample?: number;
  /** Frames since the last answer that gave way to newer ones. */
  readonly dropped: number;
  /** Sound that was left out before this frame: all that is kept from frames before began anew. */
  readonly gap?: { readonly samples: number; readonly reset: true };
  /** What the outputs mean; left out where nothing says so. */
  readonly decoded?: Decoded;
  /** Outputs by name, but those that are the next states. */
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** What each stage took, in microseconds. */
  readonly latencyUs: Readonly<Record<Stage, number>>;
}

/** What became of a stream. */
export interface StreamSummary {
  /** Frames that came in, broken ones among them. */
  readonly frames: number;
  readonly answered: number;
  /** Frames that gave way to newer ones. */
  readonly dropped: number;
  readonly broken: number;
  readonly firstBroken?: BrokenFrameReport;
  /** How often sound was left out. */
  readonly gaps: number;
  /** Bytes behind the last frame that are not a whole one. */
  readonly restBytes: number;
  /** Bytes between pictures. */
  readonly foreignBytes: number;
  readonly bytes: number;
  /** What a whole frame is. */
  readonly frameText: string;
  /** Of the answered frames, in microseconds; null when there are none. */
  readonly latencyUs: Readonly<Record<Stage, { readonly p50: number; readonly p99: number }>> | null;
}

export interface StreamOptions extends FrameOptions, Omit<ExecutorOptions, 'data' | 'executor' | 'beside'> {
  /** Calibration samples, for a float model that is to be compressed first. */
  readonly calibration?: string;
  /** Whether the stream waits until frames are answered, instead of older frames giving way to newer ones. */
  readonly everyFrame: boolean;
  /** Answers after which it ends. */
  readonly limit?: number;
  /** Told what a frame is, when reading begins. */
  readonly onReady?: (source: FrameSource) => void;
  /** Opens what runs the model; the native engine of this machine when left out. */
  readonly open?: (artifact: Artifact) => Promise<Executor>;
  /** Told every answer; the next frame is taken when it is done. */
  readonly onAnswer: (answer: StreamAnswer) => void | Promise<void>;
  readonly onBroken?: (report: BrokenFrameReport) => void;
  /** Milliseconds since whenever; the monotonic clock when left out. */
  readonly clock?: () => number;
}

/**
 * Runs a model over a stream of frames until that ends, the limit is reached, or `signal` says so. Reading goes on while the
 * model runs.
 * @throws what `openFrameSource` and `openExecutor` throw; E_STREAM for bytes of another format, and when none come
 */
export async function stream(
  artifact: Artifact,
  bytes: AsyncIterable<Uint8Array>,
  options: StreamOptions,
): Promise<StreamSummary> {
  const {
    calibration,
    everyFrame,
    limit = Number.POSITIVE_INFINITY,
    signal,
    clock = () => performance.now(),
  } = options;
  const { artifact: bound, states, source } = await openFrameSource(artifact, options);
  const data = calibration === undefined ? {} : { data: calibration };
  const executor = options.open
    ? await options.open(bound)
    : await openExecutor(bound, { ...options, ...data, executor: 'native', beside: true });
  const tally = new Tally();
  options.onReady?.(source);
  const onBroken = (report: BrokenFrameReport) => {
    tally.addBroken(report);
    options.onBroken?.(report);
  };
  const reader = new FrameReader(bytes, source, { everyFrame, clock, onBroken });
  const stop = () => reader.stop();
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  try {
    const answering = new Answering(bound, source, carryStates(executor, states), new Set(states.values()), clock);
    while (tally.answered < limit) {
      const taken = await reader.room.take();
      if (taken === undefined || signal?.aborted) break;
      const found = await answering.answer(taken.item, taken.dropped);
      if ('broken' in found) onBroken(found);
      else {
        tally.add(found);
        await options.onAnswer(found);
      }
    }
  } catch (error) {
    // The run that was under way ends with the stream.
    if (!(signal?.aborted && error instanceof HoneError && error.code === 'E_INTERRUPTED')) throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    reader.stop();
    await executor.close();
  }
  return { ...reader.counts(), dropped: reader.room.dropped, frameText: source.frameText, ...tally.summary() };
}

/** Makes answers of frames, one after the other. */
class Answering {
  private readonly source: FrameSource;
  private readonly executor: Executor;
  private readonly hidden: ReadonlySet<string>;
  private readonly clock: () => number;
  private readonly spec: ReturnType<typeof notedOutputs>;
  private before: Decoded | undefined;
  /** Frames that gave way since the last answer. */
  private dropped = 0;

  constructor(
    artifact: Artifact,
    source: FrameSource,
    executor: Executor,
    hidden: ReadonlySet<string>,
    clock: () => number,
  ) {
    this.spec = notedOutputs(metadataOf(artifact));
    this.source = source;
    this.executor = executor;
    this.hidden = hidden;
    this.clock = clock;
  }

  /** What the model says of a frame, before which some gave way. */
  async answer(read: ReadFrame, dropped: number): Promise<StreamAnswer | BrokenFrameReport> {
    const { frame, at, bytes, firstMs, lastMs } = read;
    const { source, executor, clock, spec } = this;
    this.dropped += dropped;
    const takenMs = clock();
    let converted: ReturnType<FrameSource['convert']>;
    try {
      converted = source.convert(bytes, frame);
    } catch (error) {
      if (!(error instanceof HoneError && error.code === 'E_DATA_FORMAT')) throw error;
      return { frame, at, broken: String(error.details.reason) };
    }
    const convertedMs = clock();
    const feeds = converted.feeds();
    const preparedMs = clock();
    const gap =
      source.sound && this.dropped > 0 ? { samples: this.dropped * source.sound.hop, reset: true as const } : undefined;
    if (gap !== undefined) {
      executor.reset();
      this.before = undefined;
    }
    const all = await executor.run(feeds);
    const ranMs = clock();
    if (spec !== undefined) {
      const { preprocess } = source;
      this.before = meaningOf(spec, all, {
        inputs: feeds,
        picture: converted.picture,
        preprocess,
        before: this.before,
      });
    }
    const doneMs = clock();
    const answer: StreamAnswer = {
      frame,
      ...(source.sound && { sample: at / 2 }),
      dropped: this.dropped,
      ...(gap && { gap }),
      ...(this.before && { decoded: this.before }),
      outputs: new Map([...all].filter(([name]) => !this.hidden.has(name))),
      latencyUs: {
        read: 1000 * (lastMs - firstMs),
        wait: 1000 * (takenMs - lastMs),
        convert: 1000 * (convertedMs - takenMs),
        preprocess: 1000 * (preparedMs - convertedMs),
        run: 1000 * (ranMs - preparedMs),
        decode: 1000 * (doneMs - ranMs),
        age: 1000 * (doneMs - lastMs),
      },
    };
    this.dropped = 0;
    return answer;
  }
}

/** Counts and times of a stream, in constant memory. */
class Tally {
  answered = 0;
  private gaps = 0;
  private broken = 0;
  private firstBroken: BrokenFrameReport | undefined;
  private readonly histograms = STAGES.map((stage) => [stage, new LatencyHistogram()] as const);

  add({ gap, latencyUs }: StreamAnswer): void {
    this.answered++;
    if (gap) this.gaps++;
    for (const [stage, histogram] of this.histograms) histogram.record(1000 * latencyUs[stage]);
  }

  addBroken(report: BrokenFrameReport): void {
    this.broken++;
    this.firstBroken ??= report;
  }

  summary() {
    const { answered, gaps, broken, firstBroken } = this;
    const percentiles = this.histograms.map(([stage, histogram]) => {
      const [p50, p99] = [0.5, 0.99].map((fraction) => histogram.percentile(fraction) / 1000);
      return [stage, { p50, p99 }] as const;
    });
    const latencyUs =
      answered === 0 ? null : (Object.fromEntries(percentiles) as NonNullable<StreamSummary['latencyUs']>);
    return { answered, gaps, broken, ...(firstBroken && { firstBroken }), latencyUs };
  }
}
