import { ERRORS } from '../../lib/core/error-table';
import { readSource, sourceFiles } from './sources';

/** native/capi/errors.def: the rows of the table of errors whose codes stand in what libhone.so is made of. */
export function capiErrorsSource(): string {
  const files = ['core', 'engine', 'capi'].flatMap((folder) => sourceFiles(`native/${folder}`, ['.cc', '.h']));
  const named = new Set(
    files.flatMap((path) => [...readSource(path).matchAll(/"(E_[A-Z_]+)"/g)].map(([, code]) => code)),
  );
  const rows = Object.entries(ERRORS).filter(([code]) => named.delete(code));
  if (named.size > 0) throw new Error(`not in lib/core/error-table.ts: ${[...named].join(', ')}`);
  return [
    '// Generated from lib/core/error-table.ts by `npm run docs`: HONE_ERROR(code, message, what to do).',
    ...rows.map(
      ([code, { template, hint }]) => `HONE_ERROR("${code}", ${JSON.stringify(template)}, ${JSON.stringify(hint)})`,
    ),
    '#undef HONE_ERROR',
    '',
  ].join('\n');
}
