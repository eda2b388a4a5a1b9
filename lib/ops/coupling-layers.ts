import { attribute } from '../ir/attribute';
import type { Node } from '../ir/graph';
import { normalizeAxis } from './axes';
import { broadcast, inputPort, outputPort } from './coupling';
import { knownDims } from './dims';
import type { Coupling, CouplingContext, PortAxis, ShrinkContext, Tie } from './operator';
import { problem } from './schema';

/** Extents of input `index`, when all are numbers. */
function dimsOf(context: CouplingContext | ShrinkContext, index: number): readonly number[] | undefined {
  return knownDims(context.inputs[index]?.shape);
}

function unknownWeights(context: CouplingContext): ReturnType<typeof problem> {
  return problem(context.node, 'coupling', 'the extents of its weights or channels are not known');
}

/**
 * Conv: filters with their bias and output channels, weight columns with input channels. With groups, channel `i` of every
 * group goes together when groups are few; otherwise (depthwise among them) whole groups go.
 */
export const convolution: Coupling = {
  ties: (context) => {
    const weight = dimsOf(context, 1);
    if (!weight) return unknownWeights(context);
    const [filters, perGroup] = weight;
    const groups = attribute(context.node, 'group', 'int', 1);
    const own = filters / groups;
    const [x, y, rows, columns] = [inputPort(0, 1), outputPort(1), inputPort(1, 0), inputPort(1, 1)];
    const outputs: Tie[] = [
      { from: rows, to: y },
      { from: rows, to: inputPort(2, 0) },
    ];
    const inputs: Tie[] = wholeGroups(groups, perGroup)
      ? [
          { from: x, to: rows, map: (channel) => Math.floor(channel / perGroup) * own },
          { from: rows, to: rows, map: (filter) => filter - (filter % own) },
        ]
      : [
          { from: x, to: columns, map: (channel) => channel % perGroup },
          { from: rows, to: rows, map: (filter) => filter % own },
        ];
    return { ties: [...inputs, ...outputs], layer: y };
  },
  shrink: (context) => {
    const weight = dimsOf(context, 1)!;
    const groups = attribute(context.node, 'group', 'int', 1);
    if (!wholeGroups(groups, weight[1])) return context.node;
    return withInteger(context.node, 'group', context.kept(inputPort(1, 0))!.length / (weight[0] / groups));
  },
};

function wholeGroups(groups: number, perGroup: number): boolean {
  return groups > perGroup;
}

/** ConvTranspose: like Conv, with weights `[C, M / group, ...]`; with groups, whole groups go. */
export const transposedConvolution: Coupling = {
  ties: (context) => {
    const weight = dimsOf(context, 1);
    if (!weight) return unknownWeights(context);
    const [channels, own] = weight;
    const groups = attribute(context.node, 'group', 'int', 1);
    const [x, y, rows, columns] = [inputPort(0, 1), outputPort(1), inputPort(1, 0), inputPort(1, 1)];
    const ties: Tie[] = [
      { from: x, to: rows },
      { from: y, to: inputPort(2, 0) },
    ];
    if (groups === 1) return { ties: [...ties, { from: y, to: columns }], layer: y };
    const perGroup = channels / groups;
    return {
      ties: [
        ...ties,
        { from: y, to: rows, map: (filter) => Math.floor(filter / own) * perGroup },
        { from: rows, to: rows, map: (channel) => channel - (channel % perGroup) },
      ],
      layer: y,
    };
  },
  shrink: (context) => {
    const groups = attribute(context.node, 'group', 'int', 1);
    if (groups === 1) return context.node;
    const perGroup = dimsOf(context, 1)![0] / groups;
    return withInteger(context.node, 'group', context.kept(inputPort(1, 0))!.length / perGroup);
  },
};

/** Gemm: columns of B' with outputs, rows of B' with columns of A'. */
export const gemmCoupling: Coupling = {
  ties: (context) => {
    const flags = ['transA', 'transB'].map((name) => attribute(context.node, name, 'int', 0) !== 0);
    const [a, b] = flags.map((transposed, index) => {
      const [row, column] = transposed ? [1, 0] : [0, 1];
      return { row: inputPort(index, row), column: inputPort(index, column) };
    });
    const ties: Tie[] = [
      { from: a.column, to: b.row },
      { from: a.row, to: outputPort(0) },
      { from: b.column, to: outputPort(1) },
      ...broadcast(context, 2),
    ];
    return { ties, ...(context.constant(1) && { layer: outputPort(1) }) };
  },
};

/** MatMul: the contracted axes together, all others with the output; stacks of matrices broadcast. */
export const matrixProduct: Coupling = {
  ties: (context) => {
    const [a, b] = context.inputs.map((input) => input?.shape);
    const y = context.outputs[0]?.shape;
    if (!a || !b || !y) return problem(context.node, 'coupling', 'the ranks of its operands are not known');
    if (a.length < 2 || b.length < 2) return problem(context.node, 'coupling', 'an operand is a vector');
    const stacked = [a, b].flatMap((shape, index) =>
      shape.slice(0, -2).flatMap((dim, axis): Tie[] => {
        const to = y.length - shape.length + axis;
        return dim === y[to] ? [{ from: inputPort(index, axis), to: outputPort(to) }] : [];
      }),
    );
    const ties: Tie[] = [
      ...stacked,
      { from: inputPort(0, a.length - 1), to: inputPort(1, b.length - 2) },
      { from: inputPort(0, a.length - 2), to: outputPort(y.length - 2) },
      { from: inputPort(1, b.length - 1), to: outputPort(y.length - 1) },
    ];
    if (context.constant(1)) return { ties, layer: outputPort(y.length - 1) };
    return { ties, ...(context.constant(0) && { layer: outputPort(y.length - 2) }) };
  },
};

/** BatchNormalization: every parameter with its channel. */
export const channelNormalization: Coupling = {
  ties: (context) => ({
    ties: [
      { from: inputPort(0, 0), to: outputPort(0) },
      { from: inputPort(0, 1), to: outputPort(1) },
      ...[1, 2, 3, 4].map((index): Tie => ({ from: inputPort(0, 1), to: inputPort(index, 0) })),
      ...context.outputs.slice(1).map((_, index): Tie => ({ from: inputPort(0, 1), to: outputPort(0, index + 1) })),
    ],
  }),
};

/** LayerNormalization: parameters with the normalized axes. Removing an index changes the statistics of those that stay. */
export const layerNormalizationCoupling: Coupling = {
  ties: (context) => {
    const shape = context.inputs[0]?.shape;
    const axis = shape && normalizeAxis(attribute(context.node, 'axis', 'int', -1), shape.length);
    if (axis === undefined) return problem(context.node, 'coupling', 'the rank of its input is not known');
    const statistics = [1, 2].flatMap((index) => broadcast(context, 0, index).filter(({ from }) => from.axis < axis));
    return { ties: [0, 1, 2].flatMap((index) => broadcast(context, index)).concat(statistics) };
  },
};

/** Gates per hidden unit of the recurrent layers. */
const GATES: Readonly<Record<string, number>> = { LSTM: 4, GRU: 3 };

/** LSTM and GRU: a hidden unit with its rows in every gate, its column of R, its states and its outputs. */
export const recurrent: Coupling = {
  ties: (context) => {
    const weight = dimsOf(context, 2);
    if (!weight) return unknownWeights(context);
    const hidden = weight[2];
    const unit: PortAxis = inputPort(2, 2);
    const perGate = (index: number): Tie => ({
      from: inputPort(index, 1),
      to: unit,
      map: (row) => row % hidden,
    });
    const states = [5, 6].map((index): Tie => ({ from: inputPort(index, 2), to: unit }));
    const results = context.outputs.map(
      (output, index): Tie => ({ from: outputPort((output?.shape?.length ?? 1) - 1, index), to: unit }),
    );
    return {
      ties: [
        { from: inputPort(0, 2), to: inputPort(1, 2) },
        ...[1, 2, 3].map(perGate),
        ...(context.node.op === 'LSTM' ? [...states, perGate(7)] : states.slice(0, 1)),
        ...results,
      ],
      layer: unit,
    };
  },
  shrink: ({ node, kept, inputs }) => {
    const hidden = kept(inputPort(2, 2))?.length ?? (inputs[2]!.shape![2] as number);
    return node.attributes.has('hidden_size') && GATES[node.op] ? withInteger(node, 'hidden_size', hidden) : node;
  },
};

function withInteger(node: Node, name: string, value: number): Node {
  if (attribute(node, name, 'int', 1) === value) return node;
  return { ...node, attributes: new Map([...node.attributes, [name, { kind: 'int', value }]]) };
}
