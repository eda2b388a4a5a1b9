import { printable } from '../core/printable';

/** A type of core: the maker and the part number that ARM gave them, and how many cores are of it. */
export interface CoreType {
  readonly implementer: string;
  readonly part: string;
  readonly count: number;
}

/** What a board said of itself; null where it did not say. Texts are printable. */
export interface BoardFacts {
  readonly system: string;
  /** As `uname -m` has it. */
  readonly machine: string;
  /** Width of its programs, which may be less than the kernel's. */
  readonly bits: 32 | 64 | null;
  readonly kernel: string;
  readonly libc: { readonly kind: 'glibc' | 'musl' | 'unknown'; readonly version: string | null };
  /** Newest symbol version of its C++ library, such as 3.4.30 (GLIBCXX). */
  readonly glibcxx: string | null;
  /** Those of `LIBRARIES` that it has. */
  readonly libraries: readonly string[];
  readonly node: { readonly path: string; readonly version: string | null } | null;
  readonly pageBytes: number | null;
  readonly memoryBytes: number | null;
  readonly availableBytes: number | null;
  readonly swapBytes: number | null;
  /** Limit of the control group of the login. */
  readonly cgroupBytes: number | null;
  readonly cpu: {
    readonly cores: number | null;
    readonly types: readonly CoreType[];
    readonly features: readonly string[];
    readonly name: string | null;
  };
  /** What the maker calls the board. */
  readonly model: string | null;
  readonly folder: {
    readonly path: string;
    readonly freeBytes: number | null;
    readonly canWrite: boolean;
    readonly canExecute: boolean;
    /** Why its name or kind cannot be used. */
    readonly fault: string | null;
    readonly filesystem: string | null;
  };
  readonly root: { readonly filesystem: string | null; readonly readOnly: boolean };
  readonly selinux: 'enforcing' | 'permissive' | null;
  readonly init: string | null;
  readonly systemdUser: boolean;
  readonly linger: boolean;
  readonly cron: boolean;
  readonly container: boolean;
  /** Programs of `busybox` that the installation needs and that are not there. */
  readonly lacking: readonly string[];
  readonly governors: readonly string[];
  readonly frequenciesKhz: {
    readonly min: number | null;
    readonly max: number | null;
    readonly limit: number | null;
    readonly current: number | null;
  };
  readonly temperatures: readonly { readonly zone: string; readonly celsius: number }[];
  /** Bits of `vcgencmd get_throttled`. */
  readonly throttled: number | null;
  readonly nvpmodel: string | null;
  readonly portTaken: boolean;
  readonly user: { readonly name: string; readonly id: number | null; readonly groups: readonly string[] };
  /** Versions of Hone that are installed in the folder. */
  readonly installed: readonly string[];
  readonly unixSeconds: number | null;
}

const MOST_LINES = 400;
const LONGEST_LINE = 8192;
/** Keys that may stand several times. */
const SEVERAL = new Set(['lacking', 'installed', 'container', 'musl']);

/**
 * The facts in what `probeScript` printed; undefined when it is not that or not whole. The text is a stranger's: what is too long, not
 * a number where one belongs, or said twice does not count.
 */
export function parseFacts(text: string): BoardFacts | undefined {
  const said = readLines(text);
  if (!said.has('end')) return undefined;
  const word = (key: string, limit = 200): string | null => {
    const value = printable(said.get(key)?.[0] ?? '', limit);
    return value === '' ? null : value;
  };
  const words = (key: string, most = 256): string[] =>
    (said.get(key)?.[0] ?? '')
      .split(/\s+/)
      .filter((each) => each !== '')
      .slice(0, most)
      .map((each) => printable(each, 64));
  const number = (key: string, scale = 1): number | null => {
    const value = said.get(key)?.[0].trim() ?? '';
    return /^\d{1,15}$/.test(value) ? Number(value) * scale : null;
  };
  const filesystem = words('filesystem').length > 0 ? words('filesystem') : words('root');
  const elfClass = number('class');
  const nodePath = word('node', 300);
  return {
    system: word('system') ?? 'unknown',
    machine: word('machine') ?? 'unknown',
    bits: elfClass === 1 ? 32 : elfClass === 2 ? 64 : null,
    kernel: word('kernel') ?? 'unknown',
    libc: libcOf(word('libc'), said.has('musl')),
    glibcxx: versionOf(word('libstdcxx', 300), /libstdc\+\+\.so\.6\.0\.(\d{1,3})$/, '3.4.'),
    libraries: words('libraries', 40),
    node:
      nodePath === null ? null : { path: nodePath, version: versionOf(word('node_version'), /^v(\d+\.\d+\.\d+)/, '') },
    pageBytes: number('page', 1024),
    memoryBytes: number('memory', 1024),
    availableBytes: number('available', 1024),
    swapBytes: number('swap', 1024),
    cgroupBytes: number('cgroup_memory'),
    cpu: {
      cores: number('cores') || null,
      types: coreTypes(words('implementers'), words('parts')),
      features: words('features', 400),
      name: word('processor'),
    },
    model: word('model') ?? ([word('vendor'), word('product')].filter((part) => part !== null).join(' ') || null),
    folder: {
      path: word('folder', 400) ?? 'unknown',
      freeBytes: number('free', 1024),
      canWrite: word('write') === 'yes',
      canExecute: word('execute') === 'yes',
      fault: said.has('folder_name')
        ? 'its path has characters other than letters, digits and . _ + @ -'
        : said.has('folder_kind')
          ? 'it is a file'
          : null,
      filesystem: filesystem[0] ?? null,
    },
    root: {
      filesystem: words('root')[0] ?? null,
      readOnly: (words('root')[1] ?? '').split(',').includes('ro'),
    },
    selinux: word('selinux') === '1' ? 'enforcing' : word('selinux') === '0' ? 'permissive' : null,
    init: word('init'),
    systemdUser: ['running', 'degraded', 'starting'].includes(word('systemd_user') ?? ''),
    linger: word('linger') === 'yes',
    cron: word('cron') === 'yes',
    container: said.has('container'),
    lacking: (said.get('lacking') ?? []).map((each) => printable(each, 40)),
    governors: [...new Set(words('governors'))],
    frequenciesKhz: {
      min: number('cpuinfo_min_freq'),
      max: number('cpuinfo_max_freq'),
      limit: number('scaling_max_freq'),
      current: number('scaling_cur_freq'),
    },
    temperatures: words('thermal').flatMap(temperatureOf),
    throttled: hexadecimal(word('throttled')),
    nvpmodel: word('nvpmodel'),
    portTaken: word('port') === 'taken',
    user: { name: word('user', 100) ?? 'unknown', id: number('uid'), groups: words('groups') },
    installed: (said.get('installed') ?? []).map((each) => printable(each, 60)),
    unixSeconds: number('clock'),
  };
}

/** Lines `key=value`, the values of each key; of keys that stand once the first. */
function readLines(text: string): Map<string, string[]> {
  const said = new Map<string, string[]>();
  for (const line of text.split('\n', MOST_LINES)) {
    const parts = line.length <= LONGEST_LINE ? /^([a-z_]{1,32})=(.*)$/.exec(line) : null;
    if (parts === null) continue;
    const [, key, value] = parts;
    const before = said.get(key);
    if (before === undefined) said.set(key, [value]);
    else if (SEVERAL.has(key) && before.length < 32) before.push(value);
  }
  return said;
}

function libcOf(text: string | null, musl: boolean): BoardFacts['libc'] {
  const version = versionOf(text, /(?:^glibc |version |GLIBC )(\d{1,2}\.\d{1,3})/, '');
  if (version !== null) return { kind: 'glibc', version };
  return { kind: musl ? 'musl' : 'unknown', version: null };
}

function versionOf(text: string | null, pattern: RegExp, prefix: string): string | null {
  const found = pattern.exec(text ?? '')?.[1];
  return found === undefined ? null : `${prefix}${found}`;
}

function coreTypes(implementers: readonly string[], parts: readonly string[]): CoreType[] {
  const types = new Map<string, CoreType>();
  for (const [index, part] of parts.entries()) {
    const implementer = implementers[index] ?? implementers[0] ?? '0x00';
    if (!/^0x[0-9a-f]{1,3}$/.test(part) || !/^0x[0-9a-f]{1,2}$/.test(implementer)) continue;
    const key = `${implementer} ${part}`;
    types.set(key, { implementer, part, count: (types.get(key)?.count ?? 0) + 1 });
  }
  return [...types.values()];
}

function temperatureOf(text: string): { zone: string; celsius: number }[] {
  const parts = /^(.{1,40}):(-?\d{1,7})$/.exec(text);
  return parts === null ? [] : [{ zone: parts[1], celsius: Number(parts[2]) / 1000 }];
}

function hexadecimal(text: string | null): number | null {
  const found = /^throttled=0x([0-9a-f]{1,8})$/i.exec(text ?? '')?.[1];
  return found === undefined ? null : Number.parseInt(found, 16);
}
