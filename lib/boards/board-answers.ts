import { z } from 'zod';
import { HoneError } from '../core/error';
import { printable } from '../core/printable';
import { readingSchema } from '../telemetry/reading-schema';

const whole = z.int().min(0);
const text = z.string();

/** What a board answers, as far as anything here depends on it. */
export const greetingSchema = z.object({
  protocol: whole,
  version: text,
  platform: text,
  limits: z.object({
    requests: whole.min(1),
    chunkBytes: whole.min(1),
    blobBytes: whole,
    digests: whole.min(1),
    uploads: whole.min(1),
    tunnels: whole,
    tunnelBytes: whole,
    logBytes: whole.min(1),
  }),
});

export const blobsSchema = z.array(z.object({ sha256: text, bytes: whole.nullable(), partialBytes: whole }));

export const entriesSchema = z.array(
  z.object({ name: text, version: text, state: z.enum(['READY', 'UNAVAILABLE']), reason: text }),
);

/** The status as it is, once it has what is counted on here. */
export const statusSchema = z.looseObject({
  pid: whole,
  url: text,
  version: text,
  models: z.array(z.looseObject({ name: text, version: text })),
  processes: z.array(z.looseObject({ pid: whole })),
});

export const prunedSchema = z.object({ blobs: whole, bytes: whole });

export const logsSchema = z.object({ text });

/** Facts as they are, once they have what is counted on here. */
export const factsSchema = z.looseObject({
  version: text,
  node: text,
  platform: text,
  kernel: text,
  cpu: z.object({ model: text, count: whole, usable: whole }),
  engine: z.object({ kernels: text.nullable(), reason: text.nullable() }),
  memory: z.object({ totalBytes: whole, freeBytes: whole }),
  disk: z.object({ totalBytes: whole, freeBytes: whole }),
  sources: z
    .array(z.object({ id: text, what: text, readings: z.array(text).max(4096), reason: text.nullable() }))
    .max(100),
  readings: z.array(readingSchema).max(4096),
});

/** An answer of the form that was expected, its texts printable. @throws E_FRAME_FORMAT */
export function checkAnswer<T>(schema: z.ZodType<T>, answer: unknown, what: string): T {
  const { success, data, error } = schema.safeParse(answer);
  if (success) return shown(data, 0) as T;
  const [{ path, message }] = error.issues;
  const place = path.length === 0 ? 'the whole' : path.join('.');
  throw new HoneError('E_FRAME_FORMAT', { reason: printable(`the answer to ${what}: ${place}: ${message}`) });
}

/** Longest text of an answer that is kept, and the deepest level. */
const TEXT_LIMIT = 4096;
const DEEPEST = 16;

function shown(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return printable(value, TEXT_LIMIT);
  if (depth > DEEPEST) return null;
  if (Array.isArray(value)) return value.map((item) => shown(item, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [printable(key, TEXT_LIMIT), shown(item, depth + 1)]),
  );
}
