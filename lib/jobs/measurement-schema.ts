import { z } from 'zod';
import { printable } from '../core/printable';
import { readingSchema } from '../telemetry/reading-schema';
import type { Reading } from '../telemetry/sample';

/** Texts of a machine that may be another's. */
const text = z
  .string()
  .max(4000)
  .transform((value) => printable(value, 300));
const texts = z.array(text).max(1000);
const number = z.number();
const count = z.number().min(0);
const none = { value: z.null(), reason: text };

function told<T extends z.ZodType>(value: T) {
  return z.union([z.strictObject({ value }), z.strictObject(none)]);
}

function printableReading(reading: Reading): Reading {
  const { name, source, reason } = reading;
  const shown = { ...reading, name: printable(name), source: printable(source) };
  return (reason === undefined ? shown : { ...shown, reason: printable(reason) }) as Reading;
}

const range = z.tuple([count, count]);

const conditions = z.strictObject({
  machine: told(text),
  kernel: text,
  pageBytes: told(count),
  memoryBytes: told(count),
  swapUsedBytes: told(count),
  affinity: told(text),
  clocks: told(z.array(z.strictObject({ cpus: text, governor: text, limitHz: range, hardwareHz: range })).max(4096)),
  powerMode: told(text),
  readings: z.array(readingSchema.transform(printableReading)).max(4096),
  throttles: z
    .array(z.strictObject({ name: text, kind: z.enum(['flag', 'counter']), value: count, source: text }))
    .max(4096),
  load: count,
  processors: count,
});

const energy = z.union([
  z.strictObject({ scope: text.nullable(), source: text.nullable(), joules: z.null(), reason: text }),
  z.strictObject({
    scope: text,
    source: text,
    joules: number,
    netJoules: number.nullable(),
    uncertaintyJoules: number,
    windowMs: count,
    inferences: count,
  }),
]);

const node = z.strictObject({
  name: text,
  op: text,
  kernel: text,
  threads: count,
  ...{ meanUs: count, p50Us: count, p90Us: count, p99Us: count, leastUs: count },
  share: z.number().min(0).max(1),
  weightBytes: count,
  outputBytes: count,
});

/** A `PlanMeasurement` as a process, of this machine or of a board, tells it: checked, with texts that can be printed. */
export const measurementSchema = z.strictObject({
  instructionSets: text,
  threads: count,
  seed: count,
  latency: z.strictObject({ count, meanUs: count, p50Us: count, p90Us: count, p99Us: count, maxUs: count }),
  balance: z.strictObject({
    ...{ plainUs: count, profiledUs: count, nodesUs: count },
    besidesUs: number,
    profilingRatio: count,
  }),
  nodes: z.array(node).max(100_000),
  memory: z.strictObject({
    ...{ planBytes: count, packedBytes: count, cachedBytes: count, arenaBytes: count, stateBytes: count },
    scratchBytes: count,
    idleRssBytes: count.nullable(),
    peakRssBytes: count.nullable(),
  }),
  load: z.strictObject({ us: count, cache: z.enum(['off', 'read', 'written', 'failed']), reason: text.optional() }),
  energy,
  outputs: z.array(z.strictObject({ name: text, sha256: z.string().regex(/^[0-9a-f]{64}$/) })).max(1000),
  before: conditions,
  after: conditions,
  verdict: z.strictObject({ verdict: z.enum(['steady', 'disturbed']), reasons: texts, notes: texts }),
});
