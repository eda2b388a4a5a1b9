import { attribute } from '../../lib/ir/attribute';
import type { Node } from '../../lib/ir/graph';
import { normalizeAxes } from '../../lib/ops/axes';
import type { Dense } from '../../lib/ops/operator';
import { standardize } from '../../lib/ops/standardize';

/** Squares of what lies below this are 0 in float32. */
const LEAST_NORM = 2 ** -74;

/**
 * What the engine computes by a formula of its own, which is that of ONNX but for elements that hardly differ from each other or
 * from 0: the results of a node that way.
 */
export const ENGINE_WAYS: Readonly<Record<string, (x: Dense, node: Node) => Dense | undefined>> = {
  // 1e-18 beside the variance, not 1e-9 beside the deviation.
  MeanVarianceNormalization: (x, node) => {
    const given = node.attributes.get('axes');
    const axes = normalizeAxes(given?.kind === 'ints' ? given.value : [0, 2, 3], x.dims.length)!;
    return standardize(x, { axes, centered: true, divisor: (square) => Math.sqrt(square + 1e-18) });
  },
  // No norm lies below that of the least element whose square is none.
  LpNormalization: (x, node) => {
    if (attribute(node, 'p', 'int', 2) !== 2) return undefined;
    const axes = normalizeAxes([attribute(node, 'axis', 'int', -1)], x.dims.length)!;
    const count = x.dims[axes[0]];
    const divisor = (square: number): number => Math.max(Math.sqrt(square * count), LEAST_NORM);
    return standardize(x, { axes, centered: false, divisor });
  },
};
