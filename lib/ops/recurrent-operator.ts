import type { Diagnostic } from '../core/diagnostic';
import type { RecurrentCell, RecurrentDirection } from '../core/recurrent-cell';
import { attribute } from '../ir/attribute';
import type { Attribute, Dim, Node } from '../ir/graph';
import { toNumbers } from '../ir/tensor';
import { recurrent } from './coupling-layers';
import type { BoundedFunction, KernelCall } from './kernel-call';
import { recurrentLayer } from './layer-facets';
import type { Dense, InferContext, Inferred, LowerContext, Operator, Parameter } from './operator';
import {
  type Advance,
  activationsOf,
  clipOf,
  directionPart,
  directionsOf,
  evaluateRecurrent,
  inferRecurrent,
} from './recurrent';
import { FLOATS, oneOf, optional, problem, required } from './schema';

/** Attributes that all recurrent operators have. */
const ATTRIBUTES = {
  activation_alpha: { kind: 'floats' },
  activation_beta: { kind: 'floats' },
  activations: { kind: 'strings' },
  clip: { kind: 'float' },
  direction: oneOf('forward', 'reverse', 'bidirectional'),
  hidden_size: { kind: 'int' },
  layout: { kind: 'int' },
} as const satisfies Record<string, { kind: Attribute['kind'] }>;

/** Place of the first initial state among the inputs: behind X, W, R, B and the lengths. */
const FIRST_STATE = 5;
const LENGTHS = 4;

/** What one direction computes with. */
export interface Cell {
  /** `[gates * H, I]`, `[gates * H, H]` and, for input and state one after the other, `[2 * gates * H]`. */
  readonly w: Dense['data'];
  readonly r: Dense['data'];
  readonly b: Dense['data'] | undefined;
  /** Parameters behind the initial states, where the operator has them: one number per hidden unit and row. */
  readonly peepholes: Dense['data'] | undefined;
  readonly activations: readonly ((x: number) => number)[];
  readonly hidden: number;
  /** `value` within the clip of the node. */
  readonly bound: (value: number) => number;
}

/** What tells one recurrent operator from another. */
export interface RecurrentKind {
  readonly op: string;
  readonly cell: RecurrentCell;
  /** Rows of the weights per hidden unit. */
  readonly gates: number;
  /** Letters of the states, the output first. */
  readonly states: readonly string[];
  /** Rows of peepholes per hidden unit; none when left out. */
  readonly peepholes?: number;
  /** Attributes beside those of all. */
  readonly attributes: Operator['schema']['attributes'];
  readonly activations: readonly string[];
  /** Element operations of a cell and step, about. */
  readonly elementOps: number;
  /** What one step does, for the weights of a direction. */
  readonly step: (cell: Cell, node: Node) => Advance;
  readonly gradient?: Operator['gradient'];
}

/**
 * A recurrent operator of ONNX-14. Inputs X `[T, N, I]`, W `[D, gates * H, I]`, R `[D, gates * H, H]`, B `[D, 2 * gates * H]`,
 * lengths `[N]`, initial states `[D, N, H]`, peepholes `[D, rows * H]`; outputs Y `[T, D, N, H]` and the final states `[D, N, H]`.
 * With layout=1 the batch is the first axis of X, Y and the states.
 */
export function recurrentOperator(kind: RecurrentKind): Operator {
  const { op, gates, states, activations, attributes, elementOps, gradient } = kind;
  const peepholesAt = FIRST_STATE + states.length;
  const peepholes = kind.peepholes === undefined ? [] : [optional('P', FLOATS)];
  const inputs: readonly Parameter[] = [
    ...['X', 'W', 'R'].map((name) => required(name, FLOATS)),
    optional('B', FLOATS),
    optional('sequence_lens', ['int32']),
    ...states.map((state) => optional(`initial_${state}`, FLOATS)),
    ...peepholes,
  ];
  const outputs = [optional('Y', FLOATS), ...states.map((state) => optional(`Y_${state}`, FLOATS))];
  return {
    op,
    domain: '',
    since: 14,
    schema: { inputs, outputs, attributes: { ...ATTRIBUTES, ...attributes } },
    infer: (context) => checkParameters(context, kind) ?? inferRecurrent(context, states.length, activations),
    evaluate: (values, node) => {
      const clip = clipOf(node);
      const functions = activationsOf(node, activations).map((activation) => activation!.evaluate);
      const cellOf = (d: number): Cell => ({
        w: directionPart(values[1], d)!,
        r: directionPart(values[2], d)!,
        b: directionPart(values[3], d),
        peepholes: directionPart(values[peepholesAt], d),
        activations: functions.slice(d * activations.length, (d + 1) * activations.length),
        hidden: values[2]!.dims[2],
        bound: (value) => Math.min(Math.max(value, -clip), clip),
      });
      const initial = states.map((_, index) => values[FIRST_STATE + index]);
      return evaluateRecurrent(values, node, initial, (d) => kind.step(cellOf(d), node));
    },
    ...(gradient ? { gradient } : {}),
    coupling: recurrent,
    layer: recurrentLayer,
    lower: (context) => lowerRecurrent(context, kind),
    cost: ([x, , r]) => {
      const [a, b, inputSize] = x!.shape as readonly number[];
      const [directions, , hidden] = r!.shape as readonly number[];
      const cells = a * b * directions * hidden;
      return { macs: gates * cells * (inputSize + hidden), elementOps: elementOps * cells };
    },
  };
}

/** The kernel of a node with constant parameters whose sequences are all as long as there are steps. */
function lowerRecurrent({ node, inputs, constant }: LowerContext, kind: RecurrentKind): KernelCall | Diagnostic {
  const peepholesAt = FIRST_STATE + kind.states.length;
  for (const [index, name] of [
    [1, 'W'],
    [2, 'R'],
    [3, 'B'],
    [peepholesAt, 'P'],
  ] as const)
    if (node.inputs[index] && !constant(index)) return problem(node, 'not-constant', `expected ${name} to be constant`);
  const batchFirst = attribute(node, 'layout', 'int', 0) === 1;
  const steps = inputs[0]?.shape?.[batchFirst ? 1 : 0];
  if (node.inputs[LENGTHS]) {
    const lengths = constant(LENGTHS);
    if (!lengths || toNumbers(lengths).some((length) => length !== steps))
      return problem(node, 'not-constant', `expected no lengths, or constants of ${steps}: that of all sequences`);
  }
  const functions: BoundedFunction[] = [];
  for (const activation of activationsOf(node, kind.activations)) {
    if (!activation?.engine) return problem(node, 'attribute', `activation ${activation?.name} has no kernel`);
    functions.push(activation.engine);
  }
  return {
    kernel: 'recurrent',
    cell: kind.cell,
    direction: attribute(node, 'direction', 'string', 'forward') as RecurrentDirection,
    batchFirst,
    linearBeforeReset: attribute(node, 'linear_before_reset', 'int', 0) !== 0,
    inputForget: attribute(node, 'input_forget', 'int', 0) !== 0,
    clip: clipOf(node),
    functions,
  };
}

/** What is wrong with the shapes of the parameters and initial states. */
function checkParameters({ node, inputs }: InferContext, kind: RecurrentKind): Diagnostic | undefined {
  const [x, w, r] = inputs;
  const directions = directionsOf(node).length;
  const [, rows, units] = r?.shape ?? [];
  const hidden = node.attributes.has('hidden_size') ? attribute(node, 'hidden_size', 'int') : units;
  const total = typeof hidden === 'number' ? kind.gates * hidden : rows;
  const twice = typeof total === 'number' ? 2 * total : undefined;
  const batchFirst = attribute(node, 'layout', 'int', 0) === 1;
  const batch = x?.shape?.[batchFirst ? 0 : 1];
  const peepholes = typeof hidden === 'number' ? (kind.peepholes ?? 0) * hidden : undefined;
  const expected: readonly (readonly [name: string, shape: Inferred['shape'], dims: readonly (Dim | undefined)[]])[] = [
    ['W', w?.shape, [directions, total, x?.shape?.[2]]],
    ['R', r?.shape, [directions, total, hidden]],
    ['B', inputs[3]?.shape, [directions, twice]],
    ['lengths', inputs[LENGTHS]?.shape, [batch]],
    ...kind.states.map((state, index) => {
      const dims = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
      return [`initial_${state}`, inputs[FIRST_STATE + index]?.shape, dims] as const;
    }),
    ['P', inputs[FIRST_STATE + kind.states.length]?.shape, [directions, peepholes]],
  ];
  for (const [name, shape, dims] of expected)
    if (shape && (shape.length !== dims.length || shape.some((dim, axis) => differs(dim, dims[axis]))))
      return problem(node, 'shape-mismatch', `expected ${name} [${dims.map((dim) => dim ?? '?')}], found [${shape}]`);
  return undefined;
}

function differs(found: Dim, expected: Dim | undefined): boolean {
  return typeof found === 'number' && typeof expected === 'number' && found !== expected;
}
