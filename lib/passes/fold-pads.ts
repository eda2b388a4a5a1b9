import { attribute, attributes } from '../ir/attribute';
import type { Graph, Node } from '../ir/graph';
import { elementCount, type Tensor, toNumbers, viewAs } from '../ir/tensor';
import { findOperator } from '../ops';
import { normalizeAxes } from '../ops/axes';
import { toDense } from '../ops/dense';
import type { Dense } from '../ops/operator';
import { padsPerAxis } from '../ops/pad-extents';
import { windowAttributes } from '../ops/spatial';
import { type Guard, oneOutput } from './guards';
import { constant, either, type Match, node, optional, type Pattern, type PatternContext, value } from './pattern';
import { applyRules, type Rewrite, type RewriteContext, type Rule, replaceBy, type Trace } from './rewrite';

/** Integer types of activations and their lowest codes. */
const LOWEST: Readonly<Record<string, number>> = { float32: Number.NEGATIVE_INFINITY, uint8: 0, int8: -128 };

const isScalar = ({ dims }: Tensor) => dims.length === 0;

/** A positive scale keeps the order of elements. */
const isScale = (tensor: Tensor) => isScalar(tensor) && viewAs(tensor, 'float32')[0] > 0;

const padNode = node(
  'pad',
  'Pad',
  [value('x'), constant('pads', 'int64'), optional(constant('fill')), optional(constant('axes'))],
  { alone: true },
);
const quantizer = (name: string, op: string, input: Pattern) =>
  node(
    name,
    op,
    [input, constant(`${name}Scale`, 'float32', isScale), optional(constant(`${name}Zero`, undefined, isScalar))],
    {
      alone: true,
    },
  );

/** What a window reads: padded values, or what a quantization on one grid makes of them. */
const padded = either(
  padNode,
  quantizer('dequantize', 'DequantizeLinear', either(padNode, quantizer('quantize', 'QuantizeLinear', padNode))),
);

/** Pads that a window could ask for itself: a constant, around spatial axes only. */
const padsSpatialAxes: Guard = {
  word: 'pad adds constants around spatial axes of x',
  holds: (match, context) => {
    const isConstant = attribute(match.node('pad'), 'mode', 'string', 'constant') === 'constant';
    const pads = isConstant && padsOf(match, context);
    if (!pads) return false;
    const [before, after] = pads;
    const outer = [...before.slice(0, 2), ...after.slice(0, 2)];
    return before.length >= 3 && outer.every((pad) => pad === 0) && [...before, ...after].every((pad) => pad >= 0);
  },
};

/** Windows whose places do not depend on where the input ends. */
const hasOwnPads: Guard = {
  word: 'window has pads of its own, and no ceil_mode',
  holds: (match) => {
    const { autoPad, ceil } = windowAttributes(match.node('window'), 1);
    return (autoPad === 'NOTSET' || autoPad === 'VALID') && !ceil;
  },
};

/** Windows of a pool that always meet an element: runtimes refuse others. */
const meetsElements: Guard = {
  word: 'all pads together are smaller than the kernel, which has no holes',
  holds: (match, context) => {
    const kernel = attribute(match.node('window'), 'kernel_shape', 'ints');
    const { dilations } = windowAttributes(match.node('window'), kernel.length);
    const pads = sumOfPads(match, context);
    return dilations.every((dilation) => dilation === 1) && pads.every((pad, at) => pad < kernel[at % kernel.length]);
  },
};

const fillIs = (word: string, wanted: (match: Match, context: PatternContext) => number): Guard => ({
  word: `the window sees ${word} around x`,
  holds: (match, context) => imageOf(match, context, fillOf(match)) === wanted(match, context),
});

const fillIsZero = fillIs('zeros', () => 0);

/**
 * The graph with Pad nodes taken over by the convolution or pool behind them, where their value is what the window itself pads
 * with; a quantization between the two stays. Returns the same graph when nothing matches.
 */
export function foldPads(graph: Graph, trace?: Trace): Graph {
  return applyRules(graph, FOLD_PADS, trace);
}

/** Pad nodes become padding of the windows behind them. */
export const FOLD_PADS: readonly Rule[] = [
  {
    name: 'pad-into-conv',
    summary: 'Pad by zeros (the zero point) in front of a Conv becomes its padding',
    pattern: node('window', 'Conv', [padded]),
    guards: [padsSpatialAxes, hasOwnPads, fillIsZero],
    replace: (match, context) => folded(match, context, {}),
  },
  {
    name: 'pad-into-max-pool',
    summary: 'Pad by the lowest number (or code) in front of a MaxPool becomes its padding',
    pattern: node('window', 'MaxPool', [padded]),
    guards: [
      padsSpatialAxes,
      hasOwnPads,
      oneOutput('window'),
      meetsElements,
      // What is lowest goes through the quantization as everything else does: equal images cannot be undercut.
      fillIs('the lowest value', (match, context) =>
        imageOf(match, context, LOWEST[context.typeOf(match.value('x'))?.type ?? ''] ?? Number.NaN),
      ),
    ],
    replace: (match, context) => folded(match, context, {}),
  },
  {
    name: 'pad-into-average-pool',
    summary: 'Pad by zeros in front of an AveragePool that counts them becomes its padding',
    pattern: node('window', 'AveragePool', [padded]),
    guards: [
      padsSpatialAxes,
      hasOwnPads,
      meetsElements,
      fillIsZero,
      {
        word: 'window counts its padding, or has none',
        holds: (match) => {
          const window = match.node('window');
          return (
            attribute(window, 'count_include_pad', 'int', 0) !== 0 ||
            windowAttributes(window, 1).autoPad === 'VALID' ||
            attribute(window, 'pads', 'ints', []).every((pad) => pad === 0)
          );
        },
      },
    ],
    // Elements that a Pad adds are elements of the mean.
    replace: (match, context) => folded(match, context, { count_include_pad: 1 }),
  },
];

/** The window with the pads of both, over what was padded. */
function folded(match: Match, context: RewriteContext, more: Readonly<Record<string, number>>): Rewrite {
  const window = match.node('window');
  const absorbed = ['quantize', 'dequantize'].flatMap((name) => match.findNode(name) ?? []);
  // New names: extents of the old values do not hold any more.
  let input = match.value('x');
  const quantizers = absorbed.map((each) => {
    const output = context.fresh(`${input}_${each.op === 'QuantizeLinear' ? 'quantized' : 'dequantized'}`);
    const made = { ...each, inputs: [input, ...each.inputs.slice(1)], outputs: [output] };
    input = output;
    return made;
  });
  const given = new Map([...window.attributes].filter(([name]) => name !== 'auto_pad'));
  const changed = attributes({ pads: sumOfPads(match, context), ...more });
  const made = {
    ...window,
    inputs: [input, ...window.inputs.slice(1)],
    attributes: new Map([...given, ...changed]),
  };
  return replaceBy(window, [...quantizers, made], [match.node('pad'), ...absorbed]);
}

/** Pads of the window after the fold: begins of all spatial axes, then ends. */
function sumOfPads(match: Match, context: PatternContext): number[] {
  const [before, after] = padsOf(match, context)!;
  const added = [...before.slice(2), ...after.slice(2)];
  const { pads, autoPad } = windowAttributes(match.node('window'), before.length - 2);
  return added.map((pad, at) => pad + (autoPad === 'VALID' ? 0 : pads[at]));
}

/** Counts before and after every axis of x; undefined when they do not fit its shape. */
function padsOf(match: Match, context: PatternContext): readonly [number[], number[]] | undefined {
  const rank = context.typeOf(match.value('x'))?.shape?.length;
  const axes = match.findConstant('axes');
  const listed = axes && Array.from(toDense(axes, 'float64').data);
  const pads = toNumbers(match.constant('pads'));
  if (rank === undefined || (listed && !normalizeAxes(listed, rank))) return undefined;
  return pads.length === 2 * (listed?.length ?? rank) ? padsPerAxis(rank, pads, listed) : undefined;
}

/** The number that the Pad writes. */
function fillOf(match: Match): number {
  const fill = match.findConstant('fill');
  return fill && elementCount(fill.dims) > 0 ? toDense(fill, 'float64').data[0] : 0;
}

/** What the quantization between Pad and window makes of an element. */
function imageOf(match: Match, context: PatternContext, element: number): number {
  const type = context.typeOf(match.value('x'))?.type ?? 'float32';
  let image: Dense = { type, dims: [], data: Float64Array.of(element) };
  for (const name of ['quantize', 'dequantize']) {
    const found = match.findNode(name);
    if (found) image = evaluated(found, image, context);
  }
  return image.data[0];
}

function evaluated(quantizer: Node, input: Dense, context: PatternContext): Dense {
  const constants = quantizer.inputs.slice(1).map((name) => context.constant(name));
  const inputs = [input, ...constants.map((tensor) => tensor && toDense(tensor, 'float32'))];
  return findOperator('', quantizer.op)!.evaluate!(inputs, quantizer, 'float32')[0];
}
