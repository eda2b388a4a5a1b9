import { HoneError } from '../../core/error';

type Method = 'GET' | 'POST';

/** One path with what answers there, by method; HEAD is answered as GET is. Segments in braces take any text. */
export interface Route<Handler> {
  readonly path: string;
  readonly methods: { readonly [M in Method]?: Handler };
}

export interface Found<Handler> {
  readonly handler: Handler;
  /** Texts of the segments in braces, decoded. */
  readonly segments: Readonly<Record<string, string>>;
  /** Methods that the path has, as the header Allow lists them. */
  readonly allow: string;
}

/** A route whose path is taken apart already, with the methods that it has. */
interface Entry<Handler> {
  readonly words: readonly string[];
  readonly methods: Route<Handler>['methods'];
  readonly allow: string;
}

/** Finds what answers a request. Paths are taken apart once, for requests that are refused must cost next to nothing. */
export class Router<Handler> {
  /** By how many words their paths have. */
  private readonly byLength = new Map<number, Entry<Handler>[]>();

  constructor(routes: readonly Route<Handler>[]) {
    for (const { path, methods } of routes) {
      const entry = { words: path.split('/'), methods, allow: allowed(methods) };
      const others = this.byLength.get(entry.words.length);
      if (others === undefined) this.byLength.set(entry.words.length, [entry]);
      else others.push(entry);
    }
  }

  /**
   * What answers a request. OPTIONS finds the path whatever its methods are.
   * @param target path and query as the request line has them
   * @throws E_REQUEST_ROUTE, E_REQUEST_METHOD
   */
  find(method: string, target: string): Found<Handler> {
    const path = target.split('?', 1)[0].replace(/\/$/, '');
    const given = path.split('/');
    for (const { words, methods, allow } of this.byLength.get(given.length) ?? []) {
      const segments = match(words, given);
      if (segments === undefined) continue;
      const wanted = method === 'HEAD' ? 'GET' : method === 'OPTIONS' ? (Object.keys(methods)[0] as Method) : method;
      const handler = Object.hasOwn(methods, wanted) ? methods[wanted as Method] : undefined;
      if (handler === undefined)
        throw new HoneError('E_REQUEST_METHOD', { method: method.slice(0, 20), path: shown(path), allow });
      return { handler, segments, allow };
    }
    throw new HoneError('E_REQUEST_ROUTE', { route: `${method} ${shown(path) || '/'}` });
  }
}

function allowed(methods: Route<unknown>['methods']): string {
  return [
    ...(methods.GET === undefined ? [] : ['GET', 'HEAD']),
    ...(methods.POST === undefined ? [] : ['POST']),
    'OPTIONS',
  ].join(', ');
}

/** Texts of the segments in braces; undefined: the path is another. Both have as many words. */
function match(wanted: readonly string[], given: readonly string[]): Record<string, string> | undefined {
  for (let index = 0; index < wanted.length; index++)
    if (!wanted[index].startsWith('{') && wanted[index] !== given[index]) return undefined;
  const segments: Record<string, string> = {};
  for (let index = 0; index < wanted.length; index++) {
    if (!wanted[index].startsWith('{')) continue;
    const text = decoded(given[index]);
    if (!text) return undefined;
    segments[wanted[index].slice(1, -1)] = text;
  }
  return segments;
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** A path short enough for a message, without what a terminal would take for a command. */
function shown(path: string): string {
  return path.slice(0, 200).replace(/[^\x20-\x7e]/g, '?');
}
