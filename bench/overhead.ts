import { compile } from '../lib/compile/compile';
import { GraphBuilder } from '../lib/ir/builder';
import type { Graph } from '../lib/ir/graph';
import { measureCreated } from './created-memory';
import { openNative } from './native';
import { openRival, RIVAL_SETTINGS } from './rival';
import { spreadOf, timeInterleaved } from './timing';
import type { TrialContext, TrialOutcome } from './trial';

/** What a call costs besides arithmetic: a plan of one Relu on one number. */
export async function runOverhead({ pairs }: TrialContext): Promise<TrialOutcome> {
  const graph = emptyGraph();
  const native = openNative(compile(graph, { sourceHash: '0'.repeat(64) }).plan);
  const rival = await openRival('one Relu', graph, RIVAL_SETTINGS[0]);
  try {
    const subjects = [native.subject, rival.subject('outputs preallocated'), rival.direct()];
    const series = await timeInterleaved(subjects, { rounds: pairs, warmUp: 50, repeat: 50 });
    const [nativeUs, rivalUs, directUs] = series.map((us) => spreadOf(us));
    const created = measureCreated(native.subject);
    const nanoseconds = (us: number): number => Math.round(us * 1000);
    return {
      records: [
        {
          nativeNs: nanoseconds(nativeUs.median),
          nativeLeastNs: nanoseconds(nativeUs.least),
          rivalNs: nanoseconds(rivalUs.median),
          rivalSynchronousNs: nanoseconds(directUs.median),
          ...created,
        },
      ],
      table: [
        ['per call', 'hone', 'onnxruntime', 'its synchronous binding'],
        ['nanoseconds', ...[nativeUs, rivalUs, directUs].map(({ median }) => String(nanoseconds(median)))],
        ['ArrayBuffer bytes', String(created.arrayBufferBytesPerRun), '-', '-'],
        ['heap bytes', String(created.heapBytesPerRun), '-', '-'],
      ],
      skipped: [],
      missed: created.arrayBufferBytesPerRun === 0 ? [] : ['a run creates ArrayBuffers'],
    };
  } finally {
    native.close();
    await rival.close();
  }
}

function emptyGraph(): Graph {
  const builder = new GraphBuilder();
  const input = builder.input('input', 'float32', [1]);
  builder.output(builder.node('Relu', [input]), 'float32', [1]);
  return builder.build();
}
