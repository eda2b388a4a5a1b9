import { CANONICALISE } from './canonicalise';
import { FOLD_PADS } from './fold-pads';
import { FUSE_BATCH_NORM } from './fuse-batch-norm';
import type { Rule } from './rewrite';
import { UNFUSE_QLINEAR } from './unfuse-qlinear';

/** All rewrite rules by the pass that applies them. Rules of one pass are tried in this order. */
export const RULES: Readonly<Record<string, readonly Rule[]>> = {
  'unfuse-qlinear': UNFUSE_QLINEAR,
  'fuse-batch-norm': FUSE_BATCH_NORM,
  canonicalise: CANONICALISE,
  'fold-pads': FOLD_PADS,
};
