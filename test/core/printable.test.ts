import fc from 'fast-check';
import { printable } from '../../lib/core/printable';

test.each([
  ['plain text, Grüße 木', 'plain text, Grüße 木'],
  ['\u001b[2J\u0007', '\\x1b[2J\\x07'],
  ['a\nb\r\nc', 'a\\x0ab\\x0d\\x0ac'],
  ['  spaced\n', 'spaced'],
  ['\u009b1m', '\\x9b1m'],
  ['ab\u202Ecd\u200b', 'ab\\u{202e}cd\\u{200b}'],
  ['\ud800', '\\u{d800}'],
  ['😀', '😀'],
])('%j is shown as %s', (text, shown) => expect(printable(text)).toBe(shown));

test('long text is cut, and a pair of surrogates is not', () => {
  expect(printable('a'.repeat(10), 10)).toBe('a'.repeat(10));
  expect(printable('a'.repeat(11), 10)).toBe(`${'a'.repeat(9)}…`);
  expect(printable(`${'a'.repeat(8)}😀b`, 10)).toBe(`${'a'.repeat(8)}…`);
});

test('nothing that a terminal obeys comes through', () => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 60 }));
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 80 }), (found, limit) => {
      const shown = printable(found, limit);
      expect(shown.length).toBeLessThanOrEqual(limit);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    }),
    { numRuns: 1000 },
  );
});
