import { HoneError } from '../core/error';
import { profileOnBoard } from '../jobs/board/profile-board';
import { PROFILE_DEFAULTS, profilePlan } from '../jobs/profile';
import { BOARD, boardOf } from './board-flag';
import { COMMON, INPUTS, integer, MODEL, QUANTIZE, text, threads, VERBOSE } from './flags';
import { DATA, planOf } from './made-plan';
import { profileLines } from './profile-lines';
import type { OptionValues, Verb } from './verb';

const { runs, seconds, seed } = PROFILE_DEFAULTS;

export const profileVerb: Verb = {
  args: [MODEL],
  options: [
    DATA,
    { ...BOARD, description: `${BOARD.description}; the same plan is then measured on this machine too` },
    { flags: '--runs <n>', description: 'runs to time as a whole, and as many node by node', default: String(runs) },
    { flags: '--seconds <n>', description: 'begin no further run after so long', default: String(seconds) },
    { flags: '--seed <n>', description: 'seed of the random inputs', default: String(seed) },
    { flags: '--affinity <cores>', description: 'cores to run on, as in 0-3 or 4,5; all when left out' },
    { flags: '--governor <name>', description: 'governor of the clocks meanwhile, such as performance (takes root)' },
    { flags: '--no-energy', description: 'leave out energy, which takes some seconds where a sensor tells it' },
    VERBOSE,
    ...INPUTS,
    COMMON.preprocess,
    COMMON.threads,
    ...QUANTIZE,
  ],
  examples: [
    'hone profile model.plan',
    'hone profile model.plan --board pi@raspberrypi.local',
    'hone profile model.int8.onnx --threads 2 --affinity 0-1 --json',
  ],
  async run([path], options, console) {
    const [affinity, governor] = [coresOf(options), text(options, 'governor')];
    const settings = {
      threads: threads(options),
      runs: integer(options, 'runs', 1, 1e7) ?? runs,
      seconds: integer(options, 'seconds', 1, 86_400) ?? seconds,
      seed: integer(options, 'seed', 0, 2 ** 32 - 1) ?? seed,
      energy: options.energy !== false,
      ...(affinity === undefined ? {} : { affinity }),
      ...(governor === undefined ? {} : { governor }),
      signal: console.signal,
    };
    const board = await boardOf(options);
    const plan = await planOf(path, options, console);
    const isVerbose = options.verbose === true;
    if (board === undefined) {
      const found = await profilePlan(plan, settings);
      console.result(found);
      for (const line of profileLines(found, isVerbose)) console.say(line);
      return undefined;
    }
    const onProgress = (stage: string, done: number, total: number) => console.progress(stage, done, total);
    const there = await profileOnBoard(board, plan, { ...settings, onProgress });
    // Cores and governors are those of the board.
    const { affinity: _cores, governor: _clock, ...same } = settings;
    const here = await profilePlan(plan, { ...same, energy: false });
    const outputsEqual = JSON.stringify(there.outputs) === JSON.stringify(here.outputs);
    console.result({ board: board.name, outputsEqual, there, here });
    for (const line of profileLines(there, isVerbose, here)) console.say(line);
    console.say(
      outputsEqual ? 'outputs equal those of this machine byte for byte' : 'OUTPUTS DIFFER from those of this machine',
    );
    return outputsEqual ? undefined : 1;
  },
};

/** A list of cores, which taskset reads. @throws E_OPTION_VALUE */
function coresOf(options: OptionValues): string | undefined {
  const found = text(options, 'affinity');
  if (found === undefined || /^\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?){0,99}$/.test(found)) return found;
  throw new HoneError('E_OPTION_VALUE', { option: '--affinity', expected: 'cores, as in 0-3 or 4,5', found });
}
