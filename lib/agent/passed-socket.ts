/** Descriptor of the first thing that systemd hands to a process. */
export const PASSED_FD = 3;

/** Whether systemd has handed a listening socket to this process: the variables may be those of a process above it. (sd_listen_fds(3)) */
export function hasPassedSocket({ LISTEN_FDS, LISTEN_PID }: NodeJS.ProcessEnv, pid: number): boolean {
  return Number(LISTEN_FDS) >= 1 && LISTEN_PID === String(pid);
}
