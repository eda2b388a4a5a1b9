import { type Uses, usesOf } from '../../ir/edit';
import type { Graph, Node } from '../../ir/graph';
import { hasTrait } from '../../ops/facts';
import { requireMeaning, skipReason } from '../skip';
import type { QuantizeOptions } from './quantize-options';
import { clampBounds, fusedClamp, isFloat32, type Role, roleOf, type WeightedLayer } from './roles';

/** Values that share one scale and zero point. */
export interface ValueGroup {
  /** In graph order: inputs, constants, then computed values. */
  readonly values: readonly string[];
  /** Members whose elements make up those of all others. */
  readonly sources: readonly string[];
  /**
   * Members whose elements are all that is read of the group by others than its own copies: what a MaxPool or a Slice leaves behind,
   * and padding that a MaxPool never picks, needs no codes.
   */
  readonly read: readonly string[];
}

/** A node that stays float, and why. */
export interface SkippedNode {
  readonly name: string;
  readonly op: string;
  readonly reason: string;
}

/** A clamp (Relu, Clip) that is computed together with the node before it. */
export interface FusedClamp {
  /** What the node before makes; it is quantized only after the clamp. */
  readonly input: string;
  readonly output: string;
  readonly bounds: readonly [number, number];
}

/** What will be quantized. */
export interface Selection {
  readonly layers: readonly WeightedLayer[];
  /** Layers that run in float on quantized weights. */
  readonly weightOnly: readonly WeightedLayer[];
  readonly groups: readonly ValueGroup[];
  readonly clamps: readonly FusedClamp[];
  readonly skipped: readonly SkippedNode[];
}

/**
 * Chooses what runs on integers. Every node with weights does, and what connects two of them; a clamp is taken into the
 * node before it; nodes that copy share the scale of what they copy. Behind the last layer only averages and plain copies go
 * on in integers: output arithmetic (softmax, box decoding, a Concat of unlike outputs) stays float.
 * @throws E_OPTION_VALUE when an entry of `skip` means no node
 */
export function selectQuantization(graph: Graph, skip: QuantizeOptions['skip'], rules: SelectionRules = {}): Selection {
  requireMeaning(graph, skip);
  return new Selector(graph, skip, rules).run();
}

/** What else decides over nodes. */
export interface SelectionRules {
  /** Names of nodes that stay float, besides those of `skip`. */
  readonly keep?: ReadonlySet<string>;
  /** Names of layers that stay float for the sake of the outputs. */
  readonly sensitive?: ReadonlySet<string>;
  /** Why a layer quantizes its weights alone; undefined where it runs on integers. */
  readonly weightOnly?: (layer: WeightedLayer) => string | undefined;
}

/** A node that copies, and how. */
interface Copy {
  readonly node: Node;
  readonly role: Extract<Role, { kind: 'copy' }>;
}

class Selector {
  private readonly graph: Graph;
  private readonly uses: Uses;
  private readonly roles = new Map<Node, Role>();
  /** Clamp taken into a node, and the nodes taken. */
  private readonly clampOf = new Map<Node, Node>();
  private readonly absorbed = new Set<Node>();
  private readonly useful = new Set<string>();
  private readonly quantized = new Set<string>();
  private readonly active = new Set<Node>();
  private readonly weightOnly: WeightedLayer[] = [];

  constructor(graph: Graph, skip: QuantizeOptions['skip'], { keep, sensitive, weightOnly }: SelectionRules) {
    this.graph = graph;
    this.uses = usesOf(graph);
    for (const node of graph.nodes) {
      const role = roleOf(graph, node);
      const weightsAlone = role.kind === 'layer' ? weightOnly?.(role.layer) : undefined;
      const reason =
        skipReason(node, skip) ??
        (keep?.has(node.name) ? 'kept as it is' : undefined) ??
        (sensitive?.has(node.name) ? 'the outputs lose too much with it on integers' : undefined);
      if (reason === undefined && weightsAlone !== undefined && role.kind === 'layer') this.weightOnly.push(role.layer);
      const float = reason ?? weightsAlone;
      this.roles.set(node, float === undefined ? role : { kind: 'float', reason: float });
    }
  }

  run(): Selection {
    const { graph, roles } = this;
    for (const node of graph.nodes) this.absorbClamp(node);
    this.findUseful();
    for (const node of graph.nodes) if (roles.get(node)!.kind === 'layer') this.activate(node);
    // Quantization spreads along followers and copies, in both directions for the latter: until nothing changes.
    for (let before = -1; before !== this.active.size; ) {
      before = this.active.size;
      for (const node of graph.nodes) if (!this.active.has(node) && this.joins(node)) this.activate(node);
    }
    return {
      layers: this.layers(),
      weightOnly: this.weightOnly,
      groups: this.groups(),
      clamps: this.clamps(),
      skipped: this.skipped(),
    };
  }

  private absorbClamp(node: Node): void {
    const kind = this.roles.get(node)!.kind;
    if (this.absorbed.has(node) || (kind !== 'layer' && kind !== 'follower') || clampBounds(this.graph, node)) return;
    const isFree = (clamp: Node) => this.roles.get(clamp)!.kind === 'follower';
    const clamp = fusedClamp(this.graph, this.uses, node, isFree);
    if (clamp === undefined) return;
    this.clampOf.set(node, clamp);
    this.absorbed.add(clamp);
  }

  /** Value behind a node and its clamp. */
  private resultOf(node: Node): string {
    return (this.clampOf.get(node) ?? node).outputs[0];
  }

  /** Marks the values from which a layer can be reached through nodes that could run on integers. */
  private findUseful(): void {
    for (const node of [...this.graph.nodes].reverse()) {
      const role = this.roles.get(node)!;
      // A layer that the user skips still makes what leads to it worth running on integers.
      const asLayer = role.kind === 'float' ? roleOf(this.graph, node) : role;
      if (asLayer.kind === 'layer') this.useful.add(asLayer.layer.input);
      else if ('operands' in role && node.outputs.some((output) => this.useful.has(output)))
        for (const operand of role.operands) this.useful.add(operand);
    }
  }

  private joins(node: Node): boolean {
    const role = this.roles.get(node)!;
    if (this.absorbed.has(node) || role.kind === 'float' || role.kind === 'layer') return false;
    const data = role.operands.filter((operand) => !this.graph.initializers.has(operand));
    const useful = node.outputs.some((output) => this.useful.has(output));
    if (role.kind === 'copy') {
      const touched = [...data, ...node.outputs].some((value) => this.quantized.has(value));
      return touched && (useful || role.operands.length === 1);
    }
    const ready = data.length > 0 && data.every((operand) => this.quantized.has(operand));
    return ready && (useful || hasTrait(node, 'averages'));
  }

  private activate(node: Node): void {
    const role = this.roles.get(node)!;
    this.active.add(node);
    if (role.kind === 'layer') this.quantized.add(role.layer.input);
    else if (role.kind !== 'float') for (const operand of role.operands) this.quantized.add(operand);
    if (role.kind === 'copy') for (const output of node.outputs.filter(Boolean)) this.quantized.add(output);
    else this.quantized.add(this.resultOf(node));
  }

  private layers(): WeightedLayer[] {
    return this.graph.nodes.flatMap((node) => {
      const role = this.roles.get(node)!;
      return role.kind === 'layer' ? [role.layer] : [];
    });
  }

  private clamps(): FusedClamp[] {
    return [...this.clampOf]
      .filter(([node]) => this.active.has(node))
      .map(([node, clamp]) => ({
        input: node.outputs[0],
        output: clamp.outputs[0],
        bounds: clampBounds(this.graph, clamp)!,
      }));
  }

  /** Joins the values of every active copy into groups. */
  private groups(): ValueGroup[] {
    const { graph } = this;
    const order = [...graph.inputs, ...graph.initializers.keys(), ...graph.nodes.flatMap((node) => node.outputs)];
    const groupOf = new Map<string, Set<string>>();
    for (const value of order) if (this.quantized.has(value)) groupOf.set(value, new Set([value]));
    const copies = new Map<string, Copy>();
    for (const node of this.active) {
      const role = this.roles.get(node)!;
      if (role.kind !== 'copy') continue;
      const outputs = node.outputs.filter(Boolean);
      for (const output of outputs) copies.set(output, { node, role });
      const [first, ...others] = [...outputs, ...role.operands];
      for (const other of others) mergeGroups(groupOf, first, other);
    }
    const rank = new Map(order.map((value, index) => [value, index]));
    return [...new Set(groupOf.values())].map((members) => {
      const values = [...members].sort((a, b) => rank.get(a)! - rank.get(b)!);
      return { values, sources: values.filter((value) => !copies.has(value)), read: this.readOf(values, copies) };
    });
  }

  /** The fewest of a group's values (in graph order) that hold all that is read of it by others than its copies. */
  private readOf(values: readonly string[], copies: ReadonlyMap<string, Copy>): readonly string[] {
    const { uses } = this;
    const isCopy = (node: Node) => this.active.has(node) && this.roles.get(node)!.kind === 'copy';
    const read = values.filter((value) => uses.isOutput(value) || !uses.consumers(value).every(isCopy));
    const whole = (value: string): string => {
      const copy = copies.get(value);
      const same =
        copy &&
        (hasTrait(copy.node, 'relabels') ||
          hasTrait(copy.node, 'rearranges') ||
          (copy.node.op === 'Pad' && copy.role.fill === 0));
      return same ? whole(copy.role.operands[0]) : value;
    };
    const kept = new Set<string>();
    const holds = (value: string): boolean => {
      const copy = copies.get(value);
      return kept.has(value) || (copy?.role.fill === 0 && copy.role.operands.every(holds));
    };
    const candidates = new Set((read.length > 0 ? read : values.filter((value) => !copies.has(value))).map(whole));
    for (const value of values) if (candidates.has(value) && !holds(value)) kept.add(value);
    return [...kept];
  }

  /** Nodes of float data that stay float. */
  private skipped(): SkippedNode[] {
    return this.graph.nodes
      .filter((node) => !this.active.has(node) && !this.isAbsorbed(node))
      .filter((node) => node.op !== 'Constant' && node.outputs.some((output) => isFloat32(this.graph, output)))
      .map((node) => ({ name: node.name, op: node.op, reason: this.reasonOf(node) }));
  }

  private isAbsorbed(clamp: Node): boolean {
    return [...this.clampOf].some(([node, taken]) => taken === clamp && this.active.has(node));
  }

  private reasonOf(node: Node): string {
    const role = this.roles.get(node)!;
    if (role.kind === 'float') return role.reason;
    const operands = role.kind === 'layer' ? [] : role.operands;
    const float = operands.find((operand) => !this.quantized.has(operand) && !this.graph.initializers.has(operand));
    return float ? `its input '${float}' is float` : 'nothing that runs on integers follows';
  }
}

function mergeGroups(groupOf: Map<string, Set<string>>, a: string, b: string): void {
  const [into, from] = [groupOf.get(a)!, groupOf.get(b)!];
  if (into === from) return;
  for (const value of from) {
    into.add(value);
    groupOf.set(value, into);
  }
}
