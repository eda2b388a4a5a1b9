import type { Destination } from './destination';
import type { Link } from './link';
import { localLink } from './links/local';
import { type SshOptions, sshLink } from './links/ssh';

/** The link to a destination. Nothing is connected before it is used. */
export function openLink(destination: Destination, options?: SshOptions): Link {
  return destination.kind === 'local' ? localLink() : sshLink(destination, options);
}
