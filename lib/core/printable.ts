/** Control characters of both sets, what turns the direction of text, what cannot be seen, halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Text of a stranger (a board, a peer) as it may be shown on a terminal: one line, what is no visible character written as
 * `\x1b` or `\u{202e}`, and at most `limit` characters, the rest as `…`.
 */
export function printable(text: string, limit = 300): string {
  // Escapes lengthen the text, so that more of it than fits need not be looked at.
  const shown = text
    .slice(0, limit + 1)
    .trim()
    .replace(UNPRINTABLE, escaped);
  return shown.length > limit ? `${shown.slice(0, Math.max(0, limit - 1)).replace(/[\ud800-\udbff]$/, '')}…` : shown;
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}
