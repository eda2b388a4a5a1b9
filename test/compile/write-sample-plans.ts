import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { samplePlans } from './sample-plans';

/** Writes the sample plans into the folder given as argument, for gates that run plans outside Node. */
async function main(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, plan] of await samplePlans()) writeFileSync(join(folder, `${name}.plan`), plan);
}

void main(process.argv[2]);
