import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor, ViewType } from '../../../lib/ir/tensor';
import { PLAN_TYPES } from '../../../lib/plan/format';
import { type CompositeCase, STANDARD } from '../../compile/composite-cases';
import { MICROSOFT } from '../../compile/microsoft-cases';
import type { OpCase } from '../../ops/op-case';
import { type Maker, Unfit, type Value } from '../maker';
import type { Draw } from './draw';

const FOLDER = join(__dirname, '../../ops/cases');

/** Cases of every operator under its name (with its domain, where that is another one): forms that somebody thought of. */
const CASES: ReadonlyMap<string, readonly CompositeCase[]> = byOperator([
  ...readdirSync(FOLDER)
    .filter((file) => /\.[jt]s$/.test(file) && !file.endsWith('.d.ts'))
    .flatMap((file) => (Object.values(require(join(FOLDER, file))) as (readonly OpCase[])[]).flat()),
  ...STANDARD,
  ...MICROSOFT,
]);

function byOperator(cases: readonly CompositeCase[]): ReadonlyMap<string, readonly CompositeCase[]> {
  const lists = new Map<string, CompositeCase[]>();
  for (const item of cases) {
    // What onnxruntime cannot run as it stands, or only as an older form, is no node of a graph.
    // Half and double precision the engine computes as float32.
    if ([10, 11].includes(Number(item.attributes?.to))) continue;
    if (item.oracle || item.left || !item.inputs.every((tensor) => !tensor || isTaken(tensor))) continue;
    const key = item.domain ? `${item.domain}:${item.op}` : item.op;
    lists.set(key, [...(lists.get(key) ?? []), item]);
  }
  return lists;
}

/** Whether a plan has tensors like this. */
function isTaken({ type, dims }: Tensor): boolean {
  return (PLAN_TYPES as readonly string[]).includes(type) && !dims.includes(0);
}

/** Operators whose every input decides of a shape. */
const SHAPES = ['ConstantOfShape', 'Range'];
const composites = new Set([...STANDARD, ...MICROSOFT].map(({ domain, op }) => (domain ? `${domain}:${op}` : op)));

/** Whether an operator has a case that can be drawn. */
export function hasCase(key: string): boolean {
  return CASES.has(key);
}

/** A node as one of the cases of its operator has it; where it reads floats, mostly over a value of the graph. */
export const caseDraw: Draw = (m, key) => {
  const fitting = (CASES.get(key) ?? []).filter(
    ({ opset = 21 }) => opset === m.shared.opset || (opset === 21 && m.shared.opset > 21),
  );
  if (fitting.length === 0) throw new Unfit('no case of this opset');
  const item = m.pick(fitting);
  const inputs = item.inputs.map((tensor, index): Value | undefined => {
    if (!tensor) return undefined;
    const held = item.constants?.includes(index) ?? (!composites.has(key) && (index > 0 || SHAPES.includes(item.op)));
    if (held || m.isBody) return m.constant(tensor);
    const found = index === 0 && tensor.type === 'float32' ? over(m, tensor.dims) : undefined;
    return found ?? m.given(tensor, false);
  });
  return m.nodes(item.op, inputs, item.attributes, item.outputs ?? 1, item.domain);
};

/** A value of the graph with these extents, or one that is reshaped to them. */
function over(m: Maker, dims: readonly number[]): Value | undefined {
  if (m.chance(0.3)) return undefined;
  const within = [-2, 2] as const;
  const types: readonly ViewType[] = ['float32'];
  const count = dims.reduce((product, dim) => product * dim, 1);
  const same = m.find({ types, within, fits: (other) => other.join() === dims.join() });
  if (same) return same;
  const other = m.find({ types, within, fits: (given) => given.reduce((product, dim) => product * dim, 1) === count });
  return other && m.node('Reshape', [other, m.ints(...dims)]);
}
