import { attention } from './attention';
import type { Composite } from './composite';
import { einsum } from './einsum';
import { swish } from './fused-layers';
import { microsoftRotaryEmbedding, rotaryEmbedding } from './rotary-embedding';

/** Operators that are made of others, by domain. */
const COMPOSITES: Readonly<Record<string, Readonly<Record<string, Composite>>>> = {
  '': {
    Attention: attention,
    Einsum: einsum,
    RotaryEmbedding: rotaryEmbedding,
    Swish: swish,
  },
  'com.microsoft': {
    RotaryEmbedding: microsoftRotaryEmbedding,
  },
};

/** How an operator is made of others; undefined for one that is not. */
export function findComposite(domain: string, op: string): Composite | undefined {
  const row = COMPOSITES[domain === 'ai.onnx' ? '' : domain];
  return row !== undefined && Object.hasOwn(row, op) ? row[op] : undefined;
}
