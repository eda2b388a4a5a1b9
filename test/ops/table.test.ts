import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ELEMENT_TYPES } from '../../lib/ir/element-type';
import { OPERATORS } from '../../lib/ops';
import type { Operator } from '../../lib/ops/operator';
import { operatorTable } from '../../lib/ops/table';

const FOLDER = join(__dirname, '../../lib/ops/operators');

/** Every operator that a file of lib/ops exports, with the file's stem. */
const exported = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.ts') && file !== 'index.ts')
  .flatMap((file) => {
    const values = Object.values(require(join(FOLDER, file)) as Record<string, unknown>);
    return values.filter(isOperator).map((operator) => [file.slice(0, -3), operator] as const);
  });

function isOperator(value: unknown): value is Operator {
  return typeof value === 'object' && value !== null && 'op' in value && 'schema' in value && 'infer' in value;
}

test('every operator file has a row, and every row a file', () => {
  console.log(`${exported.length} operator files`);
  const rows = new Set(OPERATORS);
  expect(exported.filter(([, operator]) => !rows.has(operator)).map(([file]) => file)).toEqual([]);
  expect(OPERATORS.length).toBe(exported.length);
  expect(OPERATORS.length).toBeGreaterThan(100);
});

test.each(exported)('%s.ts is named after its one operator', (file, { op }) => {
  expect(file).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
  expect(file.replaceAll('-', '')).toBe(op.toLowerCase());
  expect(exported.filter(([other]) => other === file)).toHaveLength(1);
});

test.each(exported)('%s.ts has a sane schema', (_, { since, schema }) => {
  expect(since).toBeGreaterThanOrEqual(1);
  // What the dialect has not yet keeps its own opset, up to the newest that is read.
  expect(since).toBeLessThanOrEqual(26);
  expect(schema.outputs.length).toBeGreaterThan(0);
  for (const parameters of [schema.inputs, schema.outputs]) {
    const names = parameters.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { types } of parameters) {
      expect(types.length).toBeGreaterThan(0);
      expect(types.filter((type) => !(type in ELEMENT_TYPES))).toEqual([]);
      expect(new Set(types).size).toBe(types.length);
    }
    // What may be left out stands behind what may not; only the last may repeat.
    const presences = parameters.map(({ presence }) => presence ?? 'required');
    expect(presences.slice(0, -1)).not.toContain('variadic');
    const firstOptional = presences.indexOf('optional');
    if (firstOptional >= 0) expect(presences.slice(firstOptional)).not.toContain('required');
  }
});

test('two rows for one operator are an error', () => {
  expect(() => operatorTable([OPERATORS[0], OPERATORS[0]])).toThrow(expect.objectContaining({ code: 'E_INTERNAL' }));
});
