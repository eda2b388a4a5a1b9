import { createHash } from 'node:crypto';
import { seededInputs } from '../../lib/agent/measure/seeded-inputs';
import { compile } from '../../lib/compile/compile';
import { openSession } from '../../lib/engine/session';
import { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom } from '../../lib/ir/tensor';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { PROFILE_DEFAULTS, profilePlan } from '../../lib/jobs/profile';
import { distPath, hone } from '../cli/hone';

function samplePlan(): Uint8Array {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [1, 64]);
  const w = builder.initializer(
    tensorFrom(
      'float32',
      [64, 32],
      Array.from({ length: 2048 }, (_, i) => ((i * 7919) % 1009) / 37),
    ),
  );
  const y = builder.node('MatMul', [x, w], {}, { name: 'product' });
  builder.output(builder.node('Softmax', [y], {}, { name: 'shares' }), 'float32', [1, 32]);
  return compile(prepareForEngine(builder.build()), { sourceHash: '0'.repeat(64) }).plan;
}

const options = { ...PROFILE_DEFAULTS, runs: 20 };
const plan = samplePlan();

beforeAll(() => distPath('lib/agent/measure/measure-main.js'));

test('times and bytes of every node, sums that agree, outputs as any session gives them', async () => {
  const found = await profilePlan(plan, options);
  const { nodes, balance, latency, memory, outputs } = found;
  expect(nodes.map(({ name }) => name)).toEqual(['x:arrange', 'product', 'shares', 'softmax:output']);
  expect(nodes[1]).toMatchObject({
    weightBytes: 64 * 32 * 4,
    outputBytes: 32 * 4,
    kernel: expect.stringMatching(/^fc_f32_/),
  });
  expect(nodes.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
  expect(latency.count).toBe(20);
  expect(balance.nodesUs + balance.besidesUs).toBeCloseTo(balance.profiledUs, 9);
  expect(balance.nodesUs).toBeLessThanOrEqual(balance.profiledUs);
  expect(memory.planBytes).toBe(plan.length);
  expect(memory.peakRssBytes).toBeGreaterThan(memory.idleRssBytes!);
  const session = openSession(plan, {});
  const [[name, y]] = Object.entries(session.run(seededInputs(session.inputs, options.seed, new Map())));
  session.close();
  const sha256 = createHash('sha256')
    .update(new Uint8Array(y.buffer as ArrayBuffer))
    .digest('hex');
  expect(outputs).toEqual([{ name, sha256 }]);
  expect((await profilePlan(plan, { ...options, seed: 1 })).outputs).not.toEqual(outputs);
});

test('cores that the system has not are refused; those it has are told', async () => {
  await expect(profilePlan(plan, { ...options, affinity: '900' })).rejects.toThrow(
    expect.objectContaining({ code: 'E_OPTION_VALUE' }),
  );
  expect((await profilePlan(plan, { ...options, affinity: '0' })).after.affinity).toEqual({ value: '0' });
});

test('what the measuring process meets is told as it is', async () => {
  await expect(profilePlan(plan.slice(0, 100), options)).rejects.toThrow(
    expect.objectContaining({ code: 'E_PLAN_FORMAT' }),
  );
  const signal = AbortSignal.timeout(200);
  await expect(profilePlan(plan, { ...options, runs: 1e7, seconds: 60, signal })).rejects.toThrow(
    expect.objectContaining({ code: 'E_INTERRUPTED' }),
  );
});

test('the command refuses what it cannot mean', async () => {
  const { code, stderr } = await hone(['profile', 'none.plan', '--affinity', 'all; reboot']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('--affinity')]);
});
