import type { Attribute, Node } from '../ir/graph';
import { type Tensor, tensorFrom } from '../ir/tensor';
import type { UpgradeEmitter } from './operator';

/** The node without some attributes. */
export function withoutAttributes(node: Node, ...names: readonly string[]): Node {
  return { ...node, attributes: new Map([...node.attributes].filter(([name]) => !names.includes(name))) };
}

/** The node with attributes added or replaced. */
export function withAttributes(node: Node, added: ReadonlyMap<string, Attribute>): Node {
  return { ...node, attributes: new Map([...node.attributes, ...added]) };
}

/** The node with input `index` given; places between are left out (`''`). */
export function withInput(node: Node, index: number, value: string): Node {
  const inputs = [...node.inputs];
  while (inputs.length < index) inputs.push('');
  inputs[index] = value;
  return { ...node, inputs };
}

/** The node with attribute `name` turned into constant input `index`; unchanged when it is left out or no number. */
export function attributeToInput(node: Node, emit: UpgradeEmitter, name: string, index: number): Node {
  const found = node.attributes.get(name);
  const tensor = found && tensorOfAttribute(found);
  return tensor ? withInput(withoutAttributes(node, name), index, emit.constant(tensor)) : node;
}

function tensorOfAttribute(entry: Attribute): Tensor | undefined {
  switch (entry.kind) {
    case 'ints':
      return tensorFrom('int64', [entry.value.length], entry.value);
    case 'int':
      return tensorFrom('int64', [], [entry.value]);
    case 'floats':
      return tensorFrom('float32', [entry.value.length], entry.value);
    case 'float':
      return tensorFrom('float32', [], [entry.value]);
    default:
      return undefined;
  }
}
