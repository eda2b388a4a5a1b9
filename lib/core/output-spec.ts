import { z } from 'zod';
import { HoneError } from './error';
import { parseOptions } from './parse-options';

/** The numbers that a spec names as a probability. */
const share = z.number().min(0).max(1);
const index = z.int().min(0);
const count = z.int().min(1);
const labels = z.array(z.string()).min(1).optional();
const output = z.string().min(1).optional();
const activation = z.enum(['none', 'softmax', 'sigmoid']).default('none');

const classes = z.strictObject({
  kind: z.literal('classes'),
  /** The first output when left out. */
  output,
  activation,
  /** Most classes to tell of. */
  top: count.default(5),
  labels,
});

/** What all layouts of boxes share. */
const anyBoxes = {
  kind: z.literal('boxes'),
  activation,
  /** Boxes of a lower score are none. */
  scoreThreshold: share.default(0.25),
  /** A box that overlaps a better one by more (intersection over union) is the same thing. */
  iouThreshold: share.default(0.45),
  /** Whether boxes of different classes may overlap. */
  perClass: z.boolean().default(true),
  most: count.default(100),
  labels,
};
/** Boxes in one output, scores of classes in another; one class may mean that there is nothing. */
const separate = {
  ...anyBoxes,
  boxes: z.string().min(1),
  scores: z.string().min(1),
  background: index.nullable().default(0),
};
const side = z.number().positive();
const anchors = z
  .array(
    z.strictObject({
      /** Pixels of the model input from one cell to the next. */
      stride: count,
      /** Anchors of every cell: width and height in pixels of the model input, or one number for squares. */
      sizes: z.array(z.union([side, z.tuple([side, side])])).min(1),
    }),
  )
  .min(1);

/** Layouts of boxes by their name. */
const BOXES = {
  yolov8: z.strictObject({ ...anyBoxes, layout: z.literal('yolov8'), output }),
  corners: z.strictObject({ ...separate, layout: z.literal('corners') }),
  ssd: z.strictObject({
    ...separate,
    layout: z.literal('ssd'),
    anchors,
    variances: z.tuple([side, side]).default([0.1, 0.2]),
  }),
};

const ctc = z.strictObject({
  kind: z.literal('ctc'),
  output,
  activation,
  /** Order of sample, time and class axis. */
  axes: z.enum(['NTC', 'TNC', 'NCT']).default('NTC'),
  /** Characters of the classes, without the blank, in order. */
  alphabet: z
    .union([z.string().min(1), z.array(z.string()).min(1)])
    .transform((found): readonly string[] => (typeof found === 'string' ? [...found] : found)),
  /** Class that stands for no character. */
  blank: index.default(0),
});

const threshold = z
  .strictObject({
    kind: z.literal('threshold'),
    output,
    activation,
    /** Which number of the output is the score. */
    index: index.default(0),
    /** The score from which on it turns on, and the one below which it turns off; `on` when left out. */
    on: share.default(0.5),
    off: share.optional(),
    /** Samples in a row that it takes. */
    minOn: count.default(1),
    minOff: count.default(1),
  })
  .refine(({ on, off = on }) => off <= on, { path: ['off'], error: 'at most on' })
  .transform(({ off, ...rest }) => ({ ...rest, off: off ?? rest.on }));

const KINDS = { classes, boxes: BOXES, ctc, threshold };

/** Scores of classes. */
export type ClassesSpec = Readonly<z.output<typeof classes>>;
/** Boxes around things in a picture; all layouts are explained in docs/outputs.md. */
export type BoxesSpec = {
  [Layout in keyof typeof BOXES]: Readonly<z.output<(typeof BOXES)[Layout]>>;
}[keyof typeof BOXES];
/** Where anchors stand, level by level. */
export type AnchorLevels = z.output<typeof anchors>;
/** Text from connectionist temporal classification. */
export type CtcSpec = Readonly<z.output<typeof ctc>>;
/** A score that turns something on and off, sample after sample. */
export type ThresholdSpec = Readonly<z.output<typeof threshold>>;
/** What the outputs of a model mean. Plain JSON; it travels with the model. */
export type OutputSpec = ClassesSpec | BoxesSpec | CtcSpec | ThresholdSpec;

/**
 * The checked spec of a JSON value, defaults filled in.
 * @throws E_OPTION_UNKNOWN for misspelled keys, E_OPTION_VALUE for bad values
 */
export function parseOutputSpec(json: unknown): OutputSpec {
  const kind = choose(KINDS, json, 'kind');
  const schema: z.ZodType<OutputSpec> = kind instanceof z.ZodType ? kind : choose(kind, json, 'layout');
  return parseOptions(schema, json, 'outputs.', 'run');
}

/** The row of a table that a word of the spec names. @throws E_OPTION_VALUE */
function choose<T>(table: Readonly<Record<string, T>>, json: unknown, key: string): T {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw bad('outputs', 'an object', JSON.stringify(json));
  const word = (json as Record<string, unknown>)[key];
  if (typeof word === 'string' && Object.hasOwn(table, word)) return table[word];
  throw bad(`outputs.${key}`, Object.keys(table).join(' or '), word === undefined ? 'nothing' : JSON.stringify(word));
}

function bad(option: string, expected: string, found: string): HoneError {
  return new HoneError('E_OPTION_VALUE', { option, expected, found });
}

/** Outputs that a spec reads, by the key that names them; where it names none, the first of these. */
export function outputsOf(spec: OutputSpec, outputs: Iterable<string>): ReadonlyMap<string, string> {
  const [first = 'the first output'] = outputs;
  if ('boxes' in spec)
    return new Map([
      ['boxes', spec.boxes],
      ['scores', spec.scores],
    ]);
  return new Map([['output', spec.output ?? first]]);
}
