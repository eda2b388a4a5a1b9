import type { Agent } from '../../lib/agent/agent';
import { connect } from '../../lib/client/client';
import { openMachineSensors } from '../../lib/sensors/machine';
import type { TelemetryFrame } from '../../lib/telemetry/sample';
import { ina, rapl, useFakeRoot } from '../sensors/fake-root';
import { binaryRequest, INFER, send, serveTiny } from './served';

const root = useFakeRoot();

let agent: Agent;
afterEach(() => agent.close());

/** Clock of the sensors; it goes on only when a test says so, so that a busy machine changes nothing. */
let seconds = 0;
let inferences = 0;

/** Infers until a frame fits; each inference takes half a joule and `wait` seconds. */
async function frameWhere(fits: (frame: TelemetryFrame) => boolean, wait: number): Promise<TelemetryFrame> {
  const stop = new AbortController();
  for await (const frame of connect(agent.url).telemetry(stop.signal)) {
    if (fits(frame)) return frame;
    await send(agent.url, INFER, binaryRequest());
    seconds += wait;
    root.write(rapl('intel-rapl:0', 'package-0', ++inferences * 0.5e6));
  }
  throw new Error('the stream ended');
}

test('frames tell the joules of an inference once the window is long enough, before that why not', async () => {
  root.write(rapl('intel-rapl:0', 'package-0', 0));
  agent = await serveTiny({ sensors: openMachineSensors(root.path, () => seconds * 1e9), intervalMs: 20 });
  const source = '/sys/class/powercap/intel-rapl:0/energy_uj';
  const early = await frameWhere((frame) => frame.inferences > 1, 0);
  expect(early.energy).toEqual({
    scope: 'packages',
    source,
    joules: null,
    reason: expect.stringMatching(
      /^0 s with 0 values .* are too short|^no inference in the window$|^nothing was measured/,
    ),
  });
  const { energy } = await frameWhere((frame) => frame.energy.joules !== null, 0.5);
  if (energy.joules === null) throw new Error(energy.reason);
  expect(energy).toMatchObject({ scope: 'packages', source });
  expect(energy.windowMs).toBeGreaterThanOrEqual(2000);
  // Half a joule each, but for the inference that the counter knows and the window does not, or the other way round.
  expect(energy.joules * energy.inferences).toBeGreaterThan(0.5 * (energy.inferences - 2));
  expect(energy.joules * energy.inferences).toBeLessThan(0.5 * (energy.inferences + 2));
  expect((await send(agent.url, '/metrics')).body.toString()).toMatch(
    /^hone_sensor_joules_total\{name="energy\.package-0"\} [\d.]+$/m,
  );
});

test('power is read between frames, as often as the source wants', async () => {
  root.write(ina('hwmon1', 'ina3221', [['VDD_IN', 5000, 1000]]));
  const sensors = openMachineSensors(root.path);
  let polls = 0;
  const poll = sensors.energy.poll.bind(sensors.energy);
  sensors.energy.poll = () => {
    polls++;
    poll();
  };
  agent = await serveTiny({ sensors, intervalMs: 60000 });
  while (polls < 4) await new Promise((resolve) => setTimeout(resolve, 20));
  await agent.close();
  const after = polls;
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(polls).toBe(after);
});
