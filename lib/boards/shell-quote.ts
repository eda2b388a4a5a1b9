/**
 * A word as every shell reads it that somebody may log in with: those of POSIX and fish. (fish takes a backslash in single quotes
 * for the begin of an escape, so backslashes stand in double quotes, where both agree.)
 */
export function shellQuote(text: string): string {
  return `'${text.replace(/['\\]/g, (character) => (character === "'" ? `'"'"'` : `'"\\\\"'`))}'`;
}
