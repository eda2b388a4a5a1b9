import { existsSync } from 'node:fs';
import { decibelsText } from '../../lib/compress/quantize/measure-quality';
import type { TrialContext, TrialOutcome } from '../trial';
import { shippedFolders, shippedNetworks } from './folders';
import { lackOfPeers } from './run-peers';
import { hasSamples } from './samples';
import { type TriedNetwork, tryNetwork } from './try-network';

/** SQNR that is enough whatever others reach, and how far above the best of them it must be elsewhere. */
const [ENOUGH_DB, AHEAD_DB] = [25, 1];

/** What quantization at its defaults leaves of networks that people ship, the largest first, beside other quantizers where they are at hand. */
export async function runQuantizedNetworks({ say, wants, keep }: TrialContext): Promise<TrialOutcome> {
  const folders = shippedFolders();
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
  for (const { name, path } of shippedNetworks(folders, hasSamples).filter((network) => wants(network.name))) {
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
  const folders = shippedFolders();
  return Object.values(folders).every((folder) => existsSync(folder))
    ? shippedNetworks(folders, hasSamples).map(({ name }) => name)
    : [];
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
