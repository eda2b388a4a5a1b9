import { loadAddon } from './addon';

/**
 * Ends this process (SIGALRM) unless it is called again within so many seconds, 1 to 3600; 0 takes it back. The system does it, so
 * that a process whose thread hangs is ended too.
 */
export function endIfSilent(seconds: number): void {
  loadAddon().endIfSilent(seconds);
}
