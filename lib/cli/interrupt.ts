import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A second Ctrl-C counts from here on: npm passes on the one that the terminal has sent already. Milliseconds. */
const REPEAT_MS = 500;

/**
 * Turns the signals that end a program into an abort, whose reason is the name of the signal. Work then stops at the next good
 * place; a second signal stops it at once.
 */
export function listenForSignals(controller: AbortController): void {
  let firstMs = Number.POSITIVE_INFINITY;
  for (const name of SIGNALS)
    process.on(name, () => {
      if (Date.now() - firstMs > REPEAT_MS) process.exit(128 + constants.signals[name]);
      firstMs = Math.min(firstMs, Date.now());
      controller.abort(name);
    });
}

/** Exit code of a program that a signal ended, as shells give it (130 after Ctrl-C); undefined when none did. */
export function signalExitCode({ reason }: AbortSignal): number | undefined {
  const name = SIGNALS.find((known) => known === reason);
  return name === undefined ? undefined : 128 + constants.signals[name];
}
