import { attribute } from '../ir/attribute';
import type { Node } from '../ir/graph';
import { tensorFrom, toNumbers } from '../ir/tensor';
import { clipBounds } from '../ops/clip';
import { replaceBy } from './absorb-constants';
import type { RewriteContext, Rule } from './rewrite';

/** A clamp of float32 values: what it reads, and its bounds. */
interface Clamp {
  readonly input: string;
  readonly low: number;
  readonly high: number;
}

/** `Min(x, c)` and `Max(x, c)` with one constant become Clip; Clip from 0 up becomes Relu. */
export const minMaxToClip: Rule = (node, context) => {
  const clamp = clampOf(node, context);
  if (!clamp) return undefined;
  if (node.op === 'Clip' && clamp.low === 0 && clamp.high === Number.POSITIVE_INFINITY)
    return replaceBy(node, { ...node, op: 'Relu', inputs: [clamp.input] });
  if (node.op !== 'Min' && node.op !== 'Max') return undefined;
  return replaceBy(node, clipNode(node, clamp, context));
};

/** Two clamps in a row become one, where no other node reads between them. */
export const mergeClamps: Rule = (node, context) => {
  const outer = clampOf(node, context);
  const first = outer && context.producer(outer.input);
  const inner = first && clampOf(first, context);
  if (!inner || context.onlyConsumer(outer.input) !== node) return undefined;
  const clip = (x: number) => Math.min(Math.max(x, outer.low), outer.high);
  const merged = { input: inner.input, low: clip(inner.low), high: clip(inner.high) };
  return {
    replace: new Map<Node, readonly Node[]>([
      [first, []],
      [node, [clipNode(node, merged, context)]],
    ]),
  };
};

/**
 * A clamp behind a MaxPool moves in front of it, where the layer before can compute it on the way: the maximum of clamped
 * elements is the clamped maximum. Only windows that always meet an element, so that padding never speaks for itself.
 */
export const clampBeforePool: Rule = (node, context) => {
  const clamp = clampOf(node, context);
  const pool = clamp && context.producer(clamp.input);
  if (pool?.op !== 'MaxPool' || pool.domain !== '' || pool.outputs[1]) return undefined;
  const [input] = pool.inputs;
  const layer = context.producer(input);
  if (layer?.domain !== '' || !['Conv', 'Add', 'Mul'].includes(layer.op)) return undefined;
  if (context.onlyConsumer(input) !== pool || context.onlyConsumer(clamp!.input) !== node) return undefined;
  const kernel = attribute(pool, 'kernel_shape', 'ints');
  const pads = attribute(pool, 'pads', 'ints', []);
  const dilations = attribute(pool, 'dilations', 'ints', []);
  const reached = pads.every((pad, index) => pad < kernel[index % kernel.length]);
  if (!reached || dilations.some((dilation) => dilation !== 1)) return undefined;
  const clamped = context.fresh(`${input}_clamped`);
  const first = { ...node, inputs: [input, ...node.inputs.slice(1)], outputs: [clamped] };
  return {
    replace: new Map<Node, readonly Node[]>([
      [pool, []],
      [node, [first, { ...pool, inputs: [clamped], outputs: node.outputs }]],
    ]),
  };
};

function clampOf(node: Node, context: RewriteContext): Clamp | undefined {
  if (node.domain !== '' || context.typeOf(node.outputs[0])?.type !== 'float32') return undefined;
  const [input] = node.inputs;
  if (node.op === 'Relu') return { input, low: 0, high: Number.POSITIVE_INFINITY };
  if (node.op === 'Clip') {
    const bounds = clipBounds({ node, constant: (index) => context.constant(node.inputs[index]) });
    return bounds && bounds[0] <= bounds[1] ? { input, low: bounds[0], high: bounds[1] } : undefined;
  }
  if ((node.op !== 'Min' && node.op !== 'Max') || node.inputs.length !== 2) return undefined;
  const at = node.inputs.findIndex((name) => context.constant(name)?.dims.length === 0);
  const tensor = context.constant(node.inputs[at] ?? '');
  // Only a rank-0 constant surely leaves the shape alone.
  if (!tensor) return undefined;
  const [value] = toNumbers(tensor);
  if (Number.isNaN(value)) return undefined;
  const other = node.inputs[1 - at];
  return node.op === 'Min'
    ? { input: other, low: Number.NEGATIVE_INFINITY, high: value }
    : { input: other, low: value, high: Number.POSITIVE_INFINITY };
}

function clipNode(node: Node, { input, low, high }: Clamp, context: RewriteContext): Node {
  const bound = (hint: string, value: number) =>
    Number.isFinite(value) ? context.add(`${node.outputs[0]}_${hint}`, tensorFrom('float32', [], [value])) : '';
  const inputs = [input, bound('min', low), bound('max', high)];
  while (inputs.at(-1) === '') inputs.pop();
  return { ...node, op: 'Clip', inputs, attributes: new Map() };
}
