import { METHODS as ALL_METHODS, type MethodRow } from '../../../lib/compress/recipe/methods';
import { recipeSchemaOf } from '../../../lib/compress/recipe/recipe-schema';
import { orderWarnings, requireQuantizeLast, stepsOf } from '../../../lib/compress/recipe/steps';
import { parseOptions } from '../../../lib/core/parse-options';
import { heal, interrupted, zeroLayers } from './toy-run';

const METHODS: readonly MethodRow[] = [
  { method: zeroLayers },
  { method: heal, recovers: true },
  { method: interrupted },
];
const SCHEMA = recipeSchemaOf(METHODS);
const parse = (given: unknown) => parseOptions(SCHEMA, given, 'r.yaml: ');
const warnings = (...names: string[]) =>
  orderWarnings(
    stepsOf(
      names.map((name) => ({ [name]: {} })),
      METHODS,
    ),
    METHODS,
  ).map(({ where }) => where);

test('a recipe gets its defaults', () => {
  expect(parse({ steps: [{ zero: {} }] })).toEqual({
    seed: 0,
    teachers: {},
    data: {},
    goals: { tries: 8 },
    ignore: { names: [], types: [] },
    target: {},
    steps: [{ zero: { share: 1, from: 0 } }],
  });
});

test.each<[given: object, code: string, place: string]>([
  [{ stpes: [] }, 'E_OPTION_UNKNOWN', 'r.yaml: stpes'],
  [{ goals: { maxdrop: 1 } }, 'E_OPTION_UNKNOWN', 'r.yaml: goals.maxdrop'],
  [{ data: { training: { path: 'a', form: 1 } } }, 'E_OPTION_UNKNOWN', 'r.yaml: data.training.form'],
  [{ data: { augment: { shift: -1 } } }, 'E_OPTION_VALUE', 'r.yaml: data.augment.shift'],
  [{ steps: [] }, 'E_OPTION_VALUE', 'r.yaml: steps'],
  [{ steps: [{ zreo: {} }] }, 'E_OPTION_UNKNOWN', 'r.yaml: steps[0].zreo'],
  [{ steps: [{ heal: {} }, { zero: { share: 'all' } }] }, 'E_OPTION_VALUE', 'r.yaml: steps[1].zero.share'],
  [{ steps: [{ zero: { shar: 1 } }] }, 'E_OPTION_UNKNOWN', 'r.yaml: steps[0].zero.shar'],
  [{ steps: [{ zero: {}, heal: {} }] }, 'E_OPTION_VALUE', 'r.yaml: steps[0]'],
  [{ steps: [{}] }, 'E_OPTION_VALUE', 'r.yaml: steps[0]'],
])('%j is refused with its place', (given, code, option) => {
  expect(() => parse(given)).toThrow(expect.objectContaining({ code, details: expect.objectContaining({ option }) }));
});

test('a misspelled method names the nearest', () => {
  expect(() => parse({ steps: [{ zreo: {} }] })).toThrow(
    expect.objectContaining({ details: expect.objectContaining({ nearest: 'r.yaml: steps[0].zero' }) }),
  );
});

test('nothing may stand behind quantize', () => {
  const steps = (...names: string[]) =>
    stepsOf(
      names.map((name) => ({ [name]: {} })),
      ALL_METHODS,
    );
  expect(() => requireQuantizeLast(steps('prune', 'quantize'), 'r: ')).not.toThrow();
  expect(() => requireQuantizeLast(steps('quantize', 'prune'), 'r: ')).toThrow(
    expect.objectContaining({ code: 'E_OPTION_VALUE', details: expect.objectContaining({ option: 'r: steps[1]' }) }),
  );
});

test('the order of steps is commented on when it is not the recommended one', () => {
  expect(warnings('zero', 'heal', 'slow')).toEqual([]);
  expect(warnings('heal', 'zero', 'heal', 'slow')).toEqual([]);
  expect(warnings('slow', 'zero')).toEqual(['steps[1].zero']);
  expect(warnings('zero', 'slow', 'heal')).toEqual(['steps[2].heal']);
});
