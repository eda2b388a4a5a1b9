import { spawn } from 'node:child_process';

/**
 * Starts a command in a process group of its own, so that nothing that it has started need outlive it; the group ends with this
 * process. `end` kills it; `ended` resolves to the exit code or the signal that ended the command, and rejects where it cannot be started.
 */
export function spawnGroup([command, ...args], options) {
  const child = spawn(command, args, { ...options, detached: true });
  const end = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  };
  const stop = () => {
    end();
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? signal));
  }).finally(() => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, stop);
  });
  return { child, end, ended };
}

/**
 * Runs a command, and ends it with all that it has started when it takes longer than `minutes`: what hangs is a failure that says so.
 * Resolves to its exit code, or to the word of what ended it.
 */
export async function runLimited(command, { minutes, ...options }) {
  const { end, ended } = spawnGroup(command, options);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    console.error(`${command.join(' ')}: not done after ${minutes} minutes, so it was ended`);
    end();
  }, minutes * 60_000);
  try {
    const outcome = await ended;
    return late ? 'too late' : outcome;
  } catch (error) {
    console.error(`${command[0]}: ${error.message}`);
    return error.message;
  } finally {
    clearTimeout(timer);
  }
}
