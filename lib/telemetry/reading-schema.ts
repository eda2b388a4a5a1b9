import { z } from 'zod';
import type { Reading } from './sample';

const text = z.string().max(4096);
const named = {
  name: text,
  unit: z.enum(['bytes', 'celsius', 'hertz', 'joules', 'watts', 'ratio', 'seconds', 'count']),
  kind: z.enum(['gauge', 'counter']),
  source: text,
  covers: z.enum(['board', 'system', 'package', 'memory', 'rail', 'part']).optional(),
};

/** A reading as another process or machine tells it. */
export const readingSchema = z.union([
  z.strictObject({ ...named, value: z.number(), reason: z.undefined().optional() }),
  z.strictObject({ ...named, value: z.null(), reason: text }),
]) as unknown as z.ZodType<Reading>;
