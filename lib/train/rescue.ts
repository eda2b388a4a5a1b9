import { type Tensor, tensorFrom, viewAs } from '../ir/tensor';

/** State of a training step by input name. */
type State = ReadonlyMap<string, Tensor>;

/** What a divergence was answered with. */
export interface RescueEvent {
  /** Step whose loss told, from 1. */
  readonly step: number;
  /** Step whose state the training goes on from. */
  readonly from: number;
  /** What the learning rate is multiplied by from now on. */
  readonly rateFactor: number;
}

/** Steps between two states that are remembered as good. */
const EVERY_STEPS = 20;
/** What the learning rate is multiplied by at every rescue, and how often one may be tried. */
const RATE_FACTOR = 0.25;
const TRIES = 5;
/** Losses in times of the first one (and one more, for firsts near zero): no longer good, and as bad as infinite. */
const FAR = { good: 10, diverged: 1000 } as const;
/** Names in a checkpoint. */
const GOOD = 'rescue.good:';
const SCALARS = 'rescue.scalars';

/**
 * Answers training that diverges (a loss that is not finite, or a thousand times the first one): the last good state comes back, at a quarter of the learning rate. A state is good when the
 * loss that it gave was not far above the first one; one that failed again right away was not as good as it looked, and the start takes its place.
 * All that it remembers travels with checkpoints.
 */
export class Rescue {
  private rate = 1;
  private tries = 0;
  private goodStep = 0;
  private firstLoss = Number.NaN;
  private diverged: RescueEvent | undefined;
  private good: State;
  private readonly start: State;

  /** `saved` are the tensors of a checkpoint. */
  constructor(start: State, saved?: State) {
    this.start = start;
    this.good = start;
    const scalars = saved?.get(SCALARS);
    if (!saved || !scalars) return;
    const [rate, tries, goodStep, firstLoss, step, from] = viewAs(scalars, 'float64');
    Object.assign(this, { rate, tries, goodStep, firstLoss });
    if (tries > 0) this.diverged = { step, from, rateFactor: rate };
    const kept = [...saved].filter(([name]) => name.startsWith(GOOD));
    if (kept.length > 0) this.good = new Map(kept.map(([name, tensor]) => [name.slice(GOOD.length), tensor]));
  }

  /** Factor on the learning rate. */
  get rateFactor(): number {
    return this.rate;
  }

  /** The last answer; undefined when there was none. */
  get last(): RescueEvent | undefined {
    return this.diverged;
  }

  /** Whether a loss tells of a step that led too far: not finite, or beyond all measure. Only the first loss may be anything finite. */
  diverges(loss: number): boolean {
    return !Number.isFinite(loss) || loss > FAR.diverged * (Math.abs(this.firstLoss) + 1);
  }

  /** Notes the loss of step `step` (from 1), which read `state`. */
  passed(step: number, state: State, loss: number): void {
    if (step === 1) this.firstLoss = loss;
    if ((step - 1) % EVERY_STEPS !== 0 || step === 1 || loss > FAR.good * (Math.abs(this.firstLoss) + 1)) return;
    [this.good, this.goodStep] = [state, step - 1];
  }

  /** The state to go on with after step `step` has diverged; undefined when all tries are used up. */
  failed(step: number): State | undefined {
    if (this.tries === TRIES) return undefined;
    this.tries++;
    this.rate *= RATE_FACTOR;
    const from = this.goodStep;
    const state = this.good;
    this.diverged = { step, from, rateFactor: this.rate };
    [this.good, this.goodStep] = [this.start, 0];
    return state;
  }

  /** Tensors that a checkpoint needs besides the state. */
  tensors(): State {
    const { step, from } = this.diverged ?? { step: 0, from: 0 };
    const scalars = tensorFrom('float64', [6], [this.rate, this.tries, this.goodStep, this.firstLoss, step, from]);
    const good = this.good === this.start ? [] : [...this.good].map(([name, tensor]) => [GOOD + name, tensor] as const);
    return new Map([[SCALARS, scalars], ...good]);
  }
}
