import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { decibelsText } from '../../lib/compress/quantize/measure-quality';
import { DATA_FOLDER } from '../models';
import type { TrialContext, TrialOutcome } from '../trial';
import { lackOfPeers } from './run-peers';
import { type Folders, hasSamples } from './samples';
import { type TriedNetwork, tryNetwork } from './try-network';

/** SQNR that is enough whatever others reach, and how far above the best of them it must be elsewhere. */
const [ENOUGH_DB, AHEAD_DB] = [25, 1];

/** What quantization at its defaults leaves of networks that people ship, the largest first, beside other quantizers where they are at hand. */
export async function runQuantizedNetworks({ say, wants, keep }: TrialContext): Promise<TrialOutcome> {
  const folders = foldersOf();
  const rows: string[][] = [
    [
      'network',
      'layers',
      'in float',
      'SQNR dB',
      'best peer dB',
      'bar',
      'agreement',
      'int8 / float time',
      'compressed in',
    ],
  ];
  const absent = Object.values(folders).filter((folder) => !existsSync(folder));
  if (absent.length > 0)
    return { records: [], table: rows, skipped: absent.map((folder) => `${folder} is not there`), missed: [] };
  const python = process.env.HONE_PEER_PYTHON ?? 'python3';
  const lacking = await lackOfPeers(python);
  const missed: string[] = [];
  for (const { name, path } of shippedNetworks(folders).filter((network) => wants(network.name))) {
    say(`quantized-networks: ${name}`);
    try {
      const found = await tryNetwork(path, folders, lacking === undefined ? python : undefined);
      const { best, bar, met } = judge(found);
      await keep({ network: name, ...found, bar, met });
      if (!met) missed.push(`SQNR of ${name}`);
      rows.push(rowOf(name, found, best, met));
    } catch (error) {
      missed.push(`${name}: ${(error as Error).message}`);
    }
  }
  return { records: [], table: rows, skipped: lacking === undefined ? [] : [`peers: ${lacking}`], missed };
}

/** Names of the networks that `--only` may choose from. */
export function quantizedNetworkParts(): readonly string[] {
  const folders = foldersOf();
  return Object.values(folders).every((folder) => existsSync(folder))
    ? shippedNetworks(folders).map(({ name }) => name)
    : [];
}

function foldersOf(): Folders {
  const cache = (name: string) => join(homedir(), '.cache', name);
  return {
    zoo: resolve(process.env.HONE_ZOO ?? cache('hone-zoo')),
    pictures: resolve(process.env.HONE_PICTURES ?? cache('hone-pictures')),
    data: DATA_FOLDER,
  };
}

/** The worst output decides. */
function judge({ sqnrDb, peers }: TriedNetwork): {
  readonly best: number | undefined;
  readonly bar: number;
  readonly met: boolean;
} {
  const worst = (outputs: Readonly<Record<string, number | null>>) => Math.min(...Object.values(outputs).map(asRatio));
  const reached = peers.flatMap((peer) => (peer.sqnrDb ? [worst(peer.sqnrDb)] : []));
  const best = reached.length > 0 ? Math.max(...reached) : undefined;
  const bar = Math.min(ENOUGH_DB, (best ?? ENOUGH_DB) + AHEAD_DB);
  return { best, bar, met: worst(sqnrDb) >= bar };
}

function rowOf(name: string, found: TriedNetwork, best: number | undefined, met: boolean): string[] {
  const { layers, leftInFloat, sqnrDb, agreement, timeToFloat, seconds } = found;
  return [
    name,
    String(layers),
    String(leftInFloat),
    decibelsText(Math.min(...Object.values(sqnrDb).map(asRatio)), true),
    best === undefined ? '-' : decibelsText(best, true),
    met ? 'met' : 'missed',
    agreement === undefined ? '-' : `${(100 * agreement).toFixed(1)} %`,
    timeToFloat.toFixed(2),
    `${seconds.toFixed(0)} s`,
  ];
}

/** JSON has no infinity: null is the ratio without any noise. */
function asRatio(db: number | null): number {
  return db ?? Number.POSITIVE_INFINITY;
}

/** Networks that samples are known for, each content once, the largest first. */
function shippedNetworks({ zoo, data }: Folders): readonly { readonly name: string; readonly path: string }[] {
  const seen = new Set<string>();
  return [zoo, join(data, 'models')]
    .flatMap((folder) => readdirSync(folder).map((file) => ({ file, path: join(folder, file) })))
    .filter(({ file }) => file.endsWith('.onnx') && hasSamples(file))
    .sort((a, b) => statSync(b.path).size - statSync(a.path).size)
    .filter(({ path }) => {
      const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
      return !seen.has(hash) && seen.add(hash);
    })
    .map(({ file, path }) => ({ name: file.replace(/\.onnx$/, ''), path }));
}
