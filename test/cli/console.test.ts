import { openConsole } from '../../lib/cli/console';

const { signal } = new AbortController();

/** What a console writes to standard error while a step of work is reported every second. */
function written(json: boolean, terminal: boolean, steps: number): string {
  let nowMs = 1e12;
  const now = jest.spyOn(Date, 'now').mockImplementation(() => nowMs);
  const before = process.stderr.isTTY;
  process.stderr.isTTY = terminal as true;
  let text = '';
  const write = jest.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  try {
    const console = openConsole(json, signal);
    for (let step = 1; step <= steps; step++) {
      nowMs += 1000;
      console.progress('work', step, 20);
    }
    return text;
  } finally {
    process.stderr.isTTY = before;
    write.mockRestore();
    now.mockRestore();
  }
}

test('without a terminal a line comes every few seconds, none for short work', () => {
  expect(written(false, false, 4)).toBe('');
  expect(written(false, false, 13)).toBe('work 5/20, 15 s left\nwork 10/20, 10 s left\n');
});

test('on a terminal one line is drawn again and again, and cleared in the end', () => {
  const text = written(false, true, 20);
  expect(text.split('\r\u001b[K').length).toBe(21);
  expect(text.endsWith('work 19/20, 1 s left\r\u001b[K')).toBe(true);
  expect(text).not.toContain('\n');
});

test('on a narrow terminal the line is cut, not wrapped', () => {
  const before = process.stderr.columns;
  process.stderr.columns = 12;
  expect(written(false, true, 1)).toBe('\r\u001b[Kwork 1/20');
  process.stderr.columns = before;
});

test('nothing with --json', () => {
  expect(written(true, false, 20) + written(true, true, 20)).toBe('');
});
