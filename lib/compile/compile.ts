import { type Diagnostic, formatDiagnostics } from '../core/diagnostic';
import { HoneError } from '../core/error';
import type { Graph } from '../ir/graph';
import { type States, sameState } from '../ir/states';
import type { PlanDescription, PlanNode, PlanPort, PlanTensor, PlanVariant } from '../plan/description';
import { alignUp, PLAN_ALIGNMENT, PLAN_TYPE_BYTES } from '../plan/format';
import { PLAN_OPS } from '../plan/plan-ops';
import { writePlan } from '../plan/writer';
import { assignMemory } from './assign-memory';
import { findOverwrite } from './find-overwrite';
import { foldCopies } from './fold-copies';
import { fuseResiduals } from './fuse-residual';
import { guardChoices } from './guard-choices';
import { joinTables } from './join-tables';
import { type Lowered, lowerGraph } from './lower-graph';
import type { Part } from './part';
import { codedBuffers, PlanConstants } from './plan-constants';
import type { Buffer, Operand, Step } from './step';
import { warnScalarSteps } from './warn-scalar-steps';

export interface CompileOptions {
  /** SHA-256 of the model file, 64 hexadecimal digits. */
  readonly sourceHash: string;
  /** JSON object that travels in the plan: labels, preprocessing, provenance. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Inputs that the plan keeps from run to run, each with the output that makes the next one: neither is a port. */
  readonly states?: States;
}

export interface Compiled {
  /** The plan file. */
  readonly plan: Uint8Array;
  readonly description: PlanDescription;
  /** Warnings: layers that stay float inside a quantized model, and those that would run on scalar code. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Compiles a prepared graph (see `prepare`, with numeric shapes) to a plan: layers fused with activation, requantization and
 * residual addition, layouts and arena offsets chosen, accumulators proven not to overflow.
 * @throws E_OPERATOR_UNSUPPORTED naming every node that the engine lacks
 */
export function compile(graph: Graph, options: CompileOptions): Compiled {
  return compileVariants([{ name: 'default', graph }], options);
}

/** A model prepared for some shapes of its inputs, under a name. */
export interface VariantGraph {
  readonly name: string;
  readonly graph: Graph;
}

/**
 * One plan of a model prepared for several sets of input shapes (at least one), which share constants and the memory of states.
 * A session runs one of them.
 * @throws as `compile`
 */
export function compileVariants(graphs: readonly VariantGraph[], options: CompileOptions): Compiled {
  const constants = new PlanConstants();
  const compiled = graphs.map((variant) => compileVariant(variant, options.states ?? new Map(), constants));
  const description = {
    sourceHash: options.sourceHash,
    metadata: { ...Object.fromEntries(graphs[0].graph.metadata), ...options.metadata },
    constants: constants.list,
    ...(constants.encoded.length > 0 ? { encoded: constants.encoded } : {}),
    variants: compiled.map(({ variant }) => variant),
  };
  const diagnostics = new Map(
    compiled.flatMap(({ warnings }) => warnings.map((warning) => [`${warning.where} ${warning.message}`, warning])),
  );
  return { plan: writePlan(description), description, diagnostics: [...diagnostics.values()] };
}

function compileVariant({ name, graph }: VariantGraph, states: States, constants: PlanConstants) {
  requireStates(graph, states);
  const lowered = lowerGraph(graph, states);
  const errors = lowered.state.diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  if (errors.length > 0)
    throw new HoneError('E_OPERATOR_UNSUPPORTED', {
      count: errors.length,
      what: 'the native engine',
      diagnostics: formatDiagnostics(errors),
    });
  const { program } = lowered.state;
  const lasting = new Set([...lowered.counts.values()].map(({ buffer }) => buffer.id));
  const steps = guardChoices(foldCopies(fuseResiduals(joinTables(program.steps, program)), lasting), program);
  const variant = { ...describeVariant(graph, lowered, { steps, lasting }, constants, states), name };
  return { variant, warnings: [...warnFloatLayers(steps, lowered.state), ...warnScalarSteps(steps)] };
}

/** @throws E_OPTION_VALUE for a state that the graph does not have so: two of one output, or other types and shapes */
function requireStates(graph: Graph, states: States): void {
  const made = new Set<string>();
  for (const [input, output] of states) {
    const isState =
      graph.inputs.includes(input) &&
      graph.outputs.includes(output) &&
      !made.has(output) &&
      sameState(graph.values.get(input), graph.values.get(output));
    if (!isState)
      throw new HoneError('E_OPTION_VALUE', {
        option: 'states',
        expected: 'an input and an output of its type and shape, each once',
        found: `${input}=${output}`,
      });
    made.add(output);
  }
}

/** What the engine lacks for a prepared graph; empty when it can run all of it. */
export function diagnose(graph: Graph): readonly Diagnostic[] {
  return lowerGraph(graph).state.diagnostics;
}

function describeVariant(
  graph: Graph,
  lowered: Lowered,
  { steps, lasting }: { readonly steps: readonly Step[]; readonly lasting: ReadonlySet<number> },
  constants: PlanConstants,
  states: States,
): Omit<PlanVariant, 'name'> {
  const { network } = lowered.state;
  const memory = assignMemory(steps, lasting);
  const fault = findOverwrite(steps, memory, lasting);
  if (fault !== undefined) throw new HoneError('E_INTERNAL', { message: fault });
  const tensors: PlanTensor[] = [];
  const known = new Map<string, number>();
  const coded = codedBuffers(steps);
  const kept = new StateMemory();

  const tensorIndex = ({ buffer, dims: wanted, part }: Operand): number => {
    // A port has one tensor, in the shape that the user sees.
    const dims = buffer.place.kind === 'port' ? network.extents(buffer.name) : wanted;
    const grid = buffer.quantization;
    const key = `${buffer.id}|${dims}|${grid?.scale}|${grid?.zeroPoint}|${part?.offset}|${part?.pitch}`;
    let index = known.get(key);
    if (index === undefined) {
      index = tensors.length;
      known.set(key, index);
      tensors.push({ ...tensorBase(buffer, dims), ...(part ? partIn(buffer, part) : placeOf(buffer)) });
    }
    return index;
  };
  const placeOf = (buffer: Buffer) => {
    const { place } = buffer;
    if (place.kind === 'port') return { place: 'port' } as const;
    if (place.kind === 'state') return { place: 'state', offset: kept.offsetOf(buffer) } as const;
    if (place.kind === 'arena') return { place: 'arena', offset: memory.offsets.get(buffer.id)! } as const;
    const row = coded.get(buffer.id);
    const weights = row === undefined ? undefined : constants.addCodes(buffer.type, place, row);
    if (weights !== undefined) return { place: 'encoded', weights } as const;
    return { place: 'constant', constant: constants.add(place.bytes) } as const;
  };
  const partIn = ({ id, type }: Buffer, { offset, pitch }: Part) => ({
    place: 'arena' as const,
    offset: memory.offsets.get(id)! + offset * PLAN_TYPE_BYTES[type],
    pitch,
  });
  const port = (name: string, buffer: Buffer): PlanPort => {
    const dims = network.extents(name);
    const tensor = tensorIndex({ buffer, dims });
    const count = lowered.counts.get(name);
    const counted = count && { axis: count.axis, tensor: tensorIndex({ buffer: count.buffer, dims: [1] }) };
    return { name, tensor, type: buffer.type, dims, ...(counted ? { counted } : {}) };
  };

  const nodes = steps.map(
    (step) =>
      ({
        ...step,
        outputs: step.outputs.map(tensorIndex),
        inputs: step.inputs.map((input) => (input ? tensorIndex(input) : null)),
      }) as PlanNode,
  );
  const outputs = new Set(states.values());
  const stateTensor = (name: string, buffer: Buffer) => tensorIndex({ buffer, dims: network.extents(name) });
  return {
    tensors,
    nodes,
    inputs: graph.inputs.filter((name) => !states.has(name)).map((name) => port(name, lowered.inputs.get(name)!)),
    // A graph may name an output twice; by name there is one.
    outputs: [...new Set(graph.outputs)]
      .filter((name) => !outputs.has(name))
      .map((name) => port(name, lowered.outputs.get(name)!)),
    states: [...states].map(([input, output]) => ({
      input: stateTensor(input, lowered.inputs.get(input)!),
      output: stateTensor(output, lowered.outputs.get(output)!),
    })),
    arenaBytes: memory.arenaBytes,
  };
}

/** Places of what is kept from run to run, one behind the other. */
class StateMemory {
  private readonly offsets = new Map<number, number>();
  private end = 0;

  offsetOf({ id, count, type }: Buffer): number {
    const known = this.offsets.get(id);
    if (known !== undefined) return known;
    const offset = this.end;
    this.offsets.set(id, offset);
    this.end = alignUp(offset + count * PLAN_TYPE_BYTES[type], PLAN_ALIGNMENT);
    return offset;
  }
}

function tensorBase(buffer: Buffer, dims: readonly number[]) {
  const { name, type, quantization } = buffer;
  return {
    name,
    type,
    dims,
    ...(quantization ? { scale: quantization.scale, zeroPoint: quantization.zeroPoint } : {}),
  };
}

/** Float layers of a quantized network are what a user of int8 wants to know of: those that int8 operations could compute. */
function warnFloatLayers(steps: readonly Step[], { network, floatReasons }: Lowered['state']): Diagnostic[] {
  // Weights alone are no integer arithmetic that anything could stay out of.
  if (!network.hasIntegers) return [];
  const reasonOf = (name: string): string | undefined =>
    [...floatReasons].find(([node]) => name === node || name.startsWith(`${node}+`))?.[1];
  return steps
    .filter(({ op }) => PLAN_OPS[op].int8Form !== undefined)
    .map((step) => ({
      severity: 'warning',
      kind: 'float-layer',
      where: step.name,
      message: `runs in float (${step.op}): ${reasonOf(step.name)}`,
    }));
}
