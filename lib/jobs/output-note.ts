import { OUTPUTS_KEY } from '../core/notes';
import { outputsOf, parseOutputSpec } from '../core/output-spec';
import { decodeOutputs, requireOutput } from '../core/outputs/decode-outputs';
import { sightOf } from '../core/outputs/sight';
import type { ValueType } from '../ir/graph';
import { elementCount } from '../ir/tensor';

/**
 * The metadata entry of an output spec, given as JSON, for a file with these inputs, outputs and metadata. Labels or an alphabet
 * that it leaves out are those that the file notes.
 * @throws E_OPTION_UNKNOWN, E_OPTION_VALUE for a spec that is none, or that does not fit the outputs as far as the file tells them
 */
export function outputsMetadata(
  json: unknown,
  types: { readonly inputs: ReadonlyMap<string, ValueType>; readonly outputs: ReadonlyMap<string, ValueType> },
  metadata: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const spec = parseOutputSpec(complete(json, metadata));
  // Texts are what they are.
  const names = [...types.outputs].filter(([, { type }]) => type !== 'string').map(([name]) => name);
  const read = [...outputsOf(spec, names)].map(([key, name]) => requireOutput(key, name, names));
  const shapes = read.map((name) => [name, oneSample(types.outputs.get(name)!)] as const);
  const sight = spec.kind === 'boxes' ? sightOf([...types.inputs.values()].map(oneSample)) : undefined;
  // A spec that fits zeros fits any numbers; where extents are open, the first sample tells.
  const known = shapes.flatMap(([name, dims]) => (dims ? [[name, { dims, data: zeros(dims) }] as const] : []));
  if (known.length === shapes.length && (spec.kind !== 'boxes' || sight))
    decodeOutputs(spec, new Map(known), { sight });
  return new Map([[OUTPUTS_KEY, JSON.stringify(spec)]]);
}

/** Shape of one sample, an open first extent being 1; undefined where more is open. */
function oneSample({ shape }: ValueType): readonly number[] | undefined {
  const dims = shape?.map((dim, axis) => (axis === 0 && typeof dim === 'string' ? 1 : dim));
  return dims?.every((dim) => typeof dim === 'number') ? dims : undefined;
}

function zeros(dims: readonly number[]): Float32Array {
  return new Float32Array(elementCount(dims));
}

/** The JSON with names that exporters write into a model's metadata. */
function complete(json: unknown, metadata: ReadonlyMap<string, string>): unknown {
  const { kind } = (json ?? {}) as { readonly kind?: unknown };
  const found =
    kind === 'classes' || kind === 'boxes'
      ? { labels: notedLabels(metadata) }
      : kind === 'ctc'
        ? { alphabet: notedAlphabet(metadata) }
        : {};
  const known = Object.entries(found).filter(([, value]) => value !== undefined);
  return known.length === 0 ? json : { ...Object.fromEntries(known), ...(json as object) };
}

/** Names of classes as Ultralytics notes them: a Python dictionary from 0 upwards, `{0: 'person', 1: 'car'}`. */
function notedLabels(metadata: ReadonlyMap<string, string>): readonly string[] | undefined {
  const entries = [...(metadata.get('names') ?? '').matchAll(/(\d+): (?:'([^']*)'|"([^"]*)")/g)];
  const inOrder = entries.every(([, number], index) => Number(number) === index);
  return entries.length > 0 && inOrder ? entries.map(([, , single, double]) => single ?? double) : undefined;
}

/** Characters as PaddleOCR notes them, one a line; its models have a class for a space behind them. */
function notedAlphabet(metadata: ReadonlyMap<string, string>): readonly string[] | undefined {
  const lines = metadata.get('character')?.split('\n');
  return lines && [...lines.slice(0, lines.at(-1) === '' ? -1 : undefined), ' '];
}
