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

/**
 * What answers a request. OPTIONS finds the path whatever its methods are.
 * @param target path and query as the request line has them
 * @throws E_REQUEST_ROUTE, E_REQUEST_METHOD
 */
export function findRoute<Handler>(routes: readonly Route<Handler>[], method: string, target: string): Found<Handler> {
  const path = target.split('?', 1)[0].replace(/\/$/, '');
  for (const route of routes) {
    const segments = match(route.path, path);
    if (segments === undefined) continue;
    const allow = allowed(route.methods);
    const wanted =
      method === 'HEAD' ? 'GET' : method === 'OPTIONS' ? (Object.keys(route.methods)[0] as Method) : method;
    const handler = Object.hasOwn(route.methods, wanted) ? route.methods[wanted as Method] : undefined;
    if (handler === undefined)
      throw new HoneError('E_REQUEST_METHOD', { method: method.slice(0, 20), path: shown(path), allow });
    return { handler, segments, allow };
  }
  throw new HoneError('E_REQUEST_ROUTE', { route: `${method} ${shown(path) || '/'}` });
}

function allowed(methods: Route<unknown>['methods']): string {
  return [
    ...(methods.GET === undefined ? [] : ['GET', 'HEAD']),
    ...(methods.POST === undefined ? [] : ['POST']),
    'OPTIONS',
  ].join(', ');
}

function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const segments: Record<string, string> = {};
  for (const [index, word] of wanted.entries()) {
    if (!word.startsWith('{')) {
      if (word !== given[index]) return undefined;
      continue;
    }
    const text = decoded(given[index]);
    if (!text) return undefined;
    segments[word.slice(1, -1)] = text;
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
