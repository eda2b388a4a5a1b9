import { z } from 'zod';
import { ISAS, type Isa } from '../target';
import { METHODS, type MethodRow } from './methods';

const samples = z
  .union([
    z.string(),
    z.strictObject({
      path: z.string(),
      from: z.int().min(0).optional().describe('index of the first sample; 0 when left out'),
      to: z.int().min(1).optional().describe('index behind the last sample; the end of the data when left out'),
    }),
  ])
  .describe('.npz, .npy, idx(.gz) or a folder of images per class; or a range of its samples');

const extent = z.int().min(1);
const perChannel = z.union([z.number(), z.array(z.number())]);

const preprocess = z
  .strictObject({
    size: z.tuple([extent, extent]).describe('height and width of the model input, in pixels'),
    resize: z.enum(['stretch', 'crop', 'letterbox']).optional(),
    shorterSide: extent.optional().describe('with crop: length of the shorter side before the centre is cut out'),
    align: z.enum(['center', 'start']).optional().describe('with letterbox: where the picture lies'),
    pad: z.int().min(0).max(255).optional().describe('with letterbox: the byte around the picture; 114 when left out'),
    layout: z.enum(['NCHW', 'NHWC']).optional(),
    channels: z.enum(['RGB', 'BGR', 'gray']).optional(),
    scale: z.number().optional().describe('every byte is multiplied by this first'),
    mean: perChannel.optional(),
    std: perChannel.optional(),
  })
  .describe('how pictures become inputs');

const data = z
  .strictObject({
    training: samples.optional(),
    validation: samples.optional(),
    calibration: samples.optional(),
    test: samples.optional(),
    preprocess: preprocess.optional(),
    augment: z
      .strictObject({
        shift: z.int().min(0).default(0).describe('most pixels by which a training image is moved along each axis'),
        flip: z.boolean().default(false).describe('training images are mirrored left to right at random'),
      })
      .optional()
      .describe(
        'random changes of training images; none when left out, the recommended ones when `steps` is left out too',
      ),
  })
  .prefault({})
  .describe('samples by purpose; parts that are not given are taken out of those that are');

const goals = z
  .strictObject({
    maxDrop: z
      .number()
      .min(0)
      .max(100)
      .optional()
      .describe('most points of validation accuracy that all steps together may cost'),
    maxMacs: z.int().min(1).optional().describe('most multiply-accumulates per sample'),
    maxBytes: z.int().min(1).optional().describe('largest size of the ONNX file'),
    tries: z
      .int()
      .min(0)
      .default(8)
      .describe('most repeats of a step that broke maxDrop, with its worst layers left alone or less asked of it'),
  })
  .prefault({})
  .describe('what the result must keep to');

const ignore = z
  .strictObject({
    names: z.array(z.string()).default([]).describe('globs of node names'),
    types: z.array(z.string()).default([]).describe('ONNX operators'),
  })
  .prefault({})
  .describe('nodes that every step leaves as they are');

/** One step: an object with the method as its only key. */
function stepSchema(methods: readonly MethodRow[]) {
  const names = methods.map(({ method }) => method.name);
  const options = methods.map(
    ({ method }) => [method.name, method.options.optional().describe(method.summary)] as const,
  );
  return z
    .strictObject(Object.fromEntries(options), {
      error: ({ code }) =>
        code === 'invalid_type' ? 'expected a method with its options, such as { quantize: {} }' : undefined,
    })
    .refine((step) => Object.keys(step).length === 1, { error: `expected exactly one method of ${names.join(', ')}` })
    .meta({ minProperties: 1, maxProperties: 1 });
}

/** Schema of a recipe with the methods of a table. */
export function recipeSchemaOf(methods: readonly MethodRow[]) {
  return z
    .strictObject({
      $schema: z.string().optional().describe('address of this schema, for editors'),
      model: z.string().optional().describe('ONNX file to compress, unless the command names it'),
      teachers: z
        .record(z.string().min(1), z.string())
        .default({})
        .describe('float ONNX models by a name that `distill` may give; without one it learns from the model itself'),
      seed: z
        .int()
        .min(0)
        .max(2 ** 32 - 1)
        .default(0)
        .describe('decides every random choice'),
      data,
      goals,
      ignore,
      target: z
        .strictObject({
          isa: z
            .enum(Object.keys(ISAS) as [Isa, ...Isa[]])
            .optional()
            .describe(
              'instruction set of its CPU, a word of HONE_CPU: structured pruning counts what its kernels take; that of the times, else of this machine, when left out',
            ),
          times: z
            .string()
            .optional()
            .describe('file of measured layer times, as `hone bench <model> --times <file>` writes it on the target'),
        })
        .prefault({})
        .describe('what the result will run on'),
      steps: z
        .array(stepSchema(methods))
        .min(1, { error: 'expected at least one step; leave `steps` out for the recommended ones' })
        .optional()
        .describe('methods in the order of application; the recommended ones when left out'),
    })
    .describe('Hone recipe: how a network is compressed');
}

/** Schema of a recipe, as `docs/recipe.schema.json` publishes it. */
export const recipeSchema = recipeSchemaOf(METHODS);

/** A recipe with every default filled in. */
export type Recipe = z.output<typeof recipeSchema>;
/** A recipe as it is written: the content of the YAML or JSON file. */
export type RecipeInput = z.input<typeof recipeSchema>;
