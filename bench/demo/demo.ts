import { join, relative } from 'node:path';
import type { Console } from '../../lib/cli/console';
import { bytesText, percentText, table, timeText } from '../../lib/cli/text';
import { writeFileAtomically } from '../../lib/jobs/write-file';
import { openMachineSensors } from '../../lib/sensors/machine';
import type { Contestant } from './contestants';
import { loadDigits, PARTS, partOf } from './digits';
import { type DemoModels, makeModels } from './make-models';
import { compare, loadSamples, type Score } from './measure';
import { type Served, serveAndAsk } from './serve';

/** The whole loop on this machine: train, compress, compile, deploy, measure. Writes everything to `folder`. */
export async function runDemo(folder: string, console: Console): Promise<void> {
  const start = Date.now();
  const digits = loadDigits();
  const test = partOf(digits, 'test');
  console.say('Hone demo: train, compress, deploy and measure a digit classifier on this machine');
  const counts = Object.entries(PARTS).map(([part, { from, to }]) => `${to - from} ${part}`);
  console.say(`samples: ${counts.join(', ')} (disjoint)`);
  const models = await makeModels(folder, digits, console);
  const { images, labels } = await loadSamples(test);
  const served = await serveAndAsk(models.int8Plan.path, images, labels, console);
  const contestants: Contestant[] = [
    { name: 'onnxruntime float', runtime: 'onnxruntime', path: models.float.path },
    { name: 'onnxruntime int8', runtime: 'onnxruntime', path: models.int8.path },
    { name: 'Hone float', runtime: 'hone', path: models.floatPlan.path },
    { name: 'Hone int8', runtime: 'hone', path: models.int8Plan.path },
  ];
  const scores = await compare(contestants, images, labels, (done, total) => console.progress('measure', done, total));
  const sizes = [models.float, models.int8, models.floatPlan, models.int8Plan].map(({ bytes }) => bytes);
  const energy = energyReason();
  console.say();
  console.say('on the test digits; float is the network as trained, int8 what the recipe made of it:');
  for (const line of scoreTable(scores, sizes, energy)) console.say(line);
  console.say();
  console.say(`energy: ${energy}`);
  const summary = summarize(scores, sizes, models, served, energy);
  await writeFileAtomically(join(folder, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
  const seconds = (Date.now() - start) / 1000;
  const place = relative(process.cwd(), folder);
  console.say(`done in ${seconds.toFixed(0)} s; models, recipe.yaml and summary.json are in ${place}`);
}

function energyReason(): string {
  const { energy } = openMachineSensors();
  if (energy.scope === null) return energy.take().reason ?? 'no value';
  return `${energy.source} is there, but one model at ${energy.scope} level is not told apart from the rest of the machine yet`;
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
  sizes: readonly number[],
  { report }: DemoModels,
  served: Served,
  energy: string,
): object {
  const latency = ({ p50Us, p99Us }: Score) => ({ p50Us, p99Us });
  const [ortFloat, ortInt8, honeFloat, honeInt8] = scores;
  return {
    testSamples: PARTS.test.to - PARTS.test.from,
    float: { accuracy: honeFloat.accuracy, modelBytes: sizes[0], latency: latency(honeFloat) },
    int8: { accuracy: honeInt8.accuracy, modelBytes: sizes[1], latency: latency(honeInt8) },
    onnxruntime: {
      float: { accuracy: ortFloat.accuracy, latency: latency(ortFloat) },
      int8: { accuracy: ortInt8.accuracy, latency: latency(ortInt8) },
    },
    steps: report.steps.map(({ method, accuracy, drop, bytes, macs, latency: engine }) => ({
      method,
      validationAccuracy: accuracy,
      drop,
      bytes,
      macs,
      latency: engine,
    })),
    served: { accuracy: served.accuracy, telemetryFrames: served.frames },
    energyPerInferenceJ: null,
    rows: scores.map((score, at) => ({ ...score, modelBytes: sizes[at] })),
    reasons: {
      energyPerInferenceJ: energy,
      'rows.held of onnxruntime': 'onnxruntime does not tell what it holds per model; see rssAboveIdle',
    },
    lastTelemetryFrame: served.lastFrame ?? null,
  };
}
