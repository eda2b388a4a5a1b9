import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LAYOUTS, type LayoutName, layoutOf } from '../../lib/plan/format';

const PAGE = readFileSync(join(__dirname, '../../docs/formats.md'), 'utf8');

/** Cells of the table rows whose first cell is `word`. */
function row(word: string): string[][] {
  const lines = PAGE.split('\n').filter((line) => line.startsWith(`| ${word} |`));
  return lines.map((line) => line.split('|').map((cell) => cell.trim()));
}

test('docs/formats.md gives the sizes of the records and the offsets of the header', () => {
  for (const name of ['variant', 'tensor', 'node', 'port', 'state', 'weights'] satisfies LayoutName[])
    expect([name, row(name)[0]?.[2]]).toEqual([name, String(layoutOf(name).bytes)]);
  const header = layoutOf('header');
  for (const name of ['magic', 'version', 'header_bytes', 'file_bytes', 'crc32', 'source_hash']) {
    const camel = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    const field = header.fields.find((item) => item.name === camel);
    expect([name, row(name)[0]?.[2]]).toEqual([name, String(field?.offset)]);
  }
  const first = Object.entries(LAYOUTS.header).find(([, type]) => type === 'section')![0];
  expect(row('sections')[0][2]).toBe(String(header.fields.find(({ name }) => name === first)?.offset));
});
