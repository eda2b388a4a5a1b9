import { diagnose } from '../compile/compile';
import type { Diagnostic } from '../core/diagnostic';
import { elementCount } from '../ir/tensor';
import { findOperator } from '../ops/index';
import { describePlan } from '../plan/describe';
import type { Artifact, ModelArtifact } from './artifact';
import { shapeText } from './executor';
import { prepareForEngine } from './make-plan';

/** What there is to know of a model. */
export interface Inspection {
  readonly kind: 'model' | 'plan';
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Text for people about the plan; undefined for models. */
  readonly plan?: string;
  readonly model?: {
    readonly irVersion: number;
    readonly opsets: Readonly<Record<string, number>>;
    readonly quantized: boolean;
    readonly inputs: readonly { readonly name: string; readonly type: string; readonly shape: string }[];
    readonly outputs: readonly { readonly name: string; readonly type: string; readonly shape: string }[];
    readonly parameters: number;
    /** Multiply-accumulates of one sample after folding; layers whose cost is not known are not in it. */
    readonly macs: number;
    /** Nodes by operator, as in the file. */
    readonly operators: Readonly<Record<string, number>>;
    /** What the native engine lacks for this model; empty when it runs wholly there. */
    readonly missing: readonly Diagnostic[];
  };
}

/** Describes an artifact; works for models with unknown operators too. */
export function inspect(artifact: Artifact): Inspection {
  const base = { sizeBytes: artifact.bytes.length, sha256: artifact.hash };
  if (artifact.kind === 'plan') return { kind: 'plan', ...base, plan: describePlan(artifact.description) };
  return { kind: 'model', ...base, model: inspectModel(artifact) };
}

function inspectModel({ graph, quantized }: ModelArtifact): NonNullable<Inspection['model']> {
  const port = (name: string) => {
    const value = graph.values.get(name);
    return { name, type: value?.type ?? 'unknown', shape: shapeText(value?.shape) };
  };
  const operators: Record<string, number> = {};
  for (const { op, domain } of graph.nodes) {
    const name = domain === '' ? op : `${domain}:${op}`;
    operators[name] = (operators[name] ?? 0) + 1;
  }
  const prepared = prepareForEngine(graph);
  const typeOf = (name: string) => {
    const tensor = prepared.initializers.get(name);
    return tensor ? { type: tensor.type, shape: tensor.dims } : prepared.values.get(name);
  };
  let macs = 0;
  for (const node of prepared.nodes) {
    const types = [...node.inputs, ...node.outputs].filter((name) => name !== '').map(typeOf);
    if (types.some((type) => type?.shape === undefined || type.shape.some((dim) => typeof dim !== 'number'))) continue;
    macs +=
      findOperator(node.domain, node.op)?.cost?.(node.inputs.map(typeOf), node.outputs.map(typeOf), node).macs ?? 0;
  }
  return {
    irVersion: graph.irVersion,
    opsets: Object.fromEntries([...graph.opsets].map(([domain, version]) => [domain || 'ai.onnx', version])),
    quantized,
    inputs: graph.inputs.map(port),
    outputs: graph.outputs.map(port),
    parameters: [...graph.initializers.values()].reduce((sum, { dims }) => sum + elementCount(dims), 0),
    macs,
    operators,
    missing: diagnose(prepared),
  };
}
