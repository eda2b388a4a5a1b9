import type { Console } from '../../lib/cli/console';
import { percentText, timeText } from '../../lib/cli/text';
import { connect } from '../../lib/client/client';
import { openArtifact } from '../../lib/jobs/artifact';
import { deployLocal, stopLocal } from '../../lib/jobs/deploy-local';
import type { TelemetryFrame } from '../../lib/telemetry/sample';
import { largest, wilsonInterval } from '../../lib/telemetry/statistics';

/** What came back from the agent. */
export interface Served {
  /** Share of test digits recognised, 0..1. */
  readonly accuracy: number;
  /** Telemetry frames received. */
  readonly frames: number;
  readonly lastFrame: TelemetryFrame | undefined;
}

/** Deploys the plan to the local agent and sends every test digit there, while its telemetry streams in. */
export async function serveAndAsk(
  planPath: string,
  images: readonly Float32Array[],
  labels: readonly number[],
  console: Console,
): Promise<Served> {
  const { bytes } = await openArtifact(planPath);
  const agent = await deployLocal({
    plan: bytes,
    model: 'lenet5',
    threads: 1,
    command: require.resolve('../../lib/cli/main'),
  });
  const client = connect(agent.url);
  const stop = new AbortController();
  const frames: TelemetryFrame[] = [];
  const listening = (async () => {
    for await (const frame of client.telemetry(stop.signal)) frames.push(frame);
  })();
  try {
    console.say(`deployed to the local agent at ${agent.url}; sending ${images.length} test digits`);
    let correct = 0;
    for (const [index, image] of images.entries()) {
      const { logits } = await client.infer('lenet5', { x: image });
      if (largest(Array.from(logits as Float32Array)) === labels[index]) correct++;
      console.progress('serve', index + 1, images.length);
    }
    // One more tick, so that the last frame has seen every digit.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const lastFrame = frames.at(-1);
    const busy = frames.filter(({ compute }) => compute !== null).at(-1)?.compute;
    const [low, high] = wilsonInterval(correct, images.length);
    const accuracy = correct / images.length;
    console.say(`  accuracy over HTTP ${percentText(accuracy)} (95 %: ${percentText(low)} to ${percentText(high)})`);
    if (busy)
      console.say(
        `  telemetry: ${frames.length} frames, compute p50 ${timeText(busy.p50Us)}, p99 ${timeText(busy.p99Us)}, ${lastFrame?.inferences} inferences`,
      );
    return { accuracy, frames: frames.length, lastFrame };
  } finally {
    stop.abort();
    await listening;
    await stopLocal();
  }
}
