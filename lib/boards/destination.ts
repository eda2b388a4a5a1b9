import { HoneError } from '../core/error';
import { printable } from '../core/printable';

/** Where a board is: this machine, or what OpenSSH is told; `host` may be a name of the user's own ssh configuration. */
export type Destination =
  | { readonly kind: 'local' }
  | { readonly kind: 'ssh'; readonly host: string; readonly user?: string; readonly port?: number };

/** Names of hosts, of the ssh configuration, addresses of both versions with a zone. */
const HOST = /^[A-Za-z0-9_:][A-Za-z0-9._:%-]{0,254}$/;
/** Names of users, those of a domain (`DOMAIN\user`, `user@domain`) and of machines (`name$`) too. */
const USER = /^[A-Za-z0-9_][A-Za-z0-9._+@\\-]{0,99}\$?$/;

/**
 * The destination that a text means: `local`, `host`, `user@host`, `ssh://user@host:port`. Nothing that OpenSSH or a shell could
 * take for an option or a command gets through.
 * @throws E_BOARD_DESTINATION
 */
export function parseDestination(text: string): Destination {
  if (text === 'local') return { kind: 'local' };
  const refuse = (reason: string) => new HoneError('E_BOARD_DESTINATION', { found: printable(text, 80), reason });
  if (text === '') throw refuse('it is empty');
  if (text.startsWith('-')) throw refuse("it begins with '-', as options do");
  if (text.length > 400) throw refuse('it is longer than 400 characters');
  const isUrl = /^ssh:\/\//i.test(text);
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1];
  if (!isUrl && scheme !== undefined) throw refuse(`${scheme}:// is no link that is known`);
  const rest = isUrl ? text.slice('ssh://'.length).replace(/\/$/, '') : text;
  const at = rest.lastIndexOf('@');
  const user = at === -1 ? undefined : rest.slice(0, at);
  const place = rest.slice(at + 1);
  if (user?.includes(':')) throw refuse('a password has no place in it: ssh asks for one, or uses a key');
  if (user !== undefined && !USER.test(user)) throw refuse('what stands before the @ is no name of a user');
  const { host, port } = isUrl ? splitPort(place) : { host: place, port: undefined };
  const number = port === undefined ? undefined : Number(port);
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && number! >= 1 && number! <= 65535))
    throw refuse('the port is no number from 1 to 65535');
  if (!isUrl && /^[^:]*:\d*$/.test(host)) throw refuse(`a port is written as ssh://${printable(rest, 80)}`);
  if (!HOST.test(host)) throw refuse('it holds what no name or address of a host has');
  return {
    kind: 'ssh',
    host,
    ...(user === undefined ? {} : { user }),
    ...(number === undefined ? {} : { port: number }),
  };
}

/** Host and port of a URL; an address of version 6 stands in brackets. */
function splitPort(place: string): { readonly host: string; readonly port: string | undefined } {
  const parts = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(place);
  return { host: parts?.[1] ?? parts?.[2] ?? '', port: parts?.[3] };
}

/** The text that `parseDestination` reads as this destination. */
export function destinationText(destination: Destination): string {
  if (destination.kind === 'local') return 'local';
  const { host, user, port } = destination;
  const login = user === undefined ? host : `${user}@${host}`;
  if (port === undefined) return login;
  return `ssh://${user === undefined ? '' : `${user}@`}${host.includes(':') ? `[${host}]` : host}:${port}`;
}
