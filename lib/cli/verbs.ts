import type { Verb } from './verb';
import { deployVerb, serveVerb, watchVerb } from './verbs-board';
import { compressVerb } from './verbs-compress';
import { explainVerb, sensitivityVerb } from './verbs-explain';
import { benchVerb, evalVerb, runVerb } from './verbs-measure';
import { buildAddonVerb, compileVerb, doctorVerb, inspectVerb } from './verbs-model';
import { synthesizeVerb } from './verbs-synthesize';
import { trainVerb } from './verbs-train';

/** Every verb of the program, in the order of use. */
export const VERBS: readonly Verb[] = [
  inspectVerb,
  trainVerb,
  synthesizeVerb,
  sensitivityVerb,
  compressVerb,
  explainVerb,
  compileVerb,
  runVerb,
  evalVerb,
  benchVerb,
  serveVerb,
  deployVerb,
  watchVerb,
  doctorVerb,
  buildAddonVerb,
];
