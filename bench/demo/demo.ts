import { join, relative } from 'node:path';
import type { Console } from '../../lib/cli/console';
import { bytesText, percentText, table, timeText } from '../../lib/cli/text';
import { connect } from '../../lib/client/client';
import { quantize } from '../../lib/compress/quantize/quantize';
import { augment } from '../../lib/data/augment';
import type { Dataset } from '../../lib/ir/dataset';
import type { Evaluate, Graph } from '../../lib/ir/graph';
import { viewAs } from '../../lib/ir/tensor';
import { type ModelArtifact, openArtifact } from '../../lib/jobs/artifact';
import { deployLocal, stopLocal } from '../../lib/jobs/deploy-local';
import { compileModel } from '../../lib/jobs/make-plan';
import { sourceMetadata } from '../../lib/jobs/source';
import { writeFileAtomically } from '../../lib/jobs/write-file';
import { writeModel } from '../../lib/onnx/write-model';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';
import { findEnergySource } from '../../lib/sensors/energy';
import type { TelemetryFrame } from '../../lib/telemetry/sample';
import { largest, wilsonInterval } from '../../lib/telemetry/statistics';
import { sgd } from '../../lib/train/sgd';
import { train } from '../../lib/train/train';
import type { Contestant } from './contestants';
import { type Digits, loadDigits } from './digits';
import { buildLenet5 } from './lenet5';
import { compare, loadSamples, type Score } from './measure';

const SEED = 1;
const EPOCHS = 8;

/** The whole loop on this machine: train, compress, compile, deploy, measure. Writes everything to `folder`. */
export async function runDemo(folder: string, console: Console): Promise<void> {
  const start = Date.now();
  const digits = loadDigits();
  const { training, validation, calibration, test } = digits;
  console.say('Hone demo: train, compress, deploy and measure a digit classifier on this machine');
  console.say(
    `samples: ${training.count} training, ${validation.count} validation, ${calibration.count} calibration, ${test.count} test (disjoint)`,
  );
  const files = await makeModels(folder, digits, console);
  const { images, labels } = await loadSamples(test);
  const served = await serveAndAsk(files.int8Plan, images, labels, console);
  const contestants: Contestant[] = [
    { name: 'onnxruntime float', runtime: 'onnxruntime', path: files.float },
    { name: 'onnxruntime int8', runtime: 'onnxruntime', path: files.int8 },
    { name: 'Hone float', runtime: 'hone', path: files.floatPlan },
    { name: 'Hone int8', runtime: 'hone', path: files.int8Plan },
  ];
  const scores = await compare(contestants, images, labels, (done, total) => console.progress('measure', done, total));
  const sizes = [files.sizes.float, files.sizes.int8, files.sizes.floatPlan, files.sizes.int8Plan];
  const energy = energyReason();
  console.say();
  for (const line of scoreTable(scores, sizes, energy)) console.say(line);
  console.say();
  console.say(`energy: ${energy}`);
  const summary = summarize(scores, files.sizes, served, energy, test.count);
  await writeFileAtomically(join(folder, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
  const seconds = (Date.now() - start) / 1000;
  console.say(`done in ${seconds.toFixed(0)} s; models and summary.json are in ${relative(process.cwd(), folder)}`);
}

interface ModelFiles {
  readonly float: string;
  readonly int8: string;
  readonly floatPlan: string;
  readonly int8Plan: string;
  readonly sizes: Readonly<Record<'float' | 'int8' | 'floatPlan' | 'int8Plan', number>>;
}

/** Trains LeNet-5, quantizes it and compiles both forms. */
async function makeModels(folder: string, digits: Digits, console: Console): Promise<ModelFiles> {
  const reference = createReferenceEvaluate();
  try {
    const trained = await train(
      buildLenet5(SEED),
      augment(digits.training, { shift: 2 }),
      {
        epochs: EPOCHS,
        batchSize: 32,
        learningRate: (progress) => 0.02 * (1 - progress),
        optimizer: sgd({ weightDecay: 5e-4 }),
        seed: SEED,
        clock: () => performance.now(),
        signal: console.signal,
        onProgress: ({ step, steps, loss }) => {
          console.progress(`train, loss ${loss.toFixed(3)}, step`, step, steps);
          if (step % Math.ceil(steps / EPOCHS) === 0 || step === steps)
            console.say(`  training ${Math.round((100 * step) / steps)} %, loss ${loss.toFixed(4)}`);
        },
      },
      reference.evaluate,
    );
    const validated = await recognised(trained, digits.validation, reference.evaluate);
    console.say(`  ${percentText(validated)} of the validation digits recognised`);
    const path = (name: string) => join(folder, name);
    await writeFileAtomically(path('lenet5.onnx'), writeModel(trained));
    const float = (await openArtifact(path('lenet5.onnx'))) as ModelArtifact;
    const { graph, report } = await quantize(float.graph, {
      dataset: digits.calibration,
      evaluate: reference.evaluate,
      signal: console.signal,
    });
    const note = Object.entries(sourceMetadata(float, path('lenet5.int8.onnx')));
    const noted = { ...graph, metadata: new Map([...graph.metadata, ...note]) };
    await writeFileAtomically(path('lenet5.int8.onnx'), writeModel(noted));
    const int8 = (await openArtifact(path('lenet5.int8.onnx'))) as ModelArtifact;
    const floatPlan = compileModel(float, path('lenet5.plan')).plan;
    const int8Plan = compileModel(int8, path('lenet5.int8.plan')).plan;
    await writeFileAtomically(path('lenet5.plan'), floatPlan);
    await writeFileAtomically(path('lenet5.int8.plan'), int8Plan);
    const logits = report.outputs.map(({ sqnrDb }) => `${sqnrDb.toFixed(1)} dB`).join(', ');
    console.say(
      `compressed to int8 with ${report.samples.calibration} calibration samples, SQNR of the logits ${logits}`,
    );
    console.say(
      `  ${bytesText(float.bytes.length)} float -> ${bytesText(int8.bytes.length)} int8 ONNX -> ${bytesText(int8Plan.length)} plan`,
    );
    return {
      float: float.path,
      int8: int8.path,
      floatPlan: path('lenet5.plan'),
      int8Plan: path('lenet5.int8.plan'),
      sizes: {
        float: float.bytes.length,
        int8: int8.bytes.length,
        floatPlan: floatPlan.length,
        int8Plan: int8Plan.length,
      },
    };
  } finally {
    await reference.close();
  }
}

/** Share of a dataset that the network recognises. */
async function recognised(graph: Graph, dataset: Dataset, evaluate: Evaluate): Promise<number> {
  let correct = 0;
  for await (const { count, inputs, labels } of dataset.batches({ size: dataset.count })) {
    const logits = viewAs((await evaluate(graph, inputs, ['logits'])).get('logits')!, 'float32');
    for (let i = 0; i < count; i++)
      if (largest(Array.from(logits.subarray(i * 10, (i + 1) * 10))) === labels![i]) correct++;
  }
  return correct / dataset.count;
}

interface Served {
  readonly accuracy: number;
  readonly frames: number;
  readonly lastFrame: TelemetryFrame | undefined;
}

/** Deploys the plan to the local agent and sends every test digit there, while its telemetry streams in. */
async function serveAndAsk(
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
      if (largest(Array.from(logits)) === labels[index]) correct++;
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

function energyReason(): string {
  const source = findEnergySource('/');
  if ('reason' in source) return source.reason;
  return `${source.source} is there, but one model at ${source.scope} level is not told apart from the rest of the machine yet`;
}

function scoreTable(scores: readonly Score[], sizes: readonly number[], energy: string): string[] {
  const held = (bytes: number | null) => (bytes === null ? 'not told' : bytesText(bytes));
  const rows = scores.map(
    ({ name, accuracy, interval95: [low, high], p50Us, p99Us, held: { weights, arena }, rssAboveIdle }, at) => [
      name,
      `${percentText(accuracy)} (${percentText(low, 1)} to ${percentText(high, 1)})`,
      bytesText(sizes[at]),
      timeText(p50Us),
      timeText(p99Us),
      held(weights),
      held(arena),
      bytesText(rssAboveIdle),
      energy === '' ? '' : 'none',
    ],
  );
  const head = ['', 'accuracy (95 %)', 'model', 'p50', 'p99', 'weights', 'arena', 'RSS above idle', 'energy'];
  return table([head, ...rows]);
}

/** The summary for machines: accuracies 0..1, bytes, microseconds; what could not be measured is null with its reason. */
function summarize(
  scores: readonly Score[],
  sizes: ModelFiles['sizes'],
  served: Served,
  energy: string,
  testSamples: number,
): object {
  const latency = ({ p50Us, p99Us }: Score) => ({ p50Us, p99Us });
  const [ortFloat, ortInt8, honeFloat, honeInt8] = scores;
  const modelBytes = [sizes.float, sizes.int8, sizes.floatPlan, sizes.int8Plan];
  return {
    testSamples,
    float: { accuracy: honeFloat.accuracy, modelBytes: sizes.float, latency: latency(honeFloat) },
    int8: { accuracy: honeInt8.accuracy, modelBytes: sizes.int8, latency: latency(honeInt8) },
    onnxruntime: {
      float: { accuracy: ortFloat.accuracy, latency: latency(ortFloat) },
      int8: { accuracy: ortInt8.accuracy, latency: latency(ortInt8) },
    },
    served: { accuracy: served.accuracy, telemetryFrames: served.frames },
    energyPerInferenceJ: null,
    rows: scores.map((score, at) => ({ ...score, modelBytes: modelBytes[at] })),
    reasons: {
      energyPerInferenceJ: energy,
      'rows.held of onnxruntime': 'onnxruntime does not tell what it holds per model; see rssAboveIdle',
    },
    lastTelemetryFrame: served.lastFrame ?? null,
  };
}
