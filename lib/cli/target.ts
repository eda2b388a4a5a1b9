import { HoneError } from '../core/error';
import { requireWritable } from '../jobs/write-file';
import { text } from './flags';
import type { OptionValues } from './verb';

/** The file that a verb will write: checked before the work begins, and never the model that it reads. */
export async function targetOf(path: string, options: OptionValues, ending: string): Promise<string> {
  const target = text(options, 'out') ?? path.replace(/(\.onnx)?$/, ending);
  if (target === path)
    throw new HoneError('E_OPTION_VALUE', { option: '--out', expected: 'a new file', found: target });
  await requireWritable(target);
  return target;
}
