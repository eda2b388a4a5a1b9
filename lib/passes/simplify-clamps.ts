import { attribute } from '../ir/attribute';
import type { Node } from '../ir/graph';
import { type Tensor, tensorFrom, toNumbers } from '../ir/tensor';
import { clipBounds } from '../ops/operators/clip';
import { type Guard, hasType, oneOutput } from './guards';
import { constant, type Match, node, type PatternContext, value } from './pattern';
import { type RewriteContext, type Rule, replaceBy } from './rewrite';

/** A clamp as its bounds. */
type Bounds = readonly [low: number, high: number];

/** Operators of clamps, once Min and Max with a constant are Clips. */
const CLAMPS = ['Relu', 'Clip'] as const;

const hasBounds = (name: string): Guard => ({
  word: `${name} has constant bounds that do not cross`,
  holds: (match, context) => boundsOf(match.node(name), context) !== undefined,
});

/** Clamps take one form, one node, and the place right behind their layer. */
export const SIMPLIFY_CLAMPS: readonly Rule[] = [
  {
    name: 'clip-to-relu',
    summary: 'Clip from 0 up becomes Relu',
    pattern: node('clamp', 'Clip', [value('x')]),
    guards: [
      hasType('clamp', 'float32'),
      {
        word: 'the bounds are 0 and none',
        holds: (match, context) => boundsOf(match.node('clamp'), context)?.join() === '0,Infinity',
      },
    ],
    replace: (match) => {
      const clamp = match.node('clamp');
      return replaceBy(clamp, { ...clamp, op: 'Relu', inputs: [match.value('x')] });
    },
  },
  {
    name: 'extreme-to-clip',
    summary: 'Min or Max with one constant becomes Clip',
    // Only a constant without axes surely leaves the shape alone.
    pattern: node('clamp', ['Min', 'Max'], [value('x'), constant('bound', 'float32', isNumber)], { anyOrder: true }),
    guards: [{ word: 'clamp reads two values', holds: (match) => match.node('clamp').inputs.length === 2 }],
    replace: (match, context) => {
      const clamp = match.node('clamp');
      const [bound] = toNumbers(match.constant('bound'));
      const bounds: Bounds = clamp.op === 'Min' ? [Number.NEGATIVE_INFINITY, bound] : [bound, Number.POSITIVE_INFINITY];
      return replaceBy(clamp, clipNode(clamp, match.value('x'), bounds, context));
    },
  },
  {
    name: 'merge-clamps',
    summary: 'two clamps in a row become one',
    pattern: node('outer', CLAMPS, [node('inner', CLAMPS, [value('x')], { alone: true })]),
    guards: [hasType('outer', 'float32'), hasBounds('outer'), hasBounds('inner')],
    replace: (match, context) => {
      const [outer, inner] = [match.node('outer'), match.node('inner')];
      const [inside, outside] = [boundsOf(inner, context)!, boundsOf(outer, context)!];
      const [low, high] = inside.map((x) => Math.min(Math.max(x, outside[0]), outside[1]));
      return replaceBy(outer, clipNode(outer, match.value('x'), [low, high], context), [inner]);
    },
  },
  {
    name: 'clamp-before-pool',
    summary: 'a clamp behind a MaxPool moves in front of it, where the layer before computes it on the way',
    pattern: node('clamp', CLAMPS, [
      node('pool', 'MaxPool', [node('layer', ['Conv', 'Add', 'Mul'], [], { alone: true })], { alone: true }),
    ]),
    guards: [
      hasType('clamp', 'float32'),
      hasBounds('clamp'),
      oneOutput('pool'),
      { word: 'every window of pool meets an element', holds: (match) => alwaysMeets(match) },
    ],
    replace: (match, context) => {
      const [clamp, pool, input] = [match.node('clamp'), match.node('pool'), match.value('layer')];
      const clamped = context.fresh(`${input}_clamped`);
      const first = { ...clamp, inputs: [input, ...clamp.inputs.slice(1)], outputs: [clamped] };
      return replaceBy(clamp, [first, { ...pool, inputs: [clamped], outputs: clamp.outputs }], [pool]);
    },
  },
];

/**
 * Whether padding never speaks for itself in a MaxPool. The maximum of clamped elements is the clamped maximum, but only where
 * there is an element.
 */
function alwaysMeets(match: Match): boolean {
  const pool = match.node('pool');
  const kernel = attribute(pool, 'kernel_shape', 'ints');
  const reached = attribute(pool, 'pads', 'ints', []).every((pad, index) => pad < kernel[index % kernel.length]);
  return reached && attribute(pool, 'dilations', 'ints', []).every((dilation) => dilation === 1);
}

function isNumber(tensor: Tensor): boolean {
  return tensor.dims.length === 0 && !Number.isNaN(toNumbers(tensor)[0]);
}

/** Bounds of a Relu or Clip; undefined when they are computed, cross or are not numbers. */
function boundsOf(clamp: Node, context: PatternContext): Bounds | undefined {
  if (clamp.op === 'Relu') return [0, Number.POSITIVE_INFINITY];
  const bounds = clipBounds({ node: clamp, constant: (index) => context.constant(clamp.inputs[index]) });
  return bounds && bounds[0] <= bounds[1] ? bounds : undefined;
}

function clipNode(clamp: Node, input: string, [low, high]: Bounds, context: RewriteContext): Node {
  const bound = (hint: string, value: number) =>
    Number.isFinite(value) ? context.add(`${clamp.outputs[0]}_${hint}`, tensorFrom('float32', [], [value])) : '';
  const inputs = [input, bound('min', low), bound('max', high)];
  while (inputs.at(-1) === '') inputs.pop();
  return { ...clamp, op: 'Clip', inputs, attributes: new Map() };
}
