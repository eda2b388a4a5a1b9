import { inspect } from 'node:util';
import type { HoneError } from '../core/error';
import { toJson } from '../core/json';
import { colors } from './colors';
import { withCommandName } from './command-name';
import { drained } from './output';

/** Where a verb prints, and how it learns of Ctrl-C. */
export interface Console {
  /** Whether `--json` was given: then only JSON goes to standard output. */
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** Prints a line for people; silent with `--json`. */
  say(line?: string): void;
  /** Prints the result as JSON; silent without `--json`. */
  result(value: unknown): void;
  /** Prints one of many results as one line of JSON; silent without `--json`. */
  resultLine(value: unknown): void;
  /** Prints one of many results as one line of JSON whatever was asked for, and waits for a reader that lags behind. */
  jsonLine(value: unknown): Promise<void>;
  /** A remark beside the result, on standard error. */
  note(line: string): void;
  /** Shows how far long work is, with the time left: in place on a terminal, else as a line now and then; silent with `--json`. */
  progress(what: string, done: number, total: number): void;
}

/** Least time between two drawings of the progress line on a terminal, and between two lines elsewhere, in milliseconds. */
const REDRAW_MS = 100;
const LINE_MS = 5000;

/** A console over standard output (results) and standard error (progress, remarks). */
export function openConsole(json: boolean, signal: AbortSignal): Console {
  const live = process.stderr.isTTY === true;
  let stage = { what: '', startMs: 0, startDone: 0 };
  // Work that is done in a few seconds needs no lines in a log.
  let drawnMs = live ? 0 : Date.now();
  let drawn = false;
  const clear = (): void => {
    if (drawn) process.stderr.write('\r\u001b[K');
    drawn = false;
  };
  return {
    json,
    signal,
    say(line = '') {
      clear();
      if (!json) process.stdout.write(`${withCommandName(line)}\n`);
    },
    result(value) {
      clear();
      if (json) process.stdout.write(`${toJson(value, 2)}\n`);
    },
    resultLine(value) {
      if (json) process.stdout.write(`${toJson(value)}\n`);
    },
    async jsonLine(value) {
      clear();
      if (!process.stdout.write(`${toJson(value)}\n`)) await drained(process.stdout, signal);
    },
    note(line) {
      clear();
      process.stderr.write(`${withCommandName(line)}\n`);
    },
    progress(what, done, total) {
      if (json) return;
      const now = Date.now();
      if (stage.what !== what) {
        stage = { what, startMs: now, startDone: done };
        if (live) drawnMs = 0;
      }
      if (done >= total) return clear();
      if (now - drawnMs < (live ? REDRAW_MS : LINE_MS)) return;
      drawnMs = now;
      // What was done when the stage was first heard of took an unknown time.
      const msEach = (now - stage.startMs) / (done - stage.startDone);
      const left = done > stage.startDone ? `, ${Math.ceil((msEach * (total - done)) / 1000)} s left` : '';
      const text = `${what} ${done}/${total}${left}`;
      // A line that wraps could not be drawn over.
      const room = Math.max(1, (process.stderr.columns ?? 80) - 1);
      process.stderr.write(live ? `\r\u001b[K${text.slice(0, room)}` : `${text}\n`);
      drawn = live;
    },
  };
}

/**
 * Prints an error: for machines on standard output, for people on standard error; with HONE_DEBUG=1 also where it was
 * thrown and what caused it.
 */
export function printError(error: HoneError, json: boolean): void {
  const { code, message } = error;
  if (process.env.HONE_DEBUG === '1') process.stderr.write(`${inspect(error)}\n`);
  // Details that are empty leave two spaces behind.
  const hint = withCommandName(error.hint.replace(/ {2,}/g, ' ').trim());
  if (json) {
    process.stdout.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
    return;
  }
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  const [first, ...more] = message.split('\n');
  const lines = [
    `${colors.red('error')} ${first} ${colors.dim(`[${code}]`)}`,
    ...more.map((line) => `  ${line}`),
    hint,
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
}
