import { resolve } from 'node:path';
import type { Recipe } from '../../compress/recipe/recipe-schema';
import type { EngineTarget, Isa } from '../../compress/target';
import { HoneError } from '../../core/error';
import type { Graph } from '../../ir/graph';
import { hostIsa, readLayerTimes } from '../layer-times';

/** What a recipe was run for, for the report. */
export interface TargetRecord {
  readonly isa: Isa;
  readonly from: 'recipe' | 'times' | 'this machine';
  /** The file of measured times, and the SHA-256 of its bytes. */
  readonly times?: { readonly path: string; readonly sha256: string };
}

/** Taken where neither recipe nor addon say more: what every such CPU has. */
const LEAST: Readonly<Partial<Record<string, Isa>>> = { x64: 'avx2', arm64: 'neon' };

/**
 * The target of a recipe: the instruction set that it names, else that of its measured times, else that of this machine. Times
 * must belong to the model: name layers of `graph`. Paths start in `folder`, keys in messages with `place`.
 * @throws E_OPTION_VALUE
 */
export async function openTarget(
  { isa, times: path }: Recipe['target'],
  graph: Graph,
  { folder, place }: { readonly folder: string; readonly place: string },
): Promise<{ target: EngineTarget; record: TargetRecord }> {
  if (path === undefined) {
    const chosen = isa ?? isaHere();
    return { target: { isa: chosen }, record: { isa: chosen, from: isa ? 'recipe' : 'this machine' } };
  }
  const option = `${place}target.times`;
  const { times, sha256 } = await readLayerTimes(resolve(folder, path), option);
  if (isa !== undefined && isa !== times.isa)
    throw new HoneError('E_OPTION_VALUE', {
      option,
      expected: `times measured on ${isa}`,
      found: `${times.isa} in ${path}`,
    });
  if (!graph.nodes.some(({ name }) => times.layers[name] !== undefined))
    throw new HoneError('E_OPTION_VALUE', {
      option,
      expected: `times of layers of this model, such as ${graph.nodes.find(({ inputs }) => inputs.some((name) => graph.initializers.has(name)))?.name}`,
      found: `${Object.keys(times.layers).slice(0, 3).join(', ')} in ${path}`,
    });
  return {
    target: { isa: times.isa, times: times.layers },
    record: { isa: times.isa, from: isa ? 'recipe' : 'times', times: { path, sha256 } },
  };
}

function isaHere(): Isa {
  try {
    return hostIsa();
  } catch (error) {
    if (error instanceof HoneError && error.code === 'E_ADDON_MISSING') return LEAST[process.arch] ?? 'ref';
    throw error;
  }
}
