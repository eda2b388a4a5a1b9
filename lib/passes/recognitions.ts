import { attribute } from '../ir/attribute';
import { elementCount, type Tensor } from '../ir/tensor';
import { keepsAxes, normalizeAxes } from '../ops/axes';
import { toDense } from '../ops/dense';
import {
  constant,
  either,
  type Match,
  type NodePattern,
  node,
  type Pattern,
  type PatternContext,
  value,
} from './pattern';

/** What is known of a group of nodes, by word. Values are named; numbers are what the constants of the graph say. */
export type Findings = Readonly<Record<string, number | string | readonly number[]>>;

/** A row of the table of what can be recognised. */
export interface Recognition {
  readonly name: string;
  /** The forms in which exporters write it, with the last node as root; the largest first. */
  readonly patterns: readonly NodePattern[];
  /** What is found; undefined where the numbers say that it is something else. */
  readonly find: (match: Match, context: PatternContext) => Findings | undefined;
}

const x = value('x');

/** Decomposed operators that are recognised. */
export const RECOGNITIONS: readonly Recognition[] = [
  { name: 'layer-normalization', patterns: layerNormForms(), find: findLayerNorm },
  { name: 'gelu', patterns: geluByErf(), find: (match) => ({ input: match.value('x'), approximate: 'none' }) },
  { name: 'gelu', patterns: geluByTanh(), find: (match) => ({ input: match.value('x'), approximate: 'tanh' }) },
  { name: 'silu', patterns: siluForms(), find: (match) => ({ input: match.value('x') }) },
  { name: 'hard-swish', patterns: hardSwishForms(), find: findHardSwish },
  { name: 'attention-scale', patterns: attentionForms(), find: findAttention },
];

/** Words over patterns: a sum and a product do not care for order. */
function add(name: string, a: Pattern, b: Pattern): NodePattern {
  return node(name, 'Add', [a, b], { anyOrder: true });
}

function multiply(name: string, a: Pattern, b: Pattern): NodePattern {
  return node(name, 'Mul', [a, b], { anyOrder: true });
}

/** The only element of a constant; undefined when it has several. */
function numberIn(tensor: Tensor | undefined): number | undefined {
  return tensor && elementCount(tensor.dims) === 1 ? toDense(tensor, 'float64').data[0] : undefined;
}

/** A constant number, as float32 or a narrower float holds it. */
function near(name: string, expected: number): Pattern {
  return constant(name, undefined, (tensor) => {
    const found = numberIn(tensor);
    return found !== undefined && (found === expected || isRounded(found, expected));
  });
}

/** Whether a number is another one with the 24 digits of float32 (the last two may be wrong), or the 11 of float16. */
function isRounded(found: number, expected: number): boolean {
  const digits = Math.floor(Math.log2(Math.abs(expected)));
  const half = Math.round(expected / 2 ** (digits - 10)) * 2 ** (digits - 10);
  return found === half || Math.abs(found - expected) <= 2 ** (digits - 22);
}

/** `p` multiplied by a number, or divided by its reciprocal. */
function times(name: string, p: Pattern, factor: number): NodePattern[] {
  return [multiply(name, p, near(`${name}Factor`, factor)), node(name, 'Div', [p, near(`${name}Divisor`, 1 / factor)])];
}

/** The product of two values and a number, whichever two come first. */
function product(a: Pattern, b: Pattern, factor: number): NodePattern[] {
  return [
    ...times('last', multiply('product', a, b), factor),
    multiply('last', either(...times('part', a, factor)), b),
    multiply('last', a, either(...times('part', b, factor))),
  ];
}

/** `x * (1 + erf(x / sqrt(2))) / 2`. */
function geluByErf(): NodePattern[] {
  const erf = node('erf', 'Erf', [either(...times('scaled', x, Math.SQRT1_2))]);
  const distribution = add('shifted', either(...times('halved', erf, 0.5)), near('half', 0.5));
  return [...product(x, add('shifted', erf, near('one', 1)), 0.5), multiply('last', x, distribution)];
}

/** `x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2`. */
function geluByTanh(): NodePattern[] {
  const [lead, bend] = [Math.sqrt(2 / Math.PI), 0.044715];
  const square = either(node('square', 'Pow', [x, near('two', 2)]), node('square', 'Mul', [x, x]));
  const cube = either(node('cube', 'Pow', [x, near('three', 3)]), multiply('cube', square, x));
  const bent = either(...times('bent', square, bend), multiply('bent', either(...times('bend', x, bend)), x));
  const inside = add('inside', bent, near('unit', 1));
  const argument = either(
    ...times('argument', add('sum', x, either(...times('bent', cube, bend))), lead),
    ...times('argument', multiply('sum', x, inside), lead),
    multiply('argument', either(...times('lead', x, lead)), inside),
    multiply('argument', x, either(...times('lead', inside, lead))),
  );
  return product(x, add('shifted', node('tanh', 'Tanh', [argument]), near('one', 1)), 0.5);
}

/** `x / (1 + exp(-x))`. */
function siluForms(): NodePattern[] {
  const denominator = add('denominator', node('exp', 'Exp', [node('negative', 'Neg', [x])]), near('one', 1));
  const inverse = either(
    node('inverse', 'Reciprocal', [denominator]),
    node('inverse', 'Div', [near('unit', 1), denominator]),
  );
  return [
    // PaddlePaddle writes the factor of a Swish though it is 1.
    multiply('last', x, node('sigmoid', 'Sigmoid', [either(x, ...times('same', x, 1))])),
    multiply('last', x, inverse),
    node('last', 'Div', [x, denominator]),
  ];
}

/** `x * clamp(x + 3, 0, 6) / 6`. */
function hardSwishForms(): NodePattern[] {
  const clip = node('clip', 'Clip', [add('shifted', x, near('three', 3)), near('low', 0), near('six', 6)]);
  const line = add('shifted', either(...times('slope', x, 1 / 6)), near('half', 0.5));
  return [
    ...product(x, clip, 1 / 6),
    multiply('last', x, node('clip', 'Clip', [line, near('low', 0), near('unit', 1)])),
    multiply('last', x, node('gate', 'HardSigmoid', [x])),
  ];
}

function findHardSwish(match: Match): Findings | undefined {
  const gate = match.findNode('gate');
  const [alpha, beta] = gate
    ? [attribute(gate, 'alpha', 'float', 0.2), attribute(gate, 'beta', 'float', 0.5)]
    : [1 / 6, 0.5];
  return isRounded(alpha, 1 / 6) && isRounded(beta, 0.5) ? { input: match.value('x') } : undefined;
}

/** `(x - mean) / sqrt(mean((x - mean)^2) + epsilon) * scale + bias` (Ba, Kiros and Hinton 2016, equations 3 and 4). */
function layerNormForms(): NodePattern[] {
  const mean = node('mean', 'ReduceMean', [x, constant('axes', 'int64')]);
  const centred = node('centred', 'Sub', [x, mean]);
  const squared = either(
    node('squared', 'Pow', [centred, near('two', 2)]),
    node('squared', 'Mul', [centred, value('centred')]),
  );
  const variance = node('variance', 'ReduceMean', [squared, constant('varianceAxes', 'int64')]);
  const shifted = add(
    'shifted',
    variance,
    constant('epsilon', 'float32', (tensor) => numberIn(tensor)! > 0),
  );
  const deviation = either(
    node('deviation', 'Sqrt', [shifted]),
    node('deviation', 'Pow', [shifted, near('half', 0.5)]),
  );
  const inverse = either(
    node('inverse', 'Reciprocal', [deviation]),
    node('inverse', 'Div', [near('one', 1), deviation]),
    node('inverse', 'Pow', [shifted, near('minusHalf', -0.5)]),
  );
  const [scale, bias] = [constant('scale', 'float32'), constant('bias', 'float32')];
  const plain = [node('normal', 'Div', [value('centred'), deviation]), multiply('normal', value('centred'), inverse)];
  const scaled = [
    ...plain.map((normal) => multiply('scaled', normal, scale)),
    multiply('scaled', value('centred'), multiply('gain', inverse, scale)),
  ];
  // TensorFlow: x * gain + (bias - mean * gain).
  const gain = multiply('gain', inverse, scale);
  const offset = node('offset', 'Sub', [bias, multiply('shift', value('mean'), value('gain'))]);
  return [
    ...scaled.map((form) => add('last', form, bias)),
    add('last', multiply('scaled', x, gain), offset),
    ...scaled,
    ...plain,
  ];
}

function findLayerNorm(match: Match, context: PatternContext): Findings | undefined {
  const rank = context.typeOf(match.value('x'))?.shape?.length;
  const axesOf = (name: string): string | undefined => {
    const numbers = Array.from(toDense(match.constant(name), 'float64').data);
    return rank === undefined
      ? undefined
      : normalizeAxes(numbers, rank)
          ?.sort((a, b) => a - b)
          .join();
  };
  const axes = axesOf('axes');
  if (!axes || axes !== axesOf('varianceAxes')) return undefined;
  if (['mean', 'variance'].some((name) => !keepsAxes(match.node(name)))) return undefined;
  const listed = axes.split(',').map(Number);
  const epsilon = numberIn(match.constant('epsilon'))!;
  const parameters = ['scale', 'bias'].filter((name) => match.findConstant(name));
  if (!parameters.every((name) => liesAlong(match.constant(name), listed, rank!))) return undefined;
  const named = Object.fromEntries(parameters.map((name) => [name, match.value(name)]));
  return { input: match.value('x'), axes: listed, epsilon, ...named };
}

/** Whether a tensor, broadcast to `rank` axes, varies along the listed ones only. */
function liesAlong({ dims }: Tensor, axes: readonly number[], rank: number): boolean {
  const first = rank - dims.length;
  return first >= 0 && dims.every((dim, at) => dim === 1 || axes.includes(first + at));
}

/** `softmax(scale * query * key + mask)` (Vaswani et al. 2017, equation 1), the scale at any of the three or shared out. */
function attentionForms(): NodePattern[] {
  const scaled = (name: string, p: Pattern): NodePattern[] => [
    node(name, 'Mul', [p, constant(`${name}Factor`, 'float32', isFactor)], { anyOrder: true }),
    node(name, 'Div', [p, constant(`${name}Divisor`, 'float32', isFactor)]),
  ];
  const moved = (name: string, p: Pattern, steps = 3): Pattern =>
    steps === 0 ? p : either(p, node(`${name}Move${steps}`, ['Transpose', 'Reshape'], [moved(name, p, steps - 1)]));
  const side = (name: string): Pattern =>
    either(moved(name, either(...scaled(name, value(`${name}Input`)))), value(name));
  const product = node('scores', 'MatMul', [side('query'), side('key')]);
  const scores = either(...scaled('scale', product), product);
  const mask = value('mask');
  return [
    node('last', 'Softmax', [scores]),
    node('last', 'Softmax', [add('masked', scores, mask)]),
    node('last', 'Softmax', [node('masked', 'Where', [value('condition'), mask, scores])]),
    node('last', 'Softmax', [node('masked', 'Where', [value('condition'), scores, mask])]),
  ];
}

function isFactor(tensor: Tensor): boolean {
  const factor = numberIn(tensor);
  return factor !== undefined && factor > 0 && Number.isFinite(factor);
}

function findAttention(match: Match, context: PatternContext): Findings | undefined {
  const factors = ['scale', 'query', 'key'].flatMap((name) => {
    const [factor, divisor] = ['Factor', 'Divisor'].map((kind) => numberIn(match.findConstant(name + kind)));
    return factor ?? (divisor === undefined ? [] : 1 / divisor);
  });
  const [last, product] = [match.node('last'), match.node('scores')];
  const rank = context.typeOf(match.value('scores'))?.shape?.length;
  const axis = attribute(last, 'axis', 'int', -1);
  if (factors.length === 0 || rank === undefined || (axis !== -1 && axis !== rank - 1)) return undefined;
  // A product with weights in front of Softmax is a classifier with a temperature.
  if (product.inputs.some((name) => isConstant(name, context))) return undefined;
  const scale = factors.reduce((all, factor) => all * factor, 1);
  const mask = match.findValue('mask');
  return { scale, query: product.inputs[0], key: product.inputs[1], ...(mask ? { mask } : {}) };
}

function isConstant(name: string, context: PatternContext): boolean {
  const maker = context.producer(name);
  return context.constant(maker?.op === 'DequantizeLinear' ? maker.inputs[0] : name) !== undefined;
}
