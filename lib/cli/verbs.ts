import type { Verb } from './verb';
import { deployVerb, serveVerb, watchVerb } from './verbs-board';
import { benchVerb, evalVerb, runVerb } from './verbs-measure';
import { compileVerb, compressVerb, doctorVerb, inspectVerb } from './verbs-model';

/** Every verb of the program, in the order of use. */
export const VERBS: readonly Verb[] = [
  inspectVerb,
  compressVerb,
  compileVerb,
  runVerb,
  evalVerb,
  benchVerb,
  serveVerb,
  deployVerb,
  watchVerb,
  doctorVerb,
];
