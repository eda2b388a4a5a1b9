import { attributes } from '../ir/attribute';
import type { Node } from '../ir/graph';
import { knownDims } from '../ops/dims';
import { kernelOf, resolveSpatial, type Spatial, windowAttributes } from '../ops/spatial';
import type { Guard } from './guards';
import { type Match, node, type PatternContext, value } from './pattern';
import { type Rule, replaceBy } from './rewrite';

const hasHoles: Guard = {
  word: 'its padding follows the extent, and its kernel has holes',
  holds: (match) => {
    const { autoPad, dilations } = windowAttributes(match.node('window'), 1);
    return autoPad.startsWith('SAME') && dilations.some((dilation) => dilation !== 1);
  },
};

const hasKnownWindow: Guard = {
  word: 'the extents of x and of the kernel are known',
  holds: (match, context) => windowOf(match, context) !== undefined,
};

/** Padding that onnxruntime computes only for kernels without holes is written out. */
export const EXPLICIT_PADS: readonly Rule[] = [
  {
    name: 'explicit-pads',
    summary: 'auto_pad SAME of a window with dilations becomes pads, as runtimes refuse the two together',
    pattern: node('window', ['Conv', 'MaxPool', 'AveragePool'], [value('x')]),
    guards: [hasHoles, hasKnownWindow],
    replace: (match, context) => {
      const window = match.node('window');
      const { padsBegin, padsEnd } = windowOf(match, context)!;
      // Under SAME the windows are counted from the extents, whatever ceil_mode says.
      const given = [...window.attributes].filter(([name]) => name !== 'auto_pad' && name !== 'ceil_mode');
      const pads = attributes({ pads: [...padsBegin, ...padsEnd] });
      return replaceBy(window, [{ ...window, attributes: new Map([...given, ...pads]) }], []);
    },
  },
];

function windowOf(match: Match, context: PatternContext): Spatial | undefined {
  const window: Node = match.node('window');
  const extents = knownDims(context.typeOf(match.value('x'))?.shape?.slice(2));
  const kernel = kernelOf(window, context.typeOf(window.inputs[1] ?? '')?.shape ?? []);
  return extents && kernel && kernel.length === extents.length ? resolveSpatial(window, extents, kernel) : undefined;
}
