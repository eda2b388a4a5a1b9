import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERRORS } from '../../lib/core/error-table';
import { capiErrorsSource } from './capi-errors';
import { cliPage } from './cli-page';
import {
  binaryOperationsSource,
  comparisonsSource,
  integerOperationsSource,
  reduceOperationsSource,
  unaryOperationsSource,
} from './element-operations';
import { everyKernelSource, sourcesPage } from './kernel-files';
import { kernelRowsSource } from './kernel-rows';
import { kernelTable } from './kernel-table';
import { operatorsPage } from './operators-page';
import { formatsPage, planOpsSource } from './plan-ops';
import { recipeKeysPage } from './recipe-keys';
import { recipeSchemaPage } from './recipe-schema';
import { sensorsPage } from './sensors-page';
import { ROOT, readSource } from './sources';
import { telemetryPage } from './telemetry-page';

/** Generated files: the test fails when one is stale; `npm run docs` writes them anew. */
const PAGES: Readonly<Record<string, () => string>> = {
  'docs/cli.md': cliPage,
  'docs/errors.md': errorsPage,
  'docs/formats.md': formatsPage,
  'docs/kernels.md': kernelTable,
  'docs/operators.md': operatorsPage,
  'docs/recipe-keys.md': recipeKeysPage,
  'docs/recipe.schema.json': recipeSchemaPage,
  'docs/sensors.md': sensorsPage,
  'docs/telemetry.md': telemetryPage,
  'lib/compress/structured/kernel-rows.ts': kernelRowsSource,
  'lib/core/binary-operation.ts': binaryOperationsSource,
  'lib/core/reduce-operation.ts': reduceOperationsSource,
  'lib/core/unary-operation.ts': unaryOperationsSource,
  'lib/core/integer-operation.ts': integerOperationsSource,
  'lib/core/comparison.ts': comparisonsSource,
  'lib/plan/plan-ops.ts': planOpsSource,
  'native/capi/errors.def': capiErrorsSource,
  'native/kernels/every_kernel.h': everyKernelSource,
  'native/sources.json': sourcesPage,
};

function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { template, hint }]) => `| \`${code}\` | ${cell(template)} | ${cell(hint)} |`,
  );
  return [
    '# Error codes',
    '',
    'Generated from `lib/core/error-table.ts` by `npm run docs`. The code is stable, the text is not.',
    '',
    '| code | message | what to do |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('\n', ' ').replaceAll('|', '\\|');
}

test.each(Object.keys(PAGES))('%s is up to date', (path) => {
  const expected = PAGES[path]();
  if (process.env.UPDATE === '1') writeFileSync(join(ROOT, path), expected);
  expect(existsSync(join(ROOT, path)) ? readSource(path) : '').toBe(expected);
});
