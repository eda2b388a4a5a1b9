import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { runPlans } from './compare-runs.mjs';

/**
 * What runs plans as `runOn` does, and notes each run of one plan that was well in a file; with `resume` a run of the same bytes by
 * the same program in the same ways is taken from there.
 * @returns {{ runOn: typeof runPlans, taken: () => number }} `taken`: how many runs were known
 */
export function knownRuns(file, resume, runOn = runPlans) {
  const known = new Map();
  if (resume && existsSync(file))
    for (const text of readFileSync(file, 'utf8').split('\n')) {
      const end = text.indexOf(' ');
      // The last line of a run that was killed may be half a line.
      if (end > 0 && text.endsWith('}')) known.set(text.slice(0, end), JSON.parse(text.slice(end + 1)));
    }
  mkdirSync(dirname(file), { recursive: true });
  let taken = 0;
  return {
    taken: () => taken,
    runOn(machine, plans) {
      const key = keyOf(machine, plans);
      const before = known.get(key);
      if (before) {
        taken++;
        return before;
      }
      const found = runOn(machine, plans);
      if (found.faults.length === 0) appendFileSync(file, `${key} ${JSON.stringify(found)}\n`);
      return found;
    },
  };
}

/** Hash of all that decides what a run gives: program, emulator, ways, plans with their inputs and names. */
function keyOf({ name, command, options }, plans) {
  const hash = createHash('sha256').update(JSON.stringify([name, options, command.slice(0, -1)]));
  for (const path of [command.at(-1), ...plans, ...plans.map((plan) => plan.replace(/\.plan$/, '.inputs'))])
    hash.update(`${path.split('/').at(-1)}\n`).update(existsSync(path) ? readFileSync(path) : '');
  return hash.digest('hex');
}
