import { spawn } from 'node:child_process';

/**
 * Runs a command, and ends it with all that it has started when it takes longer than `minutes`: what hangs is a failure that says so.
 * Resolves to its exit code, or to the word of what ended it.
 */
export function runLimited([command, ...args], { minutes, ...options }) {
  // A group of its own, so that no process which the command has started is left behind.
  const child = spawn(command, args, { ...options, detached: true });
  const end = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // It has ended by itself.
    }
  };
  const forwarded = ['SIGINT', 'SIGTERM'].map((signal) => [
    signal,
    () => {
      end(signal);
      process.exit(1);
    },
  ]);
  for (const [signal, forward] of forwarded) process.on(signal, forward);
  return new Promise((resolve) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      console.error(`${[command, ...args].join(' ')}: not done after ${minutes} minutes, so it was ended`);
      end('SIGKILL');
    }, minutes * 60_000);
    const done = (outcome) => {
      clearTimeout(timer);
      for (const [signal, forward] of forwarded) process.off(signal, forward);
      resolve(late ? 'too late' : outcome);
    };
    child.on('error', ({ message }) => {
      console.error(`${command}: ${message}`);
      done(message);
    });
    child.on('close', (code, signal) => done(code ?? signal));
  });
}
