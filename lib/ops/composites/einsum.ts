import { attribute } from '../../ir/attribute';
import { sumOver, transposeTo } from '../gradients';
import { type CompositeContext, needed, Refused, reshaped } from './composite';

/** A value whose axes have names. */
interface Labelled {
  readonly value: string;
  readonly labels: readonly string[];
}

/**
 * ONNX Einsum-12: operands two by two from the left, each pair one matrix product over what both share and nobody wants later. One
 * letter twice in a term (a diagonal) is refused.
 */
export function einsum(context: CompositeContext): readonly string[] {
  const { node, rankOf } = context;
  const values = node.inputs.map((_, index) => needed(context, index));
  const { terms, output } = parse(attribute(node, 'equation', 'string'), values.map(rankOf));
  const operands = values.map((value, index): Labelled => ({ value, labels: terms[index] }));
  const [first, ...others] = operands;
  let sum = first;
  for (const [index, operand] of others.entries()) {
    const later = new Set([...output, ...others.slice(index + 1).flatMap(({ labels }) => labels)]);
    sum = contract(context, sum, operand, later);
  }
  const { value, labels } = sumUnwanted(context, sum, new Set(output));
  return [
    transposeTo(
      context.emit,
      value,
      output.map((label) => labels.indexOf(label)),
    ),
  ];
}

/** Labels of the axes of operands of these ranks, and of the result; an ellipsis becomes labels `.1`, `.2`, ... from the end. */
function parse(equation: string, ranks: readonly number[]): { terms: string[][]; output: readonly string[] } {
  const [left, right] = equation.replace(/\s/g, '').split('->');
  const texts = left.split(',');
  if (texts.length !== ranks.length)
    throw new Refused(`'${equation}' has ${texts.length} terms for ${ranks.length} inputs`);
  let hidden = 0;
  const label = (text: string, rank: number | undefined): string[] => {
    const letters = text.replace('...', '').length;
    const dots = rank === undefined ? hidden : rank - letters;
    if (text.includes('...')) hidden = Math.max(hidden, dots);
    else if (dots !== 0 && rank !== undefined) throw new Refused(`'${text}' does not name ${rank} axes`);
    const places = Array.from({ length: text.includes('...') ? dots : 0 }, (_, at) => `.${dots - at}`);
    const [before, after = ''] = text.split('...');
    const labels = [...before, ...places, ...after];
    if (new Set(labels).size !== labels.length) throw new Refused(`'${text}' takes a diagonal, which is not supported`);
    return labels;
  };
  const terms = texts.map((text, index) => label(text, ranks[index]));
  const all = terms.flat();
  const output = right === undefined ? implicitOutput(all) : label(right, undefined);
  const unknown = output.find((each) => !all.includes(each));
  if (unknown !== undefined) throw new Refused(`'${unknown}' of the result stands in no term`);
  return { terms, output };
}

/** Without an arrow: what the ellipses stand for, then in order the letters that occur once. */
function implicitOutput(all: readonly string[]): readonly string[] {
  const dots = [...new Set(all.filter((label) => label.length > 1))].sort(
    (a, b) => Number(b.slice(1)) - Number(a.slice(1)),
  );
  const once = all.filter((label) => label.length === 1 && all.indexOf(label) === all.lastIndexOf(label));
  return [...dots, ...once.sort()];
}

/** The sum over axes that nobody wants. */
function sumUnwanted({ emit }: CompositeContext, { value, labels }: Labelled, wanted: ReadonlySet<string>): Labelled {
  const axes = labels.flatMap((label, axis) => (wanted.has(label) ? [] : [axis]));
  return { value: sumOver(emit, value, axes), labels: labels.filter((label) => wanted.has(label)) };
}

/** The product of two operands, summed over what both have and nobody wants later. */
function contract(context: CompositeContext, left: Labelled, right: Labelled, later: ReadonlySet<string>): Labelled {
  const { emit, f } = context;
  const a = sumUnwanted(context, left, new Set([...later, ...right.labels]));
  const b = sumUnwanted(context, right, new Set([...later, ...left.labels]));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const [batch, summed] = [shared.filter((label) => later.has(label)), shared.filter((label) => !later.has(label))];
  const [rows, columns] = [a, b].map(({ labels }) => labels.filter((label) => !shared.includes(label)));
  const extents = extentsOf(context, [a, b]);
  const labels = [...batch, ...rows, ...columns];
  if (summed.length === 0) {
    const aligned = [a, b].map((operand) =>
      arranged(
        context,
        operand,
        labels.map((label) => [label]),
      ),
    );
    return { value: f('Mul', aligned[0], aligned[1]), labels };
  }
  const batches = batch.map((label) => [label]);
  const factors = [
    arranged(context, a, [...batches, rows, summed]),
    arranged(context, b, [...batches, summed, columns]),
  ];
  const product = f('MatMul', factors[0], factors[1]);
  return {
    value: reshaped(
      emit,
      product,
      labels.map((label) => extents.get(label)!),
    ),
    labels,
  };
}

/** The operand with one axis for each group of labels, of one element for labels that it has not. */
function arranged(
  context: CompositeContext,
  { value, labels }: Labelled,
  groups: readonly (readonly string[])[],
): string {
  const { emit, extent } = context;
  const own = groups.map((group) => group.filter((label) => labels.includes(label)));
  const order = own.flat().map((label) => labels.indexOf(label));
  const dims = own.map((group) => group.reduce((product, label) => product * extent(value, labels.indexOf(label)), 1));
  const turned = transposeTo(emit, value, order);
  return groups.every((group) => group.length === 1) && dims.length === labels.length
    ? turned
    : reshaped(emit, turned, dims);
}

/** Extents by label; one element is repeated where the other operand has more. */
function extentsOf(context: CompositeContext, operands: readonly Labelled[]): ReadonlyMap<string, number> {
  const extents = new Map<string, number>();
  for (const { value, labels } of operands)
    for (const [axis, label] of labels.entries()) {
      const [extent, known = 1] = [context.extent(value, axis), extents.get(label)];
      if (extent !== known && extent !== 1 && known !== 1)
        throw new Refused(`'${label}' has ${known} and ${extent} elements`);
      extents.set(label, Math.max(extent, known));
    }
  return extents;
}
