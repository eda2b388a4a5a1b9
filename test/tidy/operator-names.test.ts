import { OPERATORS } from '../../lib/ops/index';
import { MAC_OPERATORS } from '../../lib/ops/mac-operators';
import { readSource, sourceFiles } from './sources';

/**
 * Operators that a layer beside `lib/ops` knows by name, and why a facet of their files would tell no more. Whoever adds a row
 * asks first which facet (`layer`, `traits`, `quantization`, `lower`) is missing.
 */
const ALLOWED: Readonly<Record<string, string>> = {
  QuantizeLinear: 'the border between float and integers is what quantizing and compiling are about',
  DequantizeLinear: 'the same border from the other side',
  Dropout: 'training switches it on and off',
  SoftmaxCrossEntropyLoss: 'training writes it and looks for what it wrote',
  Constant: 'holds a value, computes nothing',
  Add: 'a residual sum and a bias behind a product are roles of a place in the graph, not of the operator',
  Sub: 'a constant taken away from data narrows what its range has to hold',
  Pad: 'its fill value and its axes are inputs that quantization has to rewrite',
  Sigmoid: 'one logit per element: the loss reads what stands before it',
  Gemm: 'its factors and its bias are rewritten to the one form that integer kernels take',
  AveragePool: 'onnxruntime refuses one form of it',
  LpNormalization: 'embeddings are no classes; the operator has no file',
  Conv: 'in which order runtimes add up its products, and which kernel row takes it',
  ConvTranspose: 'in which order runtimes add up its products',
  MatMul: 'which kernel row takes it',
};

/** Every name of an operator that the text compares or lists; those of nodes that it makes are not meant. */
function namesIn(text: string, operators: ReadonlySet<string>): string[] {
  const made = text.replace(/(?:\.nodes?\(|\bnamed\(|\b(?:mul|add)\(|\bop: )\s*'\w+'/g, '');
  return [...made.matchAll(/'([A-Z]\w+)'/g)].map((match) => match[1]).filter((name) => operators.has(name));
}

const KNOWN = new Set([...OPERATORS.map(({ op }) => op), ...MAC_OPERATORS, 'LpNormalization', 'GroupNormalization']);

test('the search finds comparisons, lists and switches, and leaves out nodes that are made', () => {
  const text =
    "if (op === 'Conv') f(['Relu'], x); case 'Gemm': emit.node('Add', [x]); emit.node(\n  'Mul', []); ({ op: 'Sub' })";
  expect(namesIn(text, KNOWN)).toEqual(['Conv', 'Relu', 'Gemm']);
});

test('operators are known by name in lib/ops, and elsewhere only where the list says why', () => {
  const files = ['compress', 'train', 'compile'].flatMap((layer) => sourceFiles(`lib/${layer}`, ['.ts']));
  expect(files.length).toBeGreaterThan(100);
  const found = files.flatMap((path) => namesIn(readSource(path), KNOWN).map((name) => ({ path, name })));
  expect(found.filter(({ name }) => !(name in ALLOWED))).toEqual([]);
  expect(Object.keys(ALLOWED).filter((name) => !found.some((entry) => entry.name === name))).toEqual([]);
  expect(Object.keys(ALLOWED).length).toBeLessThanOrEqual(15);
});
