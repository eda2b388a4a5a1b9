import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesText } from '../lib/cli/text';
import { writeModel } from '../lib/onnx/write-model';
import type { HeldMemory } from './memory-process';
import type { BenchModel } from './models';
import { openNative } from './native';
import { median } from './timing';
import type { TrialContext, TrialOutcome, TrialRecord } from './trial';

/** Fresh processes per engine; the median counts. */
const PROCESSES = 5;

/** What an engine adds to an idle Node process that runs one int8 model. */
interface AddedMemory {
  readonly residentBytes: number;
  readonly peakBytes: number;
}

/** Bytes that the engines hold: the native parts by name, and resident memory above an idle process. */
export async function runMemory({ models, say }: TrialContext): Promise<TrialOutcome> {
  const records: TrialRecord[] = [];
  const header = ['model', 'plan', 'packed', 'arena', 'scratch', 'hone RSS +', 'onnxruntime RSS +', 'ratio'];
  const rows: string[][] = [header];
  for (const files of models.present) {
    say(`memory: ${files.label}`);
    const model = await models.load(files);
    const native = openNative(model.plan);
    const { memory } = native;
    native.close();
    const { hone, onnxruntime } = await measure(model);
    const ratio = hone.residentBytes / onnxruntime.residentBytes;
    records.push({ model: `${files.name}.onnx`, ...memory, hone, onnxruntime, ratio: Number(ratio.toFixed(4)) });
    const sizes = [memory.planBytes, memory.packedBytes, memory.arenaBytes, memory.scratchBytes];
    const resident = [hone.residentBytes, onnxruntime.residentBytes];
    rows.push([files.label, ...[...sizes, ...resident].map(bytesText), ratio.toFixed(3)]);
  }
  return { records, table: rows, skipped: models.skipped, missed: [] };
}

async function measure({ plan, quantized }: BenchModel): Promise<{ hone: AddedMemory; onnxruntime: AddedMemory }> {
  const folder = await mkdtemp(join(tmpdir(), 'hone-bench-'));
  try {
    const [planPath, modelPath] = [join(folder, 'model.hone'), join(folder, 'model.onnx')];
    await writeFile(planPath, plan);
    await writeFile(modelPath, writeModel(quantized));
    return { hone: addedMemory('native', planPath), onnxruntime: addedMemory('onnxruntime', modelPath) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function addedMemory(engine: 'native' | 'onnxruntime', path: string): AddedMemory {
  const added = Array.from({ length: PROCESSES }, () => {
    const args = ['--expose-gc', require.resolve('./memory-process'), engine, path];
    const held = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as HeldMemory;
    return { resident: held.residentBytes - held.idleBytes, peak: held.peakBytes - held.idleBytes };
  });
  return {
    residentBytes: median(added.map(({ resident }) => resident)),
    peakBytes: median(added.map(({ peak }) => peak)),
  };
}
