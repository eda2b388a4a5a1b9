import { z } from 'zod';
import { HoneError } from '../../lib/core/error';
import { parseOptions } from '../../lib/core/parse-options';

const SCHEMA = z.strictObject({
  sparsity: z.number().min(0).lt(1).default(0.5),
  kind: z.enum(['global', 'local']).default('global'),
  layers: z.record(z.string(), z.strictObject({ bits: z.int().min(2).optional() })).optional(),
  samples: z.union([z.string(), z.strictObject({ path: z.string(), from: z.number().optional() })]).optional(),
  steps: z.array(z.strictObject({ prune: z.strictObject({ rounds: z.int().default(1) }).optional() })).optional(),
});

test('defaults are filled in', () => {
  expect(parseOptions(SCHEMA, { samples: { path: 'a' } })).toEqual({
    sparsity: 0.5,
    kind: 'global',
    samples: { path: 'a' },
  });
});

describe('a mistake is named with its place and what was expected', () => {
  test.each<[given: unknown, code: string, option: string, expected: string]>([
    [{ sparsty: 1 }, 'E_OPTION_UNKNOWN', 'r.yaml: sparsty', 'r.yaml: sparsity'],
    [{ sparsity: 1 }, 'E_OPTION_VALUE', 'r.yaml: sparsity', 'below 1'],
    [{ kind: 'all' }, 'E_OPTION_VALUE', 'r.yaml: kind', 'one of "global"|"local"'],
    [{ samples: 3 }, 'E_OPTION_VALUE', 'r.yaml: samples', 'string or object'],
    [{ samples: { pth: 'a' } }, 'E_OPTION_UNKNOWN', 'r.yaml: samples.pth', 'r.yaml: samples.path'],
    [{ samples: { path: 'a', from: 'b' } }, 'E_OPTION_VALUE', 'r.yaml: samples.from', 'number'],
    [
      { steps: [{}, { prune: { round: 2 } }] },
      'E_OPTION_UNKNOWN',
      'r.yaml: steps[1].prune.round',
      'steps[1].prune.rounds',
    ],
    [{ steps: [{ prune: { rounds: 1.5 } }] }, 'E_OPTION_VALUE', 'r.yaml: steps[0].prune.rounds', 'int'],
    [{ layers: { conv: { bitz: 4 } } }, 'E_OPTION_UNKNOWN', 'r.yaml: layers.conv.bitz', 'r.yaml: layers.conv.bits'],
    [{ layers: { conv: { bits: 1 } } }, 'E_OPTION_VALUE', 'r.yaml: layers.conv.bits', 'at least 2'],
    [[], 'E_OPTION_VALUE', 'r.yaml', 'object'],
  ])('%j', (given, code, option, expected) => {
    let found: unknown;
    try {
      parseOptions(SCHEMA, given, 'r.yaml: ');
    } catch (error) {
      found = error;
    }
    expect(found).toBeInstanceOf(HoneError);
    const { details } = found as HoneError;
    expect(found).toMatchObject({ code, details: { option } });
    expect(String(details.expected ?? details.advice)).toContain(expected);
  });
});

test('a long wrong value is shown in part', () => {
  const text = 'x'.repeat(1000);
  expect(() => parseOptions(SCHEMA, { kind: text })).toThrow(/found '"x{20,100}\.\.\.'/);
});
