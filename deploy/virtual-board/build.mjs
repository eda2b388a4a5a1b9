// Builds the image of the virtual board, or takes it from the cache; the last line of its output is the folder of the image.
//   node deploy/virtual-board/build.mjs [--rebuild]
// Needs the packages of packages.txt and the apt sources of a Debian machine, or HONE_BOARD_SOURCES (a deb822 or .list file); no
// privileges. The cache is HONE_BOARD_CACHE, else ${XDG_CACHE_HOME:-~/.cache}/hone-board; `--rebuild` asks for newer packages.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const recipe = dirname(fileURLToPath(import.meta.url));
const cache = resolve(
  process.env.HONE_BOARD_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hone-board'),
);
/** What stays of an image once it is built; the file that says so is written last. */
const KEPT = ['vmlinuz', 'initrd.zst', 'board.ext4', 'identity', 'identity.pub', 'hostkey.pub', 'image.json'];
/** How many images stay in the cache: those used last. */
const IMAGES = 2;
const start = performance.now();

class BuildError extends Error {}

const say = (text) => console.error(`board: ${text}`);
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const listed = (file) => readFileSync(join(recipe, file), 'utf8').split('\n').filter(Boolean);

function recipeHash() {
  const hash = createHash('sha256');
  const files = readdirSync(recipe, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'README.md')
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  for (const file of files.sort())
    hash
      .update(`${file.slice(recipe.length)}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex').slice(0, 12);
}

/** The folders of finished images, last used first. */
function images() {
  return readdirSync(cache)
    .filter((name) => existsSync(join(cache, name, 'image.json')))
    .map((name) => ({ name, folder: join(cache, name), used: statSync(join(cache, name, 'image.json')).mtimeMs }))
    .sort((a, b) => b.used - a.used);
}

function cachedImage(hash) {
  const found = images().find(({ name }) => name.startsWith(`${hash}-`));
  if (found !== undefined) utimesSync(join(found.folder, 'image.json'), new Date(), new Date());
  return found?.folder;
}

function requirePackages() {
  const wanted = listed('packages.txt');
  const { stdout, error } = spawnSync('dpkg-query', ['-W', '-f', `\${db:Status-Status} \${Package}\\n`, ...wanted], {
    encoding: 'utf8',
  });
  if (error !== undefined)
    throw new BuildError('dpkg-query is missing: the board is built on Debian, out of its packages');
  const present = new Set(stdout.split('\n').flatMap((line) => line.match(/^installed (\S+)/)?.[1] ?? []));
  const missing = wanted.filter((name) => !present.has(name));
  if (missing.length > 0)
    throw new BuildError(
      `missing Debian packages; install them: apt-get install --no-install-recommends ${missing.join(' ')}`,
    );
}

/** Runs one step; resolves to what it printed. What went wrong is shown whole. */
function step(what, command, args, options = {}) {
  const since = performance.now();
  if (what !== '') say(`${what} ...`);
  return new Promise((done, fail) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    let errors = '';
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (errors += text));
    child.on('error', (error) => fail(new BuildError(`${what || command}: ${error.message}`)));
    child.on('close', (code) => {
      if (code !== 0) return fail(new BuildError(`${what || command} failed (exit code ${code}):\n${output}${errors}`));
      if (what !== '') say(`${what}: ${seconds(since)}`);
      done(output);
    });
  });
}

/** An apt of our own for arm64 and this machine's architecture: the machine's sources and keys, nothing of its state. */
function privateApt(work) {
  const native = spawnSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).stdout.trim();
  const apt = join(work, 'apt');
  for (const folder of [
    'etc/apt.conf.d',
    'etc/preferences.d',
    'lists',
    'state/lists/partial',
    'cache/archives/partial',
  ])
    mkdirSync(join(apt, folder), { recursive: true });
  writeFileSync(join(apt, 'status'), '');
  const own = process.env.HONE_BOARD_SOURCES;
  if (own !== undefined)
    cpSync(own, join(apt, 'lists', /^Types:/m.test(readFileSync(own, 'utf8')) ? 'board.sources' : 'board.list'));
  const config = join(apt, 'apt.conf');
  const lines = {
    Dir: `"${apt}"`,
    'Dir::Etc': '"etc"',
    'Dir::Etc::SourceList': own === undefined ? '"/etc/apt/sources.list"' : '"/dev/null"',
    'Dir::Etc::SourceParts': own === undefined ? '"/etc/apt/sources.list.d"' : `"${join(apt, 'lists')}"`,
    'Dir::Etc::Trusted': '"/etc/apt/trusted.gpg"',
    'Dir::Etc::TrustedParts': '"/etc/apt/trusted.gpg.d"',
    'Dir::State': '"state"',
    'Dir::State::status': `"${join(apt, 'status')}"`,
    'Dir::Cache': '"cache"',
    'APT::Architecture': '"arm64"',
    'APT::Architectures': `{"arm64"; "${native}";}`,
    'APT::Install-Recommends': '"false"',
    'APT::Sandbox::User': `"${process.getuid() === 0 ? 'root' : ''}"`,
    'Acquire::Languages': '"none"',
    'Acquire::Retries': '"3"',
  };
  writeFileSync(
    config,
    Object.entries(lines)
      .map(([name, value]) => `${name} ${value};\n`)
      .join(''),
  );
  return { native, env: { ...process.env, LC_ALL: 'C.UTF-8', APT_CONFIG: config } };
}

/** The packages of the newest kernel for arm64: the kernel itself, and what its drivers are built with. */
async function kernelPackages({ native, env }) {
  const show = async (name) =>
    await step('', 'apt-cache', ['show', '--no-all-versions', name], { env }).catch(() => '');
  const kernel = (await show('linux-image-arm64')).match(/^Depends: (linux-image-(\d+\.\d+)[^ ]*-arm64)\b/m);
  if (kernel === null)
    throw new BuildError(
      'the apt sources of this machine offer no linux-image-arm64: they must be those of Debian 12 or newer, or HONE_BOARD_SOURCES must name a file with such sources',
    );
  const [, name, series] = kernel;
  const version = (await show(name)).match(/^Version: (.+)$/m)[1];
  const abi = name.slice('linux-image-'.length);
  const common = `linux-headers-${abi.replace(/-arm64$/, '-common')}`;
  const others = [`linux-headers-${abi}`, common, `linux-kbuild-${series}:${native}`, `linux-source-${series}`];
  return { abi, version, packages: [name, ...others].map((each) => `${each}=${version}`) };
}

async function build(hash) {
  requirePackages();
  const work = mkdtempSync(join(cache, 'building-'));
  try {
    const apt = privateApt(work);
    await step('lists of packages', 'apt-get', ['-qq', 'update'], apt);
    const kernel = await kernelPackages(apt);
    const name = `${hash}-${kernel.abi}`;
    const folder = join(cache, name);
    if (
      existsSync(join(folder, 'image.json')) &&
      JSON.parse(readFileSync(join(folder, 'image.json'), 'utf8')).version === kernel.version
    )
      return folder;
    const debs = join(work, 'debs');
    mkdirSync(join(debs, 'partial'), { recursive: true });
    await step(
      'packages of the board',
      'apt-get',
      [
        '-qq',
        '-y',
        '--download-only',
        '-o',
        `Dir::Cache::archives=${debs}/`,
        'install',
        ...listed('board-packages.txt'),
      ],
      apt,
    );
    await step('kernel, its headers and its source', 'apt-get', ['-qq', 'download', ...kernel.packages], {
      ...apt,
      cwd: debs,
    });
    for (const key of ['identity', 'hostkey'])
      await step('', 'ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'virtual board', '-f', join(work, key)]);
    const scripts = (script) => [join(recipe, script), debs, recipe, work];
    await step('kernel and sensor drivers', 'sh', scripts('kernel.sh'), apt);
    await step('root file system', 'fakeroot', ['sh', ...scripts('tree.sh')], apt);
    writeFileSync(
      join(work, 'image.json'),
      JSON.stringify({ recipe: hash, kernel: kernel.abi, version: kernel.version }),
    );
    const finished = join(work, 'image');
    mkdirSync(finished);
    for (const file of KEPT) renameSync(join(work, file), join(finished, file));
    rmSync(folder, { recursive: true, force: true });
    renameSync(finished, folder);
    say(`image built in ${seconds(start)}: ${folder}`);
    return folder;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Removes what builds that were ended left, and all images but those used last and those that a running board stands on. */
function prune(current) {
  for (const name of readdirSync(cache))
    if (name.startsWith('building-')) rmSync(join(cache, name), { recursive: true, force: true });
  const runs = join(cache, 'runs');
  const inUse = existsSync(runs)
    ? readdirSync(runs).flatMap((name) => {
        try {
          return [readlinkSync(join(runs, name, 'image'))];
        } catch {
          return [];
        }
      })
    : [];
  for (const { folder } of images().slice(IMAGES))
    if (folder !== current && !inUse.includes(folder)) rmSync(folder, { recursive: true, force: true });
}

async function main() {
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  const hash = recipeHash();
  const rebuild = process.argv.includes('--rebuild');
  const found = rebuild ? undefined : cachedImage(hash);
  if (found !== undefined) return found;
  if (!process.argv.includes('--locked')) {
    // One builder at a time: flock ends with its holder, however that ends.
    const args = ['--exclusive', join(cache, 'lock'), process.execPath, ...process.argv.slice(1), '--locked'];
    const { status, stdout, error } = spawnSync('flock', args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
    });
    if (error !== undefined) throw new BuildError(`flock (Debian: util-linux): ${error.message}`);
    if (status !== 0) process.exit(status ?? 1);
    return stdout.trim().split('\n').at(-1);
  }
  const folder = await build(hash);
  prune(folder);
  return folder;
}

try {
  console.log(await main());
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  say(error.message);
  process.exit(1);
}
