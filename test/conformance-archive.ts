import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from '../lib/ir/tensor';
import { parseTensor } from '../lib/onnx/read-tensor';
import { dataPath } from './data';

/** One of the backend tests that the ONNX project publishes. */
export interface ConformanceTest {
  readonly suite: string;
  readonly name: string;
  /** Operators of the model. */
  readonly ops: readonly string[];
}

/** Tests whose expected output is at odds with the operator's text. They must go on failing, so that the list stays true. */
export const DISPUTED: Readonly<Record<string, string>> = {
  test_qlinearmatmul_3D_int8_float32: 'expects sums to wrap around; the text says saturate, and onnxruntime does',
  test_qlinearmatmul_2D_int8_float16: 'expects sums to wrap around; the text says saturate, and onnxruntime does',
};

/** The archive of the tests, unpacked; none of them where the test data is absent. */
export class ConformanceArchive {
  readonly tests: readonly ConformanceTest[];
  private readonly folder = mkdtempSync(join(tmpdir(), 'hone-conformance-'));

  constructor() {
    const manifest = dataPath('conformance', 'manifest.json');
    this.tests = existsSync(manifest) ? (JSON.parse(readFileSync(manifest, 'utf8')) as ConformanceTest[]) : [];
    if (this.tests.length > 0)
      execFileSync('tar', ['-xJf', dataPath('conformance', 'onnx-v1.21.0-tests.tar.xz'), '-C', this.folder]);
  }

  /** Folder of a test. */
  path({ suite, name }: ConformanceTest): string {
    return join(this.folder, suite, name);
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** Bytes of the model in the folder of a test. */
export function modelBytes(folder: string): Uint8Array {
  return readFileSync(join(folder, 'model.onnx'));
}

/** Inputs and expected outputs of every data set of a test. @throws what `parseTensor` throws for values that are no tensors */
export function dataSets(folder: string): { inputs: readonly Tensor[]; outputs: readonly Tensor[] }[] {
  return readdirSync(folder)
    .filter((entry) => entry.startsWith('test_data_set'))
    .map((entry) => {
      const set = join(folder, entry);
      const files = readdirSync(set);
      const read = (kind: string): Tensor[] =>
        Array.from(
          { length: files.filter((file) => file.startsWith(`${kind}_`)).length },
          (_, index) => parseTensor(readFileSync(join(set, `${kind}_${index}.pb`))).tensor,
        );
      return { inputs: read('input'), outputs: read('output') };
    });
}
