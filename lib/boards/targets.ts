import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../engine/package-root';
import type { BoardFacts } from './facts';

const HEX = z.string().regex(/^0x[0-9a-f]{1,3}$/);

/** A profile of `deploy/targets`: what is known of a kind of board before it is asked. */
const TARGET = z.strictObject({
  name: z.string().min(1),
  platform: z.enum(['linux-arm64', 'linux-x64']),
  /** How the name begins that the board gives itself; none for what fits all of a platform. */
  models: z.array(z.string().min(4)),
  /** Maker and part number of its cores, as /proc/cpuinfo has them. */
  cores: z.array(z.strictObject({ implementer: HEX, part: HEX, name: z.string() })),
  /** Sets of instructions of the engine that every one of them has, beside `ref`. */
  instructionSets: z.array(z.enum(['neon', 'neon_dotprod', 'neon_i8mm', 'avx2', 'avxvnni', 'avx512vnni'])),
  /** Least and most memory that it is sold with. */
  memoryMb: z.tuple([z.int().positive(), z.int().positive()]).nullable(),
  /** Sizes of pages that its kernels have. */
  pageBytes: z.array(z.int().positive()).min(1),
  /** What it can tell about itself. */
  sensors: z.array(z.enum(['thermal', 'frequency', 'pmic', 'ina', 'rapl'])),
});

export type Target = z.infer<typeof TARGET>;

/** All profiles, by the name of their file. */
export function readTargets(folder: string = join(packageRoot(), 'deploy', 'targets')): Map<string, Target> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return new Map(
    names
      .sort()
      .map((name) => [name.replace(/\.json$/, ''), TARGET.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')))]),
  );
}

/** The profile that a board fits: by the name it gives itself, else what fits all of its platform; undefined for other platforms. */
export function profileOf({ machine, model }: BoardFacts, targets: ReadonlyMap<string, Target>): Target | undefined {
  const platform = { aarch64: 'linux-arm64', x86_64: 'linux-x64' }[machine];
  const fitting = [...targets.values()].filter((target) => target.platform === platform);
  const length = ({ models }: Target) =>
    Math.max(0, ...models.filter((each) => model?.startsWith(each)).map((each) => each.length));
  const named = fitting.filter((target) => length(target) > 0).sort((a, b) => length(b) - length(a));
  return named[0] ?? fitting.find(({ models }) => models.length === 0);
}

/** The types of core that a board has, in words: `4 x Cortex-A76`. */
export function coresText({ cpu }: BoardFacts, targets: ReadonlyMap<string, Target>): string {
  const known = [...targets.values()].flatMap(({ cores }) => cores);
  const words = cpu.types.map(({ implementer, part, count }) => {
    const core = known.find((each) => each.implementer === implementer && each.part === part);
    return `${count} x ${core?.name ?? `${implementer}/${part}`}`;
  });
  return words.join(' + ') || `${cpu.cores ?? 'unknown'} cores${cpu.name === null ? '' : `, ${cpu.name}`}`;
}
