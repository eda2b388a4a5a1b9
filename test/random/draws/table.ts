import { COMPOSITES } from '../../../lib/ops/composites/find-composite';
import { type Maker, Unfit, type Value } from '../maker';
import { caseDraw, hasCase } from './cases';
import { controlDraws } from './control';
import { type Draw, type Draws, eachOf } from './draw';
import { ELEMENT_WISE } from './element-wise';
import { INDEXING } from './indexing';
import { LAYERS } from './layers';
import { MOVEMENTS } from './movements';
import { QUANTIZERS } from './quantizers';
import { RECURRENT } from './recurrent';
import { REDUCING } from './reductions';

/** Operators that no graph has, and why. */
export const UNDRAWN: Readonly<Record<string, string>> = {
  Upsample: 'is gone since opset 10; test/ops/cases has it under opset 9',
  SoftmaxCrossEntropyLoss: 'is a loss: no plan has it',
  SimplifiedLayerNormalization: 'onnxruntime has it fused with an addition alone',
  'com.microsoft:TransposeMatMul': 'onnxruntime has it under its newer name FusedMatMul',
  Compress: 'the length of its result depends on data',
  NonMaxSuppression: 'the length of its result depends on data',
  NonZero: 'the length of its result depends on data',
  'com.microsoft:BiasSoftmax': 'onnxruntime has it on GPUs alone',
  'com.microsoft:DynamicQuantizeLSTM': 'onnxruntime rounds the state of every step, the engine does not',
  ...Object.fromEntries(
    Object.keys(COMPOSITES['com.microsoft.nchwc']).map((op) => [`com.microsoft.nchwc:${op}`, 'is refused']),
  ),
  'ai.hone:Require': 'is written by the compiler alone: no model has it',
};

const composites = Object.entries(COMPOSITES).flatMap(([domain, row]) =>
  Object.keys(row)
    .map((op) => (domain === '' ? op : `${domain}:${op}`))
    .filter((op) => !(op in UNDRAWN)),
);

const PLAIN: Draws = {
  ...ELEMENT_WISE,
  ...MOVEMENTS,
  ...INDEXING,
  ...LAYERS,
  ...REDUCING,
  ...QUANTIZERS,
  ...RECURRENT,
  ...eachOf(composites, caseDraw),
};

/** Operators whose results exist whatever they read, as the rounds of a loop ask for. */
const TAME = [
  ...['Tanh', 'Sigmoid', 'Abs', 'Neg', 'Relu', 'HardSigmoid', 'Add', 'Sub', 'Max', 'Min', 'Where', 'Greater', 'Less'],
  ...['Transpose', 'Reshape', 'Concat', 'Slice', 'Pad', 'MatMul', 'Conv', 'ReduceMean', 'ReduceMax', 'Softmax', 'Gemm'],
];

const drawOf =
  (operators: readonly string[], draws: Draws) =>
  (m: Maker): readonly Value[] => {
    const op = m.pick(operators);
    const draw = hasCase(op) && m.chance(0.12) ? caseDraw : draws[op];
    return attempt(m, op, draw);
  };

function attempt(m: Maker, op: string, draw: Draw): readonly Value[] {
  for (let tries = 0; ; tries++)
    try {
      return draw(m, op);
    } catch (error) {
      if (!(error instanceof Unfit) || tries === 3) throw error;
    }
}

const anyPlain = drawOf(Object.keys(PLAIN), PLAIN);

/** How every operator is drawn, by name (with its domain, where that is another one). */
export const DRAWS: Draws = { ...PLAIN, ...controlDraws(anyPlain, drawOf(TAME, PLAIN)) };

/** Draws a node of any operator. */
export const drawAny = drawOf([...Object.keys(DRAWS), 'If', 'Loop', 'Scan'], DRAWS);
