import type { Diagnostic } from '../core/diagnostic';
import { attributeFault } from '../ir/attribute';
import type { Node, ValueType } from '../ir/graph';
import type { Operator, Parameter } from '../ops/operator';
import { problem } from '../ops/schema';

/** How a node breaks its operator's schema: counts and types of inputs and outputs, attributes. */
export function checkSchema(operator: Operator, node: Node, inputs: readonly (ValueType | undefined)[]): Diagnostic[] {
  const form = checkForm(operator, node);
  const broken = form.some(({ severity }) => severity === 'error');
  return broken ? form : [...form, ...checkTypes(node, operator.schema.inputs, inputs)];
}

/** How a node breaks its operator's schema in what it says itself: counts of inputs and outputs, attributes and their kinds. */
export function checkForm({ schema }: Operator, node: Node): Diagnostic[] {
  return [
    ...checkInputs(node, schema.inputs),
    ...checkOutputs(node, schema.outputs),
    ...checkAttributes(node, schema.attributes),
  ];
}

function checkInputs(node: Node, formal: readonly Parameter[]): Diagnostic[] {
  if (isTooLong(node.inputs, formal))
    return [problem(node, 'schema', `expected at most ${formal.length} inputs, found ${node.inputs.length}`)];
  const last = formal.at(-1);
  const more = last?.presence === 'variadic' ? node.inputs.slice(formal.length).map(() => last) : [];
  return [...formal, ...more]
    .filter((parameter, index) => parameter.presence !== 'optional' && (node.inputs[index] ?? '') === '')
    .map((parameter) => problem(node, 'schema', `input '${parameter.name}' is missing`));
}

function checkOutputs(node: Node, formal: readonly Parameter[]): Diagnostic[] {
  if (isTooLong(node.outputs, formal))
    return [problem(node, 'schema', `expected at most ${formal.length} outputs, found ${node.outputs.length}`)];
  return node.outputs.some((name) => name !== '') ? [] : [problem(node, 'schema', 'it has no output')];
}

function isTooLong(actual: readonly string[], formal: readonly Parameter[]): boolean {
  return actual.length > formal.length && formal.at(-1)?.presence !== 'variadic';
}

function checkTypes(
  node: Node,
  formal: readonly Parameter[],
  inputs: readonly (ValueType | undefined)[],
): Diagnostic[] {
  return inputs.flatMap((input, index) => {
    const { name, types, like } = formal[Math.min(index, formal.length - 1)];
    if (!input) return [];
    if (!types.includes(input.type))
      return [problem(node, 'schema', `input '${name}' cannot be ${input.type} (expected ${types.join(', ')})`)];
    const other = like === undefined ? undefined : inputs[formal.findIndex((parameter) => parameter.name === like)];
    return other === undefined || other.type === input.type
      ? []
      : [problem(node, 'type-mismatch', `input '${name}' is ${input.type}, but '${like}' is ${other.type}`)];
  });
}

function checkAttributes(node: Node, known: Operator['schema']['attributes']): Diagnostic[] {
  const missing = Object.entries(known)
    .filter(([name, { required }]) => required && !node.attributes.has(name))
    .map(([name, { kind }]) => problem(node, 'schema', attributeFault(name, undefined, kind)));
  const odd = [...node.attributes].flatMap(([name, { kind, value }]) => {
    if (!known[name])
      return [{ ...problem(node, 'schema', `attribute '${name}' is not known`), severity: 'warning' as const }];
    const { kind: expected, words } = known[name];
    if (kind !== expected) return [problem(node, 'schema', attributeFault(name, kind, expected))];
    return words === undefined || words.includes(value as string | number)
      ? []
      : [problem(node, 'schema', `attribute '${name}' is '${value}' (expected ${words.join(', ')})`)];
  });
  return [...missing, ...odd];
}
