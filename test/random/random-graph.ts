import { Rng, streamSeed } from '../../lib/core/rng';
import type { Graph } from '../../lib/ir/graph';
import type { Tensor } from '../../lib/ir/tensor';
import { randomNetwork } from '../compile/random-networks';
import { DRAWS, drawAny } from './draws/table';
import { Maker, Unfit, type Value } from './maker';

/** A graph with what is fed to it. */
export interface RandomGraph {
  /** Its operators, for messages. */
  readonly what: string;
  readonly graph: Graph;
  readonly feeds: ReadonlyMap<string, Tensor>;
  readonly operators: readonly string[];
}

/** Operators that read no tensors that are fed. */
const SOURCES = ['Constant', 'ConstantOfShape', 'Range'];

/** Opsets of graphs; newer ones have operators that older ones lack. */
const OPSETS = [21, 21, 21, 23, 24] as const;

/**
 * The graph of a seed: 1 to 12 nodes of any operators, as chains and as DAGs with shared values, with one or several outputs; of
 * every fifth seed a quantized network.
 */
export function randomGraph(seed: number): RandomGraph {
  const rng = new Rng(streamSeed(seed, 0));
  if (seed % 5 === 0) {
    const network = randomNetwork(rng, 'quantized');
    return { ...network, operators: network.graph.nodes.map(({ op }) => op) };
  }
  const m = new Maker(rng, OPSETS[rng.integer(0, OPSETS.length - 1)]);
  const count = rng.integer(1, 12);
  for (let made = 0, tries = 0; made < count && tries < 60; tries++) made += take(m, () => drawAny(m));
  return finished(m);
}

/** A graph that has a node of this operator, and few others; undefined where none was found. */
export function randomGraphOf(op: string, seed: number): RandomGraph | undefined {
  for (let tries = 0; tries < 40; tries++) {
    const rng = new Rng(streamSeed(seed, tries));
    const m = new Maker(rng, OPSETS[rng.integer(0, OPSETS.length - 1)]);
    take(m, () => [m.want({})]);
    if (take(m, () => DRAWS[op](m, op)) !== 1 || !m.shared.taken.includes(op)) continue;
    const item = finished(m);
    // Over constants alone the engine would have nothing to do.
    const runs = item.graph.nodes.some(
      ({ op: name, inputs }) => op.endsWith(name) && !inputs.every((input) => item.graph.initializers.has(input)),
    );
    if (runs || SOURCES.includes(op)) return item;
  }
  return undefined;
}

/** 1 where a node was taken. */
function take(m: Maker, draw: () => readonly Value[]): number {
  try {
    const values = draw();
    for (const value of values) if (!m.values.includes(value)) m.values.push(value);
    return values.length > 0 ? 1 : 0;
  } catch (error) {
    if (error instanceof Unfit) return 0;
    throw error;
  }
}

function finished(m: Maker): RandomGraph {
  const made = m.values.filter((value) => !value.tensor);
  const ends = made.filter((value) => !m.isRead(value));
  const more = made.filter((value) => m.isRead(value) && m.chance(0.1));
  const outputs = [...ends, ...more];
  // A graph of constants alone, or of nothing, gives out something all the same.
  if (outputs.length === 0)
    outputs.push(m.node('Identity', [m.values[0] ?? m.fresh('float32', [2], undefined, false)]));
  const { taken, feeds } = m.shared;
  return { what: taken.join(' '), graph: m.build(outputs), feeds, operators: taken };
}
