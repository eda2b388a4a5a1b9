import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RECURRENT_CELLS } from '../../lib/core/recurrent-cell';
import {
  LAYOUTS,
  type LayoutName,
  layoutOf,
  PLAN_ENCODINGS,
  PLAN_MAGIC,
  PLAN_MAX_POOL_AREA,
  PLAN_MAX_RANK,
  PLAN_MAX_WINDOW_REACH,
  PLAN_NONE,
  PLAN_PLACES,
  PLAN_TYPES,
  PLAN_VERSION,
  PLAN_ZERO_POINTS,
} from '../../lib/plan/format';

const HEADER = readFileSync(join(__dirname, '../../native/engine/plan_format.h'), 'utf8');

const TYPES = readFileSync(join(__dirname, '../../native/core/element_type.h'), 'utf8');

const ENCODINGS = readFileSync(join(__dirname, '../../native/core/weight_encoding.h'), 'utf8');

const LOADER = readFileSync(join(__dirname, '../../native/engine/plan.h'), 'utf8');

const RECURRENT = readFileSync(join(__dirname, '../../native/kernels/recurrent_f32/recurrent_f32.h'), 'utf8');

const SCALARS: Record<string, string> = {
  char: 'u8',
  uint8_t: 'u8',
  uint16_t: 'u16',
  uint32_t: 'u32',
  int32_t: 'i32',
  uint64_t: 'u64',
  int64_t: 'i64',
  float: 'f32',
  PlanType: 'u8',
  WeightEncoding: 'u8',
  PlanPlace: 'u8',
  PlanOp: 'u16',
};

function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Structs of the header in the notation of LAYOUTS. */
function parseStructs(): Record<string, Record<string, string>> {
  const structs: Record<string, Record<string, string>> = {};
  for (const [, name, body] of HEADER.replace(/\/\/.*$/gm, '').matchAll(/struct Plan(\w+) \{([^}]*)\};/g)) {
    const fields: Record<string, string> = {};
    for (const statement of body.split(';').filter((text) => text.trim())) {
      const [, type, names] = /^\s*(\w+)\s+([\s\S]+)$/.exec(statement)!;
      for (const item of names.split(',')) {
        const [, field, size] = /^\s*(\w+)(?:\[(\w+)\])?\s*$/.exec(item)!;
        const length = size === undefined ? '' : `*${size === 'kPlanMaxRank' ? PLAN_MAX_RANK : size}`;
        fields[camel(field)] = (SCALARS[type] ?? type.replace('Plan', '').toLowerCase()) + length;
      }
    }
    structs[name.toLowerCase()] = fields;
  }
  return structs;
}

function parseEnum(name: string, source = HEADER): string[] {
  const body = new RegExp(`enum class ${name} : \\w+ \\{([^}]*)\\}`).exec(source.replace(/\/\/.*$/gm, ''))![1];
  return [...body.matchAll(/k(\w+)\s*=\s*(\d+)/g)].map(([, word, value], i) => {
    expect(Number(value)).toBe(i);
    return word.replace(/(?<!^)([A-Z])/g, '_$1').toLowerCase();
  });
}

test('every record of the header is mirrored field by field', () => {
  const structs = parseStructs();
  expect(Object.keys(structs).length).toBeGreaterThan(10);
  expect(Object.keys(LAYOUTS).sort()).toEqual(Object.keys(structs).sort());
  for (const [name, fields] of Object.entries(structs))
    expect({ name, fields: Object.entries(LAYOUTS[name as LayoutName]) }).toEqual({
      name,
      fields: Object.entries(fields),
    });
});

test('sizes are those that the header asserts', () => {
  const asserts = [...HEADER.matchAll(/static_assert\(sizeof\(Plan(\w+)\) == (\d+)\)/g)];
  expect(asserts.length).toBeGreaterThan(10);
  for (const [, name, bytes] of asserts)
    expect([name, layoutOf(name.toLowerCase() as LayoutName).bytes]).toEqual([name, Number(bytes)]);
});

test('constants and enumerations agree', () => {
  const constant = (name: string) => Number(new RegExp(`${name} = (\\w+?)u?;`).exec(HEADER)![1]);
  expect(constant('kPlanVersion')).toBe(PLAN_VERSION);
  expect(constant('kPlanMaxRank')).toBe(PLAN_MAX_RANK);
  expect(constant('kPlanNone')).toBe(PLAN_NONE);
  const limit = (name: string) => 2 ** Number(new RegExp(`${name} = int64_t\\{1\\} << (\\d+);`).exec(LOADER)![1]);
  expect(limit('kPlanMaxWindowReach')).toBe(PLAN_MAX_WINDOW_REACH);
  expect(limit('kPlanMaxPoolArea')).toBe(PLAN_MAX_POOL_AREA);
  expect([...PLAN_MAGIC].every((letter) => HEADER.includes(`'${letter}'`))).toBe(true);
  expect(parseEnum('ElementType', TYPES)).toEqual([...PLAN_TYPES]);
  expect(parseEnum('PlanPlace')).toEqual(PLAN_PLACES);
  expect(parseEnum('WeightEncoding', ENCODINGS)).toEqual(PLAN_ENCODINGS);
  expect(constant('kPlanZeroPoints')).toBe(PLAN_ZERO_POINTS);
  expect(parseEnum('RecurrentCell', RECURRENT)).toEqual(RECURRENT_CELLS);
});
