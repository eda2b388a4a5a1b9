import pc from 'picocolors';
import type { EngineGroup, EngineView } from '../jobs/engine-shares';
import { bytesText, countText, namesText, percentText, table } from './text';

/** Most groups of nodes that are listed without `--verbose`. */
const MOST_GROUPS = 12;

const WHERE = { int8: 'int8', float: 'float', none: 'not at all' } as const;

/**
 * How the native engine runs a network, as a table of shares and, where something is missing, one line per operator and reason;
 * with `verbose` the names of all nodes.
 */
export function engineLines({ shares, groups }: Omit<EngineView, 'missing'>, verbose: boolean): string[] {
  const total = (key: 'macs' | 'weightBytes') => shares.reduce((sum, share) => sum + (share[key] ?? 0), 0);
  const [allMacs, allBytes] = [total('macs'), total('weightBytes')];
  const share = (part: number, all: number) => (all === 0 ? '-' : percentText(part / all, 1));
  const rows = shares.map(({ place, macs, weightBytes }) => [
    WHERE[place],
    macs === null ? 'unknown' : share(macs, allMacs),
    macs === null ? '' : countText(macs),
    share(weightBytes, allBytes),
    bytesText(weightBytes),
  ]);
  const missing = groups.filter(({ place }) => place === 'none');
  const float = groups.filter(({ place }) => place === 'float');
  return [
    ...table([['the engine runs', 'MAC', '', 'weights', ''], ...rows]),
    ...(missing.length === 0
      ? [pc.green('runs wholly on the native engine')]
      : [
          pc.yellow(
            `${countOf(missing)} do not run on it; \`hone run\` and \`hone eval\` take --executor onnxruntime:`,
          ),
        ]),
    ...groupLines(missing, verbose),
    ...(float.length === 0 ? [] : [`${countOf(float)} of the quantized network run in float:`]),
    ...groupLines(float, verbose),
  ];
}

function countOf(groups: readonly EngineGroup[]): string {
  const count = groups.reduce((sum, { nodes }) => sum + nodes.length, 0);
  return `${count} node${count === 1 ? '' : 's'}`;
}

function groupLines(groups: readonly EngineGroup[], verbose: boolean): string[] {
  const shown = verbose ? groups : groups.slice(0, MOST_GROUPS);
  const left = groups.slice(shown.length);
  return [
    ...shown.map(({ op, reason, nodes }) => `  ${nodes.length} x ${op}: ${reason} (${namesText(nodes, verbose)})`),
    ...(left.length === 0 ? [] : [`  and ${countOf(left)} more; --verbose lists all`]),
  ];
}
