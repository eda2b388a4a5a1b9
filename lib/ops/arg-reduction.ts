import { attribute } from '../ir/attribute';
import { elementCount } from '../ir/tensor';
import { keepsAxes, normalizeAxis } from './axes';
import { inputCost } from './cost';
import type { Operator } from './operator';
import { reducedShape } from './reduction';
import { NUMBERS, problem, required } from './schema';

/** Operator that gives the position of the best element along one axis; the first of equals, or the last when told so. */
export function argReduction(op: string, extreme: 'largest' | 'smallest'): Operator {
  const better = (candidate: number, best: number) => (extreme === 'largest' ? candidate > best : candidate < best);
  return {
    op,
    domain: '',
    since: 13,
    schema: {
      inputs: [required('data', NUMBERS)],
      outputs: [required('reduced', ['int64'])],
      attributes: { axis: { kind: 'int' }, keepdims: { kind: 'int' }, select_last_index: { kind: 'int' } },
    },
    infer: ({ node, inputs: [data] }) => {
      const { shape } = data!;
      if (!shape) return [{ type: 'int64', shape }];
      const axis = normalizeAxis(attribute(node, 'axis', 'int', 0), shape.length);
      if (axis === undefined) return problem(node, 'bad-axis', `axis does not fit shape [${shape}]`);
      return [{ type: 'int64', shape: reducedShape(shape, [axis], keepsAxes(node)) }];
    },
    evaluate: ([data], node) => {
      const { dims } = data!;
      const axis = normalizeAxis(attribute(node, 'axis', 'int', 0), dims.length)!;
      const last = attribute(node, 'select_last_index', 'int', 0) !== 0;
      const shape = reducedShape(dims, [axis], keepsAxes(node));
      const inner = elementCount(dims.slice(axis + 1));
      const positions = Float64Array.from({ length: elementCount(shape) }, (_, i) => {
        const start = Math.floor(i / inner) * dims[axis] * inner + (i % inner);
        let best = 0;
        for (let k = 1; k < dims[axis]; k++) {
          const [candidate, leader] = [data!.data[start + k * inner], data!.data[start + best * inner]];
          if (better(candidate, leader) || (last && candidate === leader)) best = k;
        }
        return best;
      });
      return [{ type: 'int64', dims: shape, data: positions }];
    },
    cost: inputCost,
    lower: ({ node, inputs: [x] }) => {
      const axis = x?.shape && normalizeAxis(attribute(node, 'axis', 'int', 0), x.shape.length);
      if (axis === undefined) return problem(node, 'symbolic-shape', 'expected a known rank');
      const last = attribute(node, 'select_last_index', 'int', 0) !== 0;
      return { kernel: 'arg-extreme', axis, smallest: extreme === 'smallest', last };
    },
  };
}
