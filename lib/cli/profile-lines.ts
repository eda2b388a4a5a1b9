import type { MeasuredNode, PlanMeasurement } from '../agent/measure/plan-measurement';
import type { Conditions, Told } from '../telemetry/conditions';
import { bytesText, energyText, pairs, percentText, readingText, table, timeText } from './text';

/** Nodes that are shown where not all are wanted. */
const SHOWN = 12;

/** What a plan costs on a machine, for people; with `here`, what it costs on this one, beside a board. */
export function profileLines(found: PlanMeasurement, verbose: boolean, here?: PlanMeasurement): string[] {
  const beside: [string, string][] = here === undefined ? [] : [['here', latencyText(here)]];
  const rows = [...costRows(found), ...beside, ...conditionRows(found)];
  return [...nodeLines(found.nodes, verbose, here?.nodes), '', ...pairs(rows)];
}

function nodeLines(nodes: readonly MeasuredNode[], verbose: boolean, here?: readonly MeasuredNode[]): string[] {
  const own = new Map(here?.map(({ name, meanUs }) => [name, meanUs]));
  const sorted = verbose ? nodes : [...nodes].sort((a, b) => b.meanUs - a.meanUs).slice(0, SHOWN);
  const rows = sorted.map(({ name, kernel, share, meanUs, p50Us, p99Us, weightBytes, outputBytes }) => [
    shortName(name),
    kernel,
    percentText(share, 1),
    ...[meanUs, p50Us, p99Us].map(timeText),
    ...(here === undefined ? [] : [own.has(name) ? timeText(own.get(name)!) : '']),
    ...[weightBytes, outputBytes].map(bytesText),
  ]);
  const left = nodes.length - sorted.length;
  const rest = sorted.reduce((sum, { share }) => sum - share, 1);
  return [
    ...table([
      ['node', 'kernel', 'share', 'mean', 'p50', 'p99', ...(here === undefined ? [] : ['here']), 'weights', 'output'],
      ...rows,
    ]),
    ...(left > 0 ? [`and ${left} more nodes, ${percentText(Math.max(0, rest), 1)} (--verbose shows all)`] : []),
  ];
}

/** Characters of a name in the table: of fused nodes the first says most. */
const NAME_LIMIT = 40;

function shortName(name: string): string {
  return name.length <= NAME_LIMIT ? name : `${name.slice(0, NAME_LIMIT - 3)}...`;
}

function latencyText({ latency, threads, instructionSets }: PlanMeasurement): string {
  const [p50, p90, p99] = [latency.p50Us, latency.p90Us, latency.p99Us].map(timeText);
  const count = `${threads} thread${threads === 1 ? '' : 's'}`;
  return `${p50} p50, ${p90} p90, ${p99} p99 (${latency.count} runs, ${count} on ${instructionSets})`;
}

function costRows(found: PlanMeasurement): [string, string][] {
  const { balance, memory, load, energy } = found;
  const { idleRssBytes: idle, peakRssBytes: peak } = memory;
  const rss = idle === null || peak === null ? '' : `; process ${bytesText(peak - idle)} above idle`;
  return [
    ['latency', latencyText(found)],
    [
      'sum',
      `nodes ${timeText(balance.nodesUs)} + besides ${timeText(Math.max(0, balance.besidesUs))} = ${timeText(balance.profiledUs)}, mean; ` +
        `timing nodes costs ${percentText(balance.profilingRatio - 1, 1)}`,
    ],
    [
      'memory',
      `weights ${bytesText(memory.planBytes)}, packed ${bytesText(memory.packedBytes)}, tensors ${bytesText(memory.arenaBytes + memory.stateBytes)}, ` +
        `scratch ${bytesText(memory.scratchBytes)}${rss}`,
    ],
    ['load', timeText(load.us)],
    ['energy', energyText(energy)],
  ];
}

function conditionRows({ after, verdict }: PlanMeasurement): [string, string][] {
  const temperatures = after.readings.filter(({ unit, value }) => unit === 'celsius' && value !== null);
  const hottest = temperatures.sort((a, b) => b.value! - a.value!)[0];
  const rows: [string, string][] = [
    ['machine', `${show(after.machine, (name) => name)}; Linux ${after.kernel}`],
    ['clocks', clockText(after)],
    ['heat', hottest === undefined ? 'none (no thermal zone)' : `${readingText(hottest)} (${hottest.name})`],
    [
      'memory of it',
      `${show(after.memoryBytes, bytesText)}, pages of ${show(after.pageBytes, bytesText)}, ${show(after.swapUsedBytes, bytesText)} in swap`,
    ],
    ['cores', `${show(after.affinity, (cores) => cores)} of ${after.processors}`],
    ...(after.powerMode.value === null ? [] : [['power mode', after.powerMode.value] as [string, string]]),
  ];
  const why = verdict.reasons.length === 0 ? 'nothing disturbed the run' : `disturbed: ${verdict.reasons.join('; ')}`;
  return [...rows, ['verdict', [why, ...verdict.notes].join('; ')]];
}

function clockText({ clocks }: Conditions): string {
  return show(clocks, (policies) =>
    policies
      .map(({ cpus, governor, limitHz }) => {
        const [least, most] = limitHz.map((hertz) => (hertz / 1e9).toFixed(2));
        return `cores ${cpus}: ${governor}, ${least} to ${most} GHz`;
      })
      .join('; '),
  );
}

function show<T>(told: Told<T>, text: (value: T) => string): string {
  return told.value === null ? `unknown (${told.reason})` : text(told.value);
}
