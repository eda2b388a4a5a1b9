import { destinationText } from '../boards/destination';
import { removeFrom } from '../boards/install';
import { addBoard, type Board, namedBoard, resolveBoard } from '../boards/inventory';
import { openLink } from '../boards/open-link';
import type { BoardProbe } from '../boards/probe';
import { probeBoard, probeReport } from '../boards/probe';
import { coresText, profileOf, readTargets } from '../boards/targets';
import { HoneError } from '../core/error';
import { readInventory, writeInventory } from '../jobs/board-inventory';
import { requireWritable, writeFileAtomically } from '../jobs/write-file';
import type { Console } from './console';
import { text } from './flags';
import { bytesText, pairs, table } from './text';
import type { OptionValues, Verb } from './verb';

const ACTIONS = { add, list, probe, remove } as const;

export const boardVerb: Verb = {
  args: [
    { name: '<action>', description: 'add NAME DESTINATION, list, probe [BOARD], or remove BOARD' },
    { name: '[board]', description: 'a name of the list, local, host, user@host or ssh://user@host:port' },
    { name: '[destination]', description: 'where the board is that gets the name' },
  ],
  options: [
    { flags: '--folder <path>', description: 'folder of the installation on the board; ~/.hone' },
    { flags: '--report <path>', description: 'file for a report of the probe, without names, users and addresses' },
    { flags: '--forget', description: 'remove only forgets the name: what is installed stays' },
  ],
  examples: [
    'hone board add pi5 pi@raspberrypi.local',
    'hone board list',
    'hone board probe pi5 --report pi5.json',
    'hone board remove pi5',
  ],
  async run([action, board, destination], options, console) {
    if (!Object.hasOwn(ACTIONS, action))
      throw new HoneError('E_USAGE', {
        reason: `expected ${Object.keys(ACTIONS).join(', ')}, found '${action}'`,
        verb: 'board',
      });
    await ACTIONS[action as keyof typeof ACTIONS]({ board, destination, options, console });
    return undefined;
  },
};

interface Asked {
  readonly board: string | undefined;
  readonly destination: string | undefined;
  readonly options: OptionValues;
  readonly console: Console;
}

async function add({ board, destination, options, console }: Asked): Promise<void> {
  if (board === undefined || destination === undefined) throw missing('add NAME DESTINATION');
  const inventory = addBoard(await readInventory(), board, destination, text(options, 'folder'));
  await writeInventory(inventory);
  console.result(shown(namedBoard(inventory, board)));
  console.say(`added ${board}; see what it is with \`hone board probe ${board}\``);
}

async function list({ console }: Asked): Promise<void> {
  const boards = (await readInventory()).map(shown);
  console.result(boards);
  if (boards.length === 0) console.say('no boards yet: `hone board add NAME DESTINATION`');
  else
    for (const line of table([['name', 'destination', 'folder'], ...boards.map((each) => Object.values(each))]))
      console.say(line);
}

async function probe({ board: name = 'local', options, console }: Asked): Promise<void> {
  const report = text(options, 'report');
  if (report !== undefined) await requireWritable(report);
  const board = await boardOf(name, options);
  const link = openLink(board.destination);
  try {
    const found = await probeBoard(link, { ...(board.folder ? { folder: board.folder } : {}), signal: console.signal });
    console.result({
      facts: found.facts,
      findings: found.findings.map(({ fatal, error: { code, message, hint } }) => ({ fatal, code, message, hint })),
    });
    for (const line of probeLines(found)) console.say(line);
    if (report !== undefined) {
      await writeFileAtomically(report, `${JSON.stringify(probeReport(found), null, 2)}\n`);
      console.note(`wrote ${report}: facts and codes, without names, users and addresses`);
    }
  } finally {
    await link.close();
  }
}

async function remove({ board: name, options, console }: Asked): Promise<void> {
  if (name === undefined) throw missing('remove BOARD');
  const inventory = await readInventory();
  const named = inventory.some((each) => each.name === name);
  if (options.forget === true) namedBoard(inventory, name);
  else {
    const board = await boardOf(name, options);
    const link = openLink(board.destination);
    const { removed, left } = await removeFrom(link, {
      ...(board.folder ? { folder: board.folder } : {}),
      signal: console.signal,
    }).finally(() => link.close());
    console.result({ removed, left, forgotten: named });
    console.say(removed ? `removed Hone from ${name}` : `nothing of Hone was on ${name}`);
    if (left.length > 0) console.note(`not Hone's, and left there: ${left.join(', ')}`);
  }
  if (named) await writeInventory(inventory.filter((each) => each.name !== name));
  if (options.forget === true) {
    console.result({ removed: false, left: [], forgotten: true });
    console.say(`forgot ${name}; what is installed there stays`);
  }
}

/** The board that is meant, with the folder that the options name. */
async function boardOf(name: string, options: OptionValues): Promise<Board> {
  const board = resolveBoard(await readInventory(), name);
  const folder = text(options, 'folder');
  return folder === undefined ? board : { ...board, folder };
}

function shown({ name, destination, folder }: Board): { name: string; destination: string; folder: string } {
  return { name, destination: destinationText(destination), folder: folder ?? '~/.hone' };
}

function missing(usage: string): HoneError {
  return new HoneError('E_USAGE', { reason: `expected hone board ${usage}`, verb: 'board' });
}

/** What a probe found, for people. */
function probeLines({ facts, findings }: BoardProbe): string[] {
  const { libc, node, folder } = facts;
  const targets = readTargets();
  const target = profileOf(facts, targets);
  const bytes = (value: number | null) => (value === null ? 'unknown' : bytesText(value));
  const rows: [string, string][] = [
    ['board', `${facts.model ?? 'unknown'}${target === undefined ? '' : ` (profile: ${target.name})`}`],
    ['system', `${facts.system} ${facts.kernel}, ${facts.machine}, ${facts.bits ?? 'unknown'}-bit programs`],
    ['library', `${libc.kind} ${libc.version ?? ''}, GLIBCXX ${facts.glibcxx ?? 'unknown'}`],
    ['processor', coresText(facts, targets)],
    ['memory', `${bytes(facts.memoryBytes)}, swap ${bytes(facts.swapBytes)}, pages of ${bytes(facts.pageBytes)}`],
    [
      'node',
      node === null ? 'none: one comes along with `hone deploy`' : `${node.version ?? 'unknown'} (${node.path})`,
    ],
    ['folder', `${folder.path}, ${bytes(folder.freeBytes)} free (${folder.filesystem ?? 'unknown'})`],
    ['installed', facts.installed.join(', ') || 'nothing'],
  ];
  const lines = findings.map(
    ({ fatal, error }) => `${fatal ? 'refused' : 'note'}  ${error.message} [${error.code}]\n         ${error.hint}`,
  );
  return [...pairs(rows), '', ...(lines.length === 0 ? ['ready: nothing stands in the way'] : lines)];
}
