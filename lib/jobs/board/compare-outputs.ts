import { seededInputs } from '../../agent/measure/seeded-inputs';
import type { AgentClient } from '../../client/client';
import { openSession } from '../../engine/session';
import { planIndexLimits } from '../../plan/index-limits';
import { readPlan } from '../../plan/reader';

/** Whether an agent's outputs for the same inputs are this machine's, byte for byte; null with the reason where that was not asked. */
export type OutputCheck =
  | { readonly equal: boolean; readonly reason?: undefined }
  | { readonly equal: null; readonly reason: string };

/** Asks an agent for one inference with random inputs of a seed and runs the same here. */
export async function compareOutputs(
  client: AgentClient,
  model: string,
  plan: Uint8Array,
  seed = 0,
): Promise<OutputCheck> {
  const description = readPlan(plan);
  if (description.variants.some(({ states }) => states.length > 0))
    return { equal: null, reason: 'the model keeps states, which an inference would change' };
  const session = openSession(plan);
  try {
    const inputs = seededInputs(session.inputs, seed, planIndexLimits(description));
    const here = session.run(inputs);
    const there = await client.infer(model, inputs);
    const isSame = ({ name }: { readonly name: string }) => {
      const [a, b] = [here[name], there[name]].map(bytesOf);
      return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
    };
    return { equal: session.outputs.every(isSame) };
  } finally {
    session.close();
  }
}

function bytesOf(array: unknown): Buffer | undefined {
  if (!ArrayBuffer.isView(array)) return undefined;
  return Buffer.from(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
}
