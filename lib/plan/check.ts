import type { PlanDescription, PlanMatmulParams, PlanNode, PlanPort, PlanTensor, PlanVariant } from './description';
import { PLAN_ALIGNMENT, PLAN_MAX_RANK, PLAN_TYPE_BYTES } from './format';
import { inputIndex, leastOf, type OpRule } from './op-rule';
import { PLAN_OPS } from './plan-ops';
import { codedElements, findWeightsFault } from './weights';

/** Bytes that a tensor takes, from its first element to its last. */
export function tensorBytes({ dims, type, pitch = 0 }: Pick<PlanTensor, 'dims' | 'type' | 'pitch'>): number {
  const element = PLAN_TYPE_BYTES[type];
  const row = dims.at(-1) ?? 1;
  const rows = dims.slice(0, -1).reduce((product, dim) => product * dim, 1);
  return ((rows - 1) * (pitch || row) + row) * element;
}

/**
 * The first inconsistency of a plan, in words, or undefined: indices, bounds, operand counts, layout-independent
 * parameter ranges. Shapes per operation are the business of the engine's loader, which trusts nobody.
 */
export function findPlanFault(plan: PlanDescription): string | undefined {
  if (!/^[0-9a-f]{64}$/.test(plan.sourceHash)) return 'the source hash is not 64 hexadecimal digits';
  if (plan.variants.length === 0) return 'there is no variant';
  for (const [index, weights] of (plan.encoded ?? []).entries()) {
    const fault = findWeightsFault(weights, plan.constants);
    if (fault) return `weights held as codes, number ${index}: ${fault}`;
  }
  for (const variant of plan.variants) {
    const fault = faultOfVariant(variant, plan);
    if (fault) return `variant '${variant.name}': ${fault}`;
  }
  return undefined;
}

function faultOfVariant(variant: PlanVariant, plan: PlanDescription): string | undefined {
  const { tensors, nodes, inputs, outputs, states, arenaBytes } = variant;
  if (!isCount(arenaBytes)) return `arena of ${arenaBytes} bytes`;
  for (const tensor of tensors) {
    const fault = faultOfTensor(tensor, arenaBytes, plan);
    if (fault) return `tensor '${tensor.name}': ${fault}`;
  }
  for (const node of nodes) {
    const fault = faultOfNode(node, tensors);
    if (fault) return `node '${node.name}': ${fault}`;
  }
  for (const port of [...inputs, ...outputs]) {
    const fault = faultOfPort(port, tensors) ?? faultOfCount(port, tensors, inputs.includes(port));
    if (fault) return `port '${port.name}': ${fault}`;
  }
  for (const { input, output } of states)
    for (const index of [input, output])
      if (tensors[index]?.place !== 'state') return `state refers to tensor ${index}, which is not of place 'state'`;
  return undefined;
}

function faultOfTensor(
  tensor: PlanTensor,
  arenaBytes: number,
  { constants, encoded = [] }: PlanDescription,
): string | undefined {
  const { dims, scale = 0, zeroPoint = 0, pitch = 0 } = tensor;
  if (dims.length > PLAN_MAX_RANK) return `rank ${dims.length} is above ${PLAN_MAX_RANK}`;
  if (!dims.every((dim) => Number.isInteger(dim) && dim >= 1 && dim < 2 ** 31)) return `extents [${dims}]`;
  const bytes = tensorBytes(tensor);
  if (!Number.isSafeInteger(bytes)) return `extents [${dims}] are too large`;
  if (!Number.isFinite(scale) || scale < 0) return `scale ${scale}`;
  if (!Number.isInteger(zeroPoint) || zeroPoint < -128 || zeroPoint > 127) return `zero point ${zeroPoint}`;
  if (pitch !== 0 && (tensor.place !== 'arena' || !isCount(pitch) || pitch < (dims.at(-1) ?? 1) || pitch >= 2 ** 32))
    return `rows ${pitch} elements apart`;
  if (tensor.place === 'constant') {
    const size = constants[tensor.constant]?.length;
    if (size !== bytes) return `needs ${bytes} bytes, constant ${tensor.constant} has ${size ?? 'no'} bytes`;
  } else if (tensor.place === 'encoded') {
    const weights = encoded[tensor.weights];
    if (weights === undefined) return `no weights number ${tensor.weights}`;
    const elements = codedElements(weights, constants[weights.codes].length);
    if (weights.type !== tensor.type || elements * PLAN_TYPE_BYTES[tensor.type] !== bytes)
      return `${tensor.type} [${dims}] for ${elements} codes of ${weights.type}`;
  } else if (tensor.place !== 'port') {
    const { offset } = tensor;
    if (!isCount(offset) || offset % (pitch ? PLAN_TYPE_BYTES[tensor.type] : PLAN_ALIGNMENT)) return `offset ${offset}`;
    if (tensor.place === 'arena' && offset + bytes > arenaBytes)
      return `ends at ${offset + bytes}, beyond the arena of ${arenaBytes} bytes`;
  }
  return undefined;
}

function faultOfNode({ op, inputs, outputs, params }: PlanNode, tensors: readonly PlanTensor[]): string | undefined {
  const tensorCount = tensors.length;
  const rule: OpRule | undefined = PLAN_OPS[op];
  if (rule === undefined) return `unknown operation '${op}'`;
  const required = leastOf(rule.inputs);
  for (const [found, names, what] of [
    [outputs.length, rule.outputs, 'outputs'],
    [inputs.length, rule.inputs, 'inputs'],
  ] as const)
    if (found < leastOf(names) || found > names.length)
      return `${op} has ${found} ${what}, expected ${leastOf(names)} to ${names.length}`;
  for (const index of outputs) if (!isIndex(index, tensorCount)) return `${op}: no tensor ${index}`;
  for (const [i, index] of inputs.entries())
    if (index === null ? i < required : !isIndex(index, tensorCount))
      return `${op}: operand ${rule.inputs[i]} is tensor ${index}`;
  for (const [i, index] of inputs.entries())
    if (index !== null && tensors[index].place === 'encoded' && !rule.coded.includes(i))
      return `${op}: operand ${rule.inputs[i]} is held as codes`;
  if (rule.params !== undefined && params === undefined) return `${op} lacks its parameters`;
  if (op === 'conv_s8' && ((inputs[inputIndex(rule, 'residual')] ?? null) !== null) !== (params.residual !== undefined))
    return 'residual operand and residual parameters do not come together';
  if (op === 'copy_nd') {
    const rank = params.extents.length;
    if (rank < 1 || rank > PLAN_MAX_RANK || params.srcStrides.length !== rank || params.dstStrides.length !== rank)
      return `copy of rank ${rank} with ${params.srcStrides.length} and ${params.dstStrides.length} strides`;
  }
  if (rule.params === 'matmul') {
    const { batch, aStrides, bStrides } = params as PlanMatmulParams;
    const rank = batch.length + 2;
    if (rank > PLAN_MAX_RANK || aStrides.length !== rank || bStrides.length !== rank)
      return `product of rank ${rank} with ${aStrides.length} and ${bStrides.length} strides`;
  }
  return undefined;
}

function faultOfPort(port: PlanPort, tensors: readonly PlanTensor[]): string | undefined {
  const tensor = tensors[port.tensor];
  if (tensor?.place !== 'port') return `tensor ${port.tensor} is not of place 'port'`;
  if (port.dims.length > PLAN_MAX_RANK) return `rank ${port.dims.length} is above ${PLAN_MAX_RANK}`;
  if (port.type !== tensor.type || tensorBytes(port) !== tensorBytes(tensor))
    return `${port.type} [${port.dims}] does not fit its tensor ${tensor.type} [${tensor.dims}]`;
  return undefined;
}

function faultOfCount(
  { counted, dims }: PlanPort,
  tensors: readonly PlanTensor[],
  isInput: boolean,
): string | undefined {
  if (counted === undefined) return undefined;
  if (isInput) return 'an input has a count';
  if (!isIndex(counted.axis, dims.length)) return `its count is of axis ${counted.axis} of [${dims}]`;
  const tensor = tensors[counted.tensor];
  if (tensor?.place !== 'arena' || tensor.type !== 'int64' || tensorBytes(tensor) !== PLAN_TYPE_BYTES.int64)
    return `its count, tensor ${counted.tensor}, is no int64 of one element in the arena`;
  return undefined;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isIndex(value: number, count: number): boolean {
  return isCount(value) && value < count;
}
