import type { EngineGroup, EngineView } from '../jobs/engine-shares';
import { colors } from './colors';
import { bytesText, countText, percentText, table } from './text';

/** Most reasons, and operators of a reason, that are listed without `--verbose`, and most nodes that are named. */
const MOST_REASONS = 8;
const MOST_OPERATORS = 12;
const FEW_NODES = 3;

const WHERE = { int8: 'int8', float: 'float', none: 'not at all' } as const;

/**
 * How the native engine runs a network, as a table of shares and, where something is missing, one line per reason; with
 * `verbose` the names of all nodes.
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
      ? [colors.green('runs wholly on the native engine')]
      : [colors.yellow(missingLine(missing))]),
    ...groupLines(missing, verbose),
    ...(float.length === 0
      ? []
      : [`${countOf(float)} of the quantized network ${plural(float, 'runs', 'run')} in float:`]),
    ...groupLines(float, verbose),
  ];
}

/** What a network that does not run as it stands needs: numbers for its extents alone, or another executor. */
function missingLine(missing: readonly EngineGroup[]): string {
  if (missing.every(({ op }) => op === 'graph input')) return 'needs numbers for its extents (--shape) to run:';
  return `${countOf(missing)} ${plural(missing, 'does', 'do')} not run on it; \`hone run\` and \`hone eval\` take --executor onnxruntime:`;
}

function countOf(groups: readonly EngineGroup[]): string {
  return `${nodesOf(groups)} ${plural(groups, 'node', 'nodes')}`;
}

function nodesOf(groups: readonly EngineGroup[]): number {
  return groups.reduce((sum, { nodes }) => sum + nodes.length, 0);
}

/** The form of a word that goes with the number of nodes. */
function plural(groups: readonly EngineGroup[], one: string, more: string): string {
  return nodesOf(groups) === 1 ? one : more;
}

/** One line per reason with the operators that it concerns; with `verbose` one per operator and reason, with all names. */
function groupLines(groups: readonly EngineGroup[], verbose: boolean): string[] {
  if (verbose)
    return groups.map(({ op, reason, nodes }) => `  ${nodes.length} x ${op}: ${reason} (${nodes.join(', ')})`);
  const reasons = new Map<string, EngineGroup[]>();
  for (const group of groups) {
    // Which of its inputs it is, names and --verbose tell.
    const reason = group.reason.replace(/^its \w+ input is float$/, 'an input of it is float');
    const known = reasons.get(reason) ?? [];
    const same = known.findIndex(({ op }) => op === group.op);
    const joined = same === -1 ? group : { ...group, nodes: [...known[same].nodes, ...group.nodes] };
    reasons.set(reason, same === -1 ? [...known, joined] : known.with(same, joined));
  }
  const shown = [...reasons].slice(0, MOST_REASONS);
  const left = [...reasons.values()].slice(MOST_REASONS).flat();
  return [
    ...shown.map(([reason, same]) => `  ${operatorsText(same)}: ${reason}`),
    ...(left.length === 0 ? [] : [`  and ${countOf(left)} more; --verbose lists all`]),
  ];
}

/** Operators with how often each stands there; where it is one or a few nodes in all, their names. */
function operatorsText(groups: readonly EngineGroup[]): string {
  const nodes = groups.flatMap((group) => group.nodes);
  const names = nodes.length <= FEW_NODES ? ` (${nodes.join(', ')})` : '';
  const left = groups.slice(MOST_OPERATORS);
  const more = left.length === 0 ? '' : ` and ${countOf(left)} of other kinds`;
  const words = groups.slice(0, MOST_OPERATORS).map(({ op, nodes: same }) => `${same.length} x ${op}`);
  return `${words.join(', ')}${more}${names}`;
}
