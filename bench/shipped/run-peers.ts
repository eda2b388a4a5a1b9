import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeNpz } from '../../lib/data/npz';
import type { Dataset } from '../../lib/ir/dataset';
import type { Tensor } from '../../lib/ir/tensor';
import type { ModelArtifact } from '../../lib/jobs/artifact';
import { openRecorded } from '../../lib/jobs/samples';
import { ROOT } from '../environment';

/** What another quantizer makes of a network. */
export interface PeerResult {
  readonly method: string;
  /** By output; null without any noise. */
  readonly sqnrDb?: Readonly<Record<string, number | null>>;
  /** Why there is none. */
  readonly failed?: string;
}

const run = promisify(execFile);

/** A peer that takes longer counts as one that failed. */
const MOST_MS = 20 * 60 * 1000;

/** Why no peer can run; undefined when one can. */
export async function lackOfPeers(python: string): Promise<string | undefined> {
  try {
    await run(python, ['-c', 'import onnxruntime.quantization, onnx, numpy']);
    return undefined;
  } catch {
    return `${python} has no onnxruntime, onnx and numpy; HONE_PEER_PYTHON may name one that has`;
  }
}

/** Other quantizers at their defaults on the file itself, calibrated and tested on the same samples. */
export async function runPeers(
  python: string,
  model: ModelArtifact,
  files: Readonly<Record<'calibration' | 'test', string>>,
  scratch: string,
): Promise<readonly PeerResult[]> {
  const paths: string[] = [];
  for (const part of ['calibration', 'test'] as const) {
    const { dataset } = await openRecorded(model, files[part], {});
    const path = join(scratch, `${part}-feeds.npz`);
    await writeFile(path, writeNpz(await feedsOf(dataset)));
    paths.push(path);
  }
  const script = join(ROOT, 'bench/peers/quantize_with_peers.py');
  try {
    const { stdout } = await run(python, [script, model.path, ...paths], { maxBuffer: 1 << 24, timeout: MOST_MS });
    return resultsIn(stdout);
  } catch (error) {
    const { stdout = '', message } = error as Error & { readonly stdout?: string };
    return [...resultsIn(stdout), { method: 'those after', failed: message.trim().split('\n').at(-1)! }];
  }
}

function resultsIn(text: string): PeerResult[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as PeerResult);
}

/** Whole feeds, one per row. */
async function feedsOf(dataset: Dataset): Promise<Map<string, Tensor>> {
  const rows = new Map<string, Tensor[]>();
  for await (const { inputs } of dataset.batches({ size: 1 }))
    for (const [name, tensor] of inputs) rows.set(name, [...(rows.get(name) ?? []), tensor]);
  return new Map(
    [...rows].map(([name, tensors]) => {
      const [{ type, dims }] = tensors;
      const bytes = Uint8Array.from(Buffer.concat(tensors.map((tensor) => tensor.bytes)));
      return [name, { type, dims: [tensors.length, ...dims], bytes }];
    }),
  );
}
