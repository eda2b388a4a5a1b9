import { decibelsText } from '../compress/quantize/measure-quality';
import type { QuantizeReport } from '../compress/quantize/report';
import { namesText, table } from './text';

/** Most layers that the table shows without `--verbose`. */
const MOST_LAYERS = 10;
/** Most reasons that are listed without `--verbose`. */
const MOST_REASONS = 5;

/**
 * One row per layer, only the least accurate ones without `verbose`; how many of a layer's pairs of products can saturate
 * elsewhere, where any can.
 */
export function layerTable({ layers }: QuantizeReport, verbose: boolean): string[] {
  const shown = verbose || layers.length <= MOST_LAYERS ? layers : leastAccurate(layers);
  const unsafe = layers.some(({ saturatingPairs }) => saturatingPairs > 0);
  const rows = shown.map(({ name, op, sqnrDb, pairs, saturatingPairs }) => [
    name,
    op,
    decibelsText(sqnrDb, true),
    ...(unsafe ? [saturatingPairs === 0 ? '' : `${saturatingPairs} of ${pairs}`] : []),
  ]);
  const left = layers.length - shown.length;
  const best = Math.max(...layers.map(({ sqnrDb }) => sqnrDb));
  return [
    ...table([['layer', 'op', 'SQNR dB', ...(unsafe ? ['pairs that can leave 16 bits'] : [])], ...rows]),
    ...(left === 0 ? [] : [`and ${left} layers with more, up to ${decibelsText(best)}; --verbose lists all`]),
  ];
}

/** In the order of the network. */
function leastAccurate(layers: QuantizeReport['layers']): QuantizeReport['layers'] {
  const worst = new Set([...layers].sort((a, b) => a.sqnrDb - b.sqnrDb).slice(0, MOST_LAYERS));
  return layers.filter((layer) => worst.has(layer));
}

/** Nodes that stay float, by reason. */
export function skippedLines({ skipped }: QuantizeReport, verbose: boolean): string[] {
  const reasons = new Map<string, string[]>();
  for (const { name, reason } of skipped) {
    // What differs in the name of a value only is one reason.
    const short = reason.replaceAll(/ '[^']*'/g, '');
    reasons.set(short, [...(reasons.get(short) ?? []), name]);
  }
  const groups = [...reasons].sort((a, b) => b[1].length - a[1].length);
  const shown = verbose ? groups : groups.slice(0, MOST_REASONS);
  const left = groups.slice(shown.length).reduce((sum, [, names]) => sum + names.length, 0);
  return [
    ...shown.map(([reason, names]) => `stays float: ${namesText(names, verbose)}: ${reason}`),
    ...(left === 0 ? [] : [`and ${left} more stay float; --verbose lists all`]),
  ];
}

/** The SQNR of every output, also over the samples held out. */
export function outputsText(outputs: QuantizeReport['outputs']): string {
  return outputs.map(outputText).join(', ') || 'none is float';
}

function outputText({ name, sqnrDb, heldOutSqnrDb }: QuantizeReport['outputs'][number]): string {
  const heldOut = heldOutSqnrDb === null ? '' : ` (${decibelsText(heldOutSqnrDb, true)} on those held out)`;
  return `${name} ${decibelsText(sqnrDb)}${heldOut}`;
}
