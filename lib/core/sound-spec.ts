import { z } from 'zod';
import { parseOptions } from './parse-options';

const schema = z.strictObject({
  /** Samples per second that the model was trained at. */
  rate: z.int().min(1).max(1_000_000),
  /** What a sample of 16 bits is multiplied by, in float32: 1/32768 makes -1 to 1 of it, 1 leaves it as it is. */
  scale: z
    .number()
    .refine((value) => value !== 0, { error: 'a number other than 0' })
    .default(2 ** -15),
  /** Samples from one window to the next; as many as the model takes at once when left out. */
  hop: z.int().min(1).optional(),
});

/** From sound to a model input. Plain JSON; it travels with the model. */
export type SoundSpec = Readonly<z.output<typeof schema>>;

/**
 * The checked spec of a JSON value, defaults filled in.
 * @throws E_OPTION_UNKNOWN for misspelled keys, E_OPTION_VALUE for bad values
 */
export function parseSoundSpec(json: unknown): SoundSpec {
  return parseOptions(schema, json, 'sound.', 'stream');
}
