import type { ConformanceTest } from '../conformance-archive';

/** What the engine makes of one test. */
export interface Outcome {
  readonly passed: boolean;
  readonly reason?: string;
}

/** docs/conformance.md: how the engine does on the published tests, and what those lack that it does not run. */
export function conformancePage(tests: readonly ConformanceTest[], outcomes: ReadonlyMap<string, Outcome>): string {
  const byOperator = new Map<string, { passed: number; all: number; reasons: Set<string> }>();
  for (const { name, ops } of tests) {
    const outcome = outcomes.get(name)!;
    const key = ops.length === 1 ? ops[0] : 'several operators';
    const row = byOperator.get(key) ?? { passed: 0, all: 0, reasons: new Set<string>() };
    row.all++;
    if (outcome.passed) row.passed++;
    else row.reasons.add(outcome.reason!.replaceAll('|', '/').replace(`${key}: `, ''));
    byOperator.set(key, row);
  }
  const passed = tests.filter(({ name }) => outcomes.get(name)!.passed).length;
  const rows = [...byOperator].sort(([a], [b]) => (a < b ? -1 : 1));
  const whole = rows.filter(([, row]) => row.passed === row.all);
  const partly = rows.filter(([, row]) => row.passed < row.all);
  return [
    '# Conformance of the engine',
    '',
    'Written by `UPDATE=1 npx jest test/compile/conformance` from the backend tests of ONNX 1.21, where they are there. Shapes, axes, pads,',
    'splits, scales, zero points, weights and biases are constants, as in models; everything else is fed, and at least one node runs on',
    `the engine. **${passed} of ${tests.length} pass, none gives another result** but where the expectation itself is disputed.`,
    '',
    `All tests pass (their number): ${whole.map(([op, { all }]) => `${op} ${all}`).join(', ')}.`,
    '',
    '| operator | pass | of | what the others lack |',
    '| --- | --- | --- | --- |',
    ...partly.map(([op, row]) => `| ${op} | ${row.passed} | ${row.all} | ${[...row.reasons].sort().join('; ')} |`),
    '',
  ].join('\n');
}
