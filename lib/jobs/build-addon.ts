import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { HoneError } from '../core/error';
import { builtAddonPath, loadFrom } from '../engine/addon';
import { packageRoot } from '../engine/package-root';
import { writeFileAtomically } from './write-file';

/** native/sources.json: files by purpose, kernels and compiler flags by instruction set. */
interface Sources {
  readonly flags: Readonly<Record<string, readonly string[]>>;
  readonly instruction_sets: Readonly<Record<string, readonly string[]>>;
  readonly kernels: Readonly<Record<string, readonly string[]>>;
  readonly core: readonly string[];
  readonly engine: readonly string[];
  readonly binding: readonly string[];
}

export interface BuildOptions {
  /** Folder of the package; default: this one. */
  readonly root?: string;
  /** Command of the C++ compiler, words with spaces between; default: CXX, else the first of c++, g++ and clang++. */
  readonly compiler?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** The addon that was built. */
export interface BuiltAddon {
  readonly path: string;
  readonly compiler: string;
  /** C++ files compiled. */
  readonly files: number;
}

const run = promisify(execFile);

/**
 * Compiles the native engine of this package for this machine with a C++ compiler alone: sources, Node-API headers and flags
 * lie in the package and its dependencies. CXXFLAGS are added behind the flags. An addon that does not load is not installed.
 * @throws E_ADDON_BUILD, E_FILE_WRITE when the package's folder takes no files, E_INTERRUPTED
 */
export async function buildAddon(options: BuildOptions = {}): Promise<BuiltAddon> {
  const root = options.root ?? packageRoot();
  const { platform, arch } = process;
  if (platform === 'win32') throw buildError('the engine runs on Linux and macOS');
  const target = builtAddonPath(root, `${platform}-${arch}`);
  // Said before the minutes of work.
  await mkdir(dirname(target), { recursive: true }).catch((error: Error) => {
    throw new HoneError('E_FILE_WRITE', { path: target, reason: error.message }, { cause: error });
  });
  const [compiler, ...words] = findCompiler(options.compiler);
  const sources = await readSources(root);
  const flags = [...words, ...commonFlags(root, sources), ...splitWords(process.env.CXXFLAGS)];
  const work = await mkdtemp(join(tmpdir(), 'hone-addon-'));
  try {
    const units = unitsOf(sources, arch);
    const objects = units.map((_, index) => join(work, `${index}.o`));
    let done = 0;
    await forEach(units, async ({ file, flags: own }, index) => {
      await attempt(compiler, [...flags, ...own, '-c', join(root, file), '-o', objects[index]], options.signal);
      options.onProgress?.(++done, units.length);
    });
    const built = builtAddonPath(work, `${platform}-${arch}`);
    await mkdir(dirname(built), { recursive: true });
    const link = platform === 'darwin' ? ['-undefined', 'dynamic_lookup', '-bundle'] : ['-shared', '-pthread', '-s'];
    await attempt(compiler, [...words, ...link, ...objects, '-o', built], options.signal);
    loadFrom(work, platform, arch);
    await writeFileAtomically(target, await readFile(built));
    return { path: target, compiler: [compiler, ...words].join(' '), files: units.length };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function buildError(reason: string, cause?: unknown): HoneError {
  return new HoneError('E_ADDON_BUILD', { reason }, { cause });
}

function splitWords(text: string | undefined): string[] {
  return (text ?? '').split(' ').filter((word) => word !== '');
}

/** The words of the compiler's command. @throws E_ADDON_BUILD when there is none */
function findCompiler(given: string | undefined): string[] {
  const named = given ?? process.env.CXX;
  const candidates = named === undefined ? ['c++', 'g++', 'clang++'] : [named];
  const found = candidates
    .map(splitWords)
    .find(([command, ...words]) => command && spawnSync(command, [...words, '--version']).status === 0);
  if (found === undefined) throw buildError(`no C++ compiler: ${candidates.join(', ')} cannot be run`);
  return found;
}

async function readSources(root: string): Promise<Sources> {
  const text = await readFile(join(root, 'native/sources.json'), 'utf8').catch((error: Error) => {
    throw buildError(`the sources are not there: ${error.message}`, error);
  });
  return JSON.parse(text) as Sources;
}

/** Flags of every file, as in CMakeLists.txt. */
function commonFlags(root: string, { flags }: Sources): string[] {
  const headers = [headerFolder(root, 'node-api-headers', 'include'), headerFolder(root, 'node-addon-api', '.')];
  const floor = process.platform === 'linux' ? ['-include', join(root, 'native/engine/glibc_floor.h')] : [];
  return ['-std=c++20', '-O3', '-fPIC', '-pthread', ...flags.all, ...floor, '-I', root].concat(
    headers.flatMap((folder) => ['-isystem', folder]),
  );
}

function headerFolder(root: string, name: string, folder: string): string {
  try {
    return join(dirname(require.resolve(`${name}/package.json`, { paths: [root] })), folder);
  } catch (error) {
    throw buildError(`the package ${name} is not installed`, error);
  }
}

/** Every file to compile, with the flags that it alone gets. */
function unitsOf(sources: Sources, arch: string): { file: string; flags: readonly string[] }[] {
  const plain = [...sources.core, ...sources.kernels.baseline, ...sources.engine, ...sources.binding];
  const sets = sources.instruction_sets[arch] ?? [];
  return [
    ...plain.map((file) => ({ file, flags: [] })),
    ...sets.flatMap((set) => (sources.kernels[set] ?? []).map((file) => ({ file, flags: sources.flags[set] ?? [] }))),
  ];
}

/** Runs the compiler. @throws E_ADDON_BUILD with the beginning of what it said, E_INTERRUPTED */
async function attempt(compiler: string, args: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  try {
    await run(compiler, args, { maxBuffer: 1 << 28, ...(signal && { signal }) });
  } catch (error) {
    if (signal?.aborted) throw new HoneError('E_INTERRUPTED', { what: 'the build; nothing was installed' });
    const { stderr, message } = error as Error & { stderr?: string };
    const said = (stderr || message).split('\n').filter((line) => line !== '');
    throw buildError(`${compiler} failed:\n${said.slice(0, 20).join('\n')}`, error);
  }
}

/** Does `work` for all items, as many at a time as there are processors. After a failure no more begin; it throws the first. */
async function forEach<T>(items: readonly T[], work: (item: T, index: number) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const index = next++;
      await work(items[index], index).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  if (failures.length > 0) throw failures[0];
}
