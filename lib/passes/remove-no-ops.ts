import { attribute, attributes } from '../ir/attribute';
import { type Tensor, toNumbers } from '../ir/tensor';
import { productOfDims } from '../ops/dims';
import { permutationOf } from '../ops/operators/transpose';
import { allEqual, attributeIs, type Guard, sameShape } from './guards';
import { constant, type Match, node, optional, type Pattern, type PatternContext, value } from './pattern';
import { type Rewrite, type Rule, replaceBy } from './rewrite';

const zeros = (tensor: Tensor) => allEqual(tensor, 0);
const ones = (tensor: Tensor) => allEqual(tensor, 1);

const leftOut = (index: number): Guard => ({
  word: `input ${index} is left out`,
  holds: (match) => (match.node('same').inputs[index] ?? '') === '',
});

const maskUnread: Guard = {
  word: 'nothing reads the mask',
  holds: (match, context) => {
    const [, mask = ''] = match.node('same').outputs;
    return mask === '' || (context.consumers(mask).length === 0 && !context.isOutput(mask));
  },
};

const sameType: Guard = {
  word: 'x and same have one type',
  holds: (match, context) => {
    const [before, after] = [context.typeOf(match.value('x')), context.typeOf(match.value('same'))];
    return before !== undefined && before.type === after?.type;
  },
};

const keepsOrder: Guard = {
  word: 'the axes keep their order',
  holds: (match, context) => {
    const rank = context.typeOf(match.value('x'))?.shape?.length;
    return rank !== undefined && permutationOf(match.node('same'), rank).every((axis, i) => axis === i);
  },
};

const readsOneValue: Guard = {
  word: 'it reads one value',
  holds: (match) => match.node('same').inputs.length === 1,
};

/** A graph output needs a maker of its own name: only a node can be renamed to it, and only once. */
const canVanish: Guard = {
  word: 'an output of the graph keeps a maker of its name',
  holds: (match, context) => {
    const [input, output] = [match.value('x'), match.value('same')];
    if (!context.isOutput(output)) return true;
    const renamable = context.producer(input) !== undefined && !context.isOutput(input);
    const rivals = context
      .consumers(input)
      .some((other) => other !== match.node('same') && context.isOutput(other.outputs[0]));
    return renamable && !rivals;
  },
};

/** Operators that pass their first input on unchanged: what their other inputs must be, and what else must hold. */
const NO_OPS: readonly (readonly [op: string, inputs: readonly Pattern[], guards: readonly Guard[]])[] = [
  ['Identity', [], []],
  ['Dropout', [optional(), optional(constant('training', undefined, zeros))], [maskUnread]],
  ['Reshape', [], [sameShape('x', 'same')]],
  ['Flatten', [], [sameShape('x', 'same')]],
  ['Expand', [], [sameShape('x', 'same')]],
  ['Cast', [], [sameType]],
  ['Concat', [], [readsOneValue]],
  ['Transpose', [], [keepsOrder]],
  [
    'Slice',
    [optional(), optional(), optional(), optional(constant('steps', undefined, ones))],
    [sameShape('x', 'same')],
  ],
  ['Pad', [constant('pads', undefined, zeros)], []],
  ['Resize', [optional(), constant('scales', undefined, ones)], [leftOut(3)]],
  ['Clip', [], [leftOut(1), leftOut(2)]],
];

/** Nodes without effect go, and copies in a row become one. */
export const REMOVE_NO_OPS: readonly Rule[] = [
  {
    name: 'drop-empty-parts',
    summary: 'Concat leaves out inputs that add nothing',
    pattern: node('concat', 'Concat'),
    guards: [
      {
        word: 'some inputs are empty, not all',
        holds: (match, context) => {
          const count = partsOf(match, context).length;
          return count > 0 && count < match.node('concat').inputs.length;
        },
      },
    ],
    replace: (match, context) =>
      replaceBy(match.node('concat'), { ...match.node('concat'), inputs: partsOf(match, context) }),
  },
  ...NO_OPS.map(
    ([op, inputs, guards]): Rule => ({
      name: `remove-${op.toLowerCase()}`,
      summary: `${op} that passes its input on unchanged goes`,
      pattern: node('same', op, [value('x'), ...inputs]),
      guards: [...guards, canVanish],
      replace: withoutNode,
    }),
  ),
  {
    name: 'merge-transposes',
    summary: 'two Transposes in a row become one',
    pattern: node('outer', 'Transpose', [node('inner', 'Transpose', [value('x')])]),
    guards: [
      {
        word: 'the rank is known',
        holds: (match, context) => context.typeOf(match.value('inner'))?.shape !== undefined,
      },
    ],
    replace: (match, context) => {
      const [outer, inner] = [match.node('outer'), match.node('inner')];
      const rank = context.typeOf(match.value('inner'))!.shape!.length;
      const [first, second] = [permutationOf(inner, rank), permutationOf(outer, rank)];
      const perm = second.map((axis) => first[axis]);
      return replaceBy(outer, { ...outer, inputs: [match.value('x')], attributes: attributes({ perm }) });
    },
  },
  {
    name: 'merge-reshapes',
    summary: 'a Reshape to constant extents does not care for the shape that another relabelling gave before',
    pattern: node('outer', 'Reshape', [
      node('inner', ['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'], [value('x')]),
      constant('target', 'int64', (target) => !toNumbers(target).includes(0)),
    ]),
    guards: [attributeIs('outer', 'allowzero', 'int', 0)],
    replace: (match) => {
      const outer = match.node('outer');
      return replaceBy(outer, { ...outer, inputs: [match.value('x'), outer.inputs[1]] });
    },
  },
];

/** Reshape or Squeeze to `[first extent, all others]` becomes Flatten, which says the same for every batch size. */
export const TO_FLATTEN: readonly Rule[] = [
  {
    name: 'reshape-to-flatten',
    summary: 'Reshape or Squeeze to [first extent, all others] becomes Flatten, whatever the batch',
    pattern: node('flat', ['Reshape', 'Squeeze'], [value('x'), optional()]),
    guards: [
      {
        word: 'flat is [first extent of x, product of the others]',
        holds: (match, context) => {
          const [input, output] = ['x', 'flat'].map((name) => context.typeOf(match.value(name))?.shape);
          if (!input || input.length < 3 || output?.length !== 2) return false;
          return output[0] === input[0] && output[1] === productOfDims(input.slice(1));
        },
      },
    ],
    replace: (match) => {
      const flat = match.node('flat');
      return replaceBy(flat, {
        ...flat,
        op: 'Flatten',
        inputs: [match.value('x')],
        attributes: attributes({ axis: 1 }),
      });
    },
  },
];

function withoutNode(match: Match): Rewrite {
  return {
    replace: new Map([[match.node('same'), []]]),
    redirect: new Map([[match.value('same'), match.value('x')]]),
  };
}

/** Inputs of a Concat that have elements along its axis. */
function partsOf(match: Match, context: PatternContext): string[] {
  const concat = match.node('concat');
  const axis = attribute(concat, 'axis', 'int');
  return concat.inputs.filter((input) => context.typeOf(input)?.shape?.at(axis) !== 0);
}
