import { tensorBytes } from './check';
import type { PlanDescription, PlanNode, PlanPort, PlanTensor, PlanVariant } from './description';

/** A plan as text for people: one block per variant, one line per port, node and state. Stable, for golden tests. */
export function describePlan(plan: PlanDescription): string {
  const bytes = plan.constants.reduce((sum, constant) => sum + constant.length, 0);
  const head = [
    `plan of model ${plan.sourceHash.slice(0, 12)}: ${count(plan.variants.length, 'variant')}, ` +
      `${count(plan.constants.length, 'constant')}, ${bytes} bytes of weights`,
  ];
  return [...head, ...plan.variants.flatMap(variantLines)].join('\n');
}

function variantLines(variant: PlanVariant): string[] {
  const { name, tensors, nodes, inputs, outputs, states, arenaBytes } = variant;
  return [
    `variant ${name}: ${count(nodes.length, 'node')}, arena ${arenaBytes} bytes`,
    ...inputs.map((port) => `  input ${portText(port)}`),
    ...outputs.map((port) => `  output ${portText(port)}`),
    ...states.map(({ input, output }) => `  state ${tensors[input].name} <- ${tensors[output].name}`),
    ...nodes.map((node, i) => `  ${String(i).padStart(3)} ${nodeText(node, tensors)}`),
  ];
}

function nodeText({ name, op, outputs, inputs }: PlanNode, tensors: readonly PlanTensor[]): string {
  const operands = inputs.map((index) => (index === null ? '-' : tensorText(tensors[index])));
  return `${op} ${outputs.map((index) => tensorText(tensors[index])).join(', ')} <- ${operands.join(', ')}  # ${name}`;
}

function tensorText(tensor: PlanTensor): string {
  const grid = tensor.scale ? ` *${tensor.scale}${tensor.zeroPoint ? ` z${tensor.zeroPoint}` : ''}` : '';
  const place = 'offset' in tensor ? `${tensor.place}+${tensor.offset}` : tensor.place;
  return `${tensor.type}[${tensor.dims}]@${place}${grid}`;
}

function portText(port: PlanPort): string {
  const dims = port.dims.map((dim, axis) => (axis === port.counted?.axis ? `<=${dim}` : dim));
  return `${port.name}: ${port.type} [${dims}], ${tensorBytes(port)} bytes`;
}

function count(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? '' : 's'}`;
}
