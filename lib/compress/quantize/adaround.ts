import { roundHalfToEven } from '../../core/half';
import { GraphBuilder } from '../../ir/builder';
import type { Evaluate, Graph } from '../../ir/graph';
import { type Tensor, tensorFrom, tensorOf, viewAs } from '../../ir/tensor';
import { floats } from '../../ops/gradients';
import { adam } from '../../train/adam';
import { createEmitter, type GraphEmitter } from '../../train/emitter';
import { zeros } from '../../train/initialise';

/**
 * A layer whose weights are rounded together. Unit `u` with weights `w = scales (codes - zeroPoints)` makes the squared error
 * `w^T H w - 2 w^T t + p`; everything is row-major.
 */
export interface RoundingProblem {
  readonly groups: number;
  readonly units: number;
  readonly columns: number;
  /** Codes before they are rounded; like the next two `[groups, units, columns]`. */
  readonly codes: Float32Array;
  readonly scales: Float32Array;
  readonly zeroPoints: Float32Array;
  /** Smallest and largest code. */
  readonly range: readonly [number, number];
  /** H, second moments of the inputs: `[groups, columns, columns]`. */
  readonly moments: Float64Array;
  /** t, products of inputs and targets: `[groups, columns, units]`. */
  readonly cross: Float64Array;
  /** p, squared targets: `[groups, units]`. */
  readonly power: Float64Array;
}

/** Codes that were chosen, and what they gain. */
export interface Rounding {
  /** `[groups, units, columns]`. */
  readonly integers: Int8Array<ArrayBuffer>;
  /** Squared error of the layer when every weight is rounded to nearest, and now. */
  readonly nearestError: number;
  readonly error: number;
}

const STEPS = 500;
/** Share of the steps before the regulariser sets in. */
const WARM_UP = 0.2;
const BETA_START = 20;
const BETA_END = 2;
const LEARNING_RATE = 0.03;
/** Weight of the regulariser, in units of the error that rounding a weight to nearest makes on average. */
const LAMBDA = 0.3;
/** Sweeps of changes at the end; they settle within a few. */
const MAX_SWEEPS = 50;

/**
 * AdaRound (Nagel et al. 2020, "Up or Down? Adaptive Rounding for Post-Training Quantization", equations 21 to 25): every
 * weight goes to one of the two codes beside it, so that the squared error of its unit becomes small. A continuous variable V
 * stands for the choice, `h(V) = clip(1.2 sigmoid(V) - 0.1, 0, 1)`, and the regulariser `sum 1 - |2h - 1|^beta` drives h to 0 or
 * 1 while beta falls. The error is that of the linear layer, which second moments tell exactly: no sample is read. At the end
 * weights are turned, one or two at a time, as long as that helps; no unit gets worse than rounded to nearest. Zero weights stay zero.
 */
export async function adaround(problem: RoundingProblem, evaluate: Evaluate): Promise<Rounding> {
  const { codes, zeroPoints, range, groups, units, columns } = problem;
  const [low, high] = range;
  const limit = (code: number, top: number) => Math.min(top, Math.max(low, code));
  const start: Start = {
    floor: codes.map((code) => limit(Math.floor(code), high - 1)),
    free: codes.map((code, i) => Number(code !== zeroPoints[i])),
  };
  const nearest = codes.map((code) => limit(roundHalfToEven(code), high));
  const relaxed = await relax(problem, start, evaluate);

  const integers = new Int8Array(codes.length);
  let [nearestError, error] = [0, 0];
  for (let row = 0; row < groups * units; row++) {
    const at = row * columns;
    const unit = new Unit(problem, start, row);
    const plain = unit.errorOf(nearest.subarray(at, at + columns));
    const tried = [nearest, relaxed].map((choice) => unit.polish(choice.slice(at, at + columns)));
    const best = tried.reduce((a, b) => (b.error < a.error ? b : a));
    nearestError += plain;
    error += best.error;
    integers.set(best.codes, at);
  }
  return { integers, nearestError: Math.max(0, nearestError), error: Math.max(0, error) };
}

/** Lower one of the two codes that each weight can get, and whether it may choose (1) or stays zero (0). */
interface Start {
  readonly floor: Float32Array;
  readonly free: Float32Array;
}

/** The error of one unit as a function of its codes. */
class Unit {
  private readonly problem: RoundingProblem;
  private readonly start: Start;
  private readonly at: number;
  private readonly moments: Float64Array;
  private readonly cross: Float64Array;
  private readonly power: number;

  constructor(problem: RoundingProblem, start: Start, row: number) {
    this.problem = problem;
    this.start = start;
    const { units, columns, moments, cross, power } = problem;
    const [group, unit] = [Math.floor(row / units), row % units];
    this.at = row * columns;
    this.moments = moments.subarray(group * columns ** 2, (group + 1) * columns ** 2);
    this.cross = Float64Array.from({ length: columns }, (_, c) => cross[(group * columns + c) * units + unit]);
    this.power = power[row];
  }

  errorOf(codes: Float32Array): number {
    const weights = this.weightsOf(codes);
    return this.errorAt(weights, this.slopeAt(weights));
  }

  /** Moves one weight, or two together, to their other codes as long as that lowers the error. */
  polish(codes: Float32Array): { readonly codes: Float32Array; readonly error: number } {
    const { moments, at } = this;
    const { columns, scales } = this.problem;
    const { floor, free } = this.start;
    const weights = this.weightsOf(codes);
    const slope = this.slopeAt(weights);
    const steps = new Float64Array(columns);
    const turn = (c: number) => {
      codes[c] += steps[c] > 0 ? 1 : -1;
      weights[c] += steps[c];
      for (let k = 0; k < columns; k++) slope[k] += steps[c] * moments[c * columns + k];
      steps[c] = -steps[c];
    };
    for (let c = 0; c < columns; c++) steps[c] = scales[at + c] * free[at + c] * (codes[c] > floor[at + c] ? -1 : 1);
    const gainOf = (c: number) => steps[c] * (2 * slope[c] + steps[c] * moments[c * columns + c]);
    const enough = -1e-9 * this.power;
    for (let sweep = 0, moved = true; moved && sweep < MAX_SWEEPS; sweep++) {
      moved = false;
      for (let c = 0; c < columns; c++) {
        if (steps[c] === 0) continue;
        let gain = gainOf(c);
        // A change that does not pay alone may pay with the one that suits it best.
        let partner = -1;
        for (let k = 0; gain >= enough && k < columns; k++) {
          if (k === c || steps[k] === 0) continue;
          const both = gainOf(c) + gainOf(k) + 2 * steps[c] * steps[k] * moments[c * columns + k];
          if (both < enough) [gain, partner] = [both, k];
        }
        if (gain >= enough) continue;
        turn(c);
        if (partner >= 0) turn(partner);
        moved = true;
      }
    }
    return { codes, error: this.errorAt(weights, this.slopeAt(weights)) };
  }

  private weightsOf(codes: Float32Array): Float64Array {
    const { scales, zeroPoints } = this.problem;
    return Float64Array.from(codes, (code, c) => scales[this.at + c] * (code - zeroPoints[this.at + c]));
  }

  /** `H w - t`, half the derivative of the error. */
  private slopeAt(weights: Float64Array): Float64Array {
    const { columns } = this.problem;
    const slope = this.cross.map((target) => -target);
    for (let c = 0; c < columns; c++) {
      if (weights[c] === 0) continue;
      const from = c * columns;
      for (let k = 0; k < columns; k++) slope[k] += weights[c] * this.moments[from + k];
    }
    return slope;
  }

  private errorAt(weights: Float64Array, slope: Float64Array): number {
    return weights.reduce((sum, weight, c) => sum + weight * (slope[c] - this.cross[c]), this.power);
  }
}

/** Codes `[groups, units, columns]` that the continuous problem leads to. */
async function relax(problem: RoundingProblem, start: Start, evaluate: Evaluate): Promise<Float32Array> {
  const { codes, groups, units, columns } = problem;
  const dims = [groups, units, columns];
  const optimizer = adam();
  const graph = relaxationStep(problem, start);
  const choice = codes.map((code, i) => {
    const part = Math.min(0.99, Math.max(0.01, code - start.floor[i]));
    return -Math.log(1.2 / (part + 0.1) - 1);
  });
  let state: Tensor[] = [tensorOf('float32', dims, choice), zeros(dims), zeros(dims)];
  for (let step = 0; step < STEPS; step++) {
    const progress = Math.max(0, step / STEPS - WARM_UP) / (1 - WARM_UP);
    const scalars = {
      learning_rate: LEARNING_RATE,
      beta: BETA_END + 0.5 * (BETA_START - BETA_END) * (1 + Math.cos(Math.PI * progress)),
      pressure: step < STEPS * WARM_UP ? 0 : LAMBDA / columns,
      ...Object.fromEntries(Object.entries(optimizer.scalars!).map(([name, at]) => [name, at(step + 1)])),
    };
    const feeds = new Map<string, Tensor>(STATE.map((name, index) => [name, state[index]]));
    for (const [name, value] of Object.entries(scalars)) feeds.set(name, tensorFrom('float32', [], [value]));
    const results = await evaluate(graph, feeds, graph.outputs);
    state = graph.outputs.map((output) => results.get(output)!);
  }
  const final = viewAs(state[0], 'float32');
  return start.floor.map((floor, i) => (start.free[i] === 0 ? problem.zeroPoints[i] : floor + Number(final[i] >= 0)));
}

const STATE = ['choice', 'mean', 'square'] as const;

/** One step of Adam on the choices V; errors are divided by what rounding a unit to nearest makes of them on average. */
function relaxationStep(problem: RoundingProblem, { floor, free }: Start): Graph {
  const { groups, units, columns, scales, zeroPoints, moments, cross } = problem;
  const dims = [groups, units, columns];
  const emit = createEmitter(new GraphBuilder({ name: 'adaround' }).build());
  const [choice, ...slots] = STATE.map((name) => emit.input(name, 'float32', dims));
  const scalar = (name: string) => emit.input(name, 'float32', []);
  const [learningRate, beta, pressure] = ['learning_rate', 'beta', 'pressure'].map(scalar);

  const factors = new Float32Array(groups * units * columns);
  const targets = new Float32Array(factors.length);
  for (let row = 0; row < groups * units; row++) {
    const [group, unit] = [Math.floor(row / units), row % units];
    let noise = 0;
    for (let c = 0; c < columns; c++)
      noise += (scales[row * columns + c] ** 2 * moments[(group * columns + c) * columns + c]) / 12;
    for (let c = 0; c < columns; c++) {
      factors[row * columns + c] = noise > 0 ? (2 * scales[row * columns + c]) / noise : 0;
      targets[row * columns + c] = cross[(group * columns + c) * units + unit];
    }
  }
  const constant = (data: Float32Array<ArrayBuffer>) => emit.constant(tensorOf('float32', dims, data));
  const moves = constant(scales.map((scale, i) => scale * free[i]));
  const base = constant(scales.map((scale, i) => scale * free[i] * (floor[i] - zeroPoints[i])));
  const gram = emit.constant(tensorOf('float32', [groups, columns, columns], Float32Array.from(moments)));

  const { raw, h, slope } = rectifiedSigmoid(emit, choice);
  const weights = emit.node('Add', [base, emit.node('Mul', [moves, h])]);
  const residual = emit.node('Sub', [emit.node('MatMul', [weights, gram]), constant(targets)]);
  const errorSlope = emit.node('Mul', [residual, constant(factors.map((factor, i) => factor * free[i]))]);
  // d/dh (1 - |2h - 1|^beta) = -2 beta |2h - 1|^(beta - 1) sign(2h - 1)
  const signed = emit.node('Sub', [emit.node('Mul', [h, floats(emit, [2])]), floats(emit, [1])]);
  const exponent = emit.node('Sub', [beta, floats(emit, [1])]);
  const power = emit.node('Pow', [emit.node('Abs', [signed]), exponent]);
  const pull = emit.node('Mul', [emit.node('Mul', [power, emit.node('Sign', [signed])]), beta]);
  const pressed = emit.node('Mul', [emit.node('Mul', [pull, pressure]), floats(emit, [-2])]);
  const total = emit.node('Mul', [emit.node('Add', [errorSlope, pressed]), slope]);
  const inside = emit.node('Equal', [h, raw]);
  const gradient = emit.node('Where', [inside, total, floats(emit, [0])]);

  const optimizer = adam();
  const scalars = Object.fromEntries(Object.keys(optimizer.scalars!).map((name) => [name, scalar(name)]));
  const next = optimizer.update(emit, { value: choice, gradient, slots, learningRate, scalars });
  return emit.build([next.value, ...next.slots]);
}

/** `h = clip(raw, 0, 1)` of `raw = 1.2 sigmoid(V) - 0.1`, and the slope of `raw`. */
function rectifiedSigmoid(emit: GraphEmitter, choice: string): { raw: string; h: string; slope: string } {
  const sigmoid = emit.node('Sigmoid', [choice]);
  const stretched = emit.node('Mul', [sigmoid, floats(emit, [1.2])]);
  const raw = emit.node('Sub', [stretched, floats(emit, [0.1])]);
  const h = emit.node('Clip', [raw, floats(emit, [0]), floats(emit, [1])]);
  const slope = emit.node('Mul', [stretched, emit.node('Sub', [floats(emit, [1]), sigmoid])]);
  return { raw, h, slope };
}
