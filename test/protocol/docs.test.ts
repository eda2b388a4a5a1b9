import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DATATYPES } from '../../lib/core/datatype';
import { PARAMETERS } from '../../lib/protocol/parameters';

const PAGE = readFileSync(join(__dirname, '../../docs/inference-protocol.md'), 'utf8');

test.each(Object.entries(PARAMETERS).map(([place, rules]) => [place, Object.keys(rules)] as const))(
  'every parameter of a %s stands in the table of the page',
  (place, names) => {
    const rows = PAGE.split('\n').filter((line) => line.split('|')[1]?.includes(place));
    expect(names.filter((name) => !rows.some((row) => row.includes(`\`${name}\``)))).toEqual([]);
  },
);

test('the page names every datatype and error code', () => {
  for (const word of [...Object.keys(DATATYPES), 'E_REQUEST_UNKNOWN', 'E_REQUEST_UNSERVED', 'E_OUTPUT_NOT_FINITE'])
    expect(PAGE).toContain(`\`${word}\``);
});
