import { OPERATORS } from '../../lib/ops';
import { COMPOSITES } from '../../lib/ops/composites/find-composite';
import type { Operator, QuantizationRule } from '../../lib/ops/operator';
import { UNFUSE_QLINEAR } from '../../lib/passes/unfuse-qlinear';
import { callOf } from '../compile/call-of';

/** Operators that no plan has a step for, and why. */
export const WITHOUT_ENGINE_FORM: Readonly<Record<string, string>> = {
  Constant: 'becomes a constant of the model',
  ConstantOfShape: 'becomes a constant once shapes are numbers',
  Range: 'becomes a constant once its ends are numbers; its length would depend on data',
  Upsample: 'becomes Resize',
  QLinearConv: 'becomes Conv between quantizations',
  QLinearMatMul: 'becomes MatMul between quantizations',
  SoftmaxCrossEntropyLoss: 'is a loss: training computes it on the host',
};

/** docs/operators.md: what is known of every operator, read from the operator table. */
export function operatorsPage(): string {
  const mark = (has: boolean): string => (has ? '✓' : '');
  const rows = OPERATORS.map((operator) => {
    const { op, domain, since, evaluate, gradient, coupling } = operator;
    const name = domain === '' ? op : `${domain}:${op}`;
    const engine = WITHOUT_ENGINE_FORM[op] ?? (operator.lower ? (callOf(operator)?.kernel ?? '✓') : '');
    const marks = [mark(isQuantized(operator)), mark(!!gradient), mark(!!evaluate), mark(!!coupling)];
    return `| ${name} | ${since} | ${engine} | ${marks.join(' | ')} |`;
  });
  return [
    '# Operators',
    '',
    'Generated from `lib/ops` by `npm run docs`. `engine` names what computes a plain node on the native engine, in float and on other',
    'types where the operator has them; `int8`: the quantizer gives it integers, which the engine computes with wherever the layer allows',
    '(`hone inspect` tells for a model). `gradient`: it can be trained through; `reference`: evaluated slowly and obviously, for tests and',
    'constants; `pruning`: channels can be removed on both of its sides. Nodes that only name a value (Identity, Dropout) go away.',
    '',
    '| operator | since opset | engine | int8 | gradient | reference | pruning |',
    '| --- | --- | --- | :-: | :-: | :-: | :-: |',
    ...rows,
    '',
    '## Operators that come apart',
    '',
    'They become operators of the table before anything else looks at them, and run as those do.',
    '',
    `- ONNX: ${Object.keys(COMPOSITES['']).sort().join(', ')}`,
    `- \`com.microsoft\`: ${[...Object.keys(COMPOSITES['com.microsoft']), ...unfused()].sort().join(', ')}`,
    '',
  ].join('\n');
}

/** Operators over integers that become float operators between quantizations, besides those of the table. */
function unfused(): readonly string[] {
  const known = new Set(OPERATORS.map(({ op }) => op));
  return UNFUSE_QLINEAR.filter(({ name }) => name.startsWith('unfuse-'))
    .flatMap(({ pattern }) => pattern.ops)
    .filter((op) => !known.has(op));
}

function isQuantized({ quantization, lower }: Operator): boolean {
  if (!quantization || !lower) return false;
  // Rules that depend on the node (a transposed factor) are there for operators that are quantized.
  if (typeof quantization === 'function') return true;
  const { inputs, output }: QuantizationRule = quantization;
  return output !== 'float' || inputs.some(({ role }) => role !== 'none');
}
