import type { PlanArray, SessionMemory } from '../lib/engine/addon';
import { openSession } from '../lib/engine/session';
import { type Tensor, toNumbers } from '../lib/ir/tensor';
import type { Subject } from './timing';

/** A native session with its inputs and outputs bound once. */
export interface Native {
  /** One inference from and to the bound arrays. */
  readonly subject: Subject;
  readonly memory: SessionMemory;
  /** Puts a sample into the bound inputs. */
  feed(sample: ReadonlyMap<string, Tensor>): void;
  /** The first output of an inference on the inputs as they are. */
  infer(): number[];
  close(): void;
}

/**
 * Opens a plan, as bytes or by path, whose inputs and outputs are float32, on one thread unless told.
 * @throws what `open` throws
 */
export function openNative(plan: Uint8Array | string, { threads = 1, open = openSession } = {}): Native {
  const session = open(plan, { threads });
  const inputs = arraysFor(session.inputs);
  const outputs = arraysFor(session.outputs);
  const run = session.bind(inputs, outputs);
  return {
    subject: { name: 'hone', run },
    memory: session.memory,
    feed(sample) {
      for (const [name, tensor] of sample) (inputs[name] as Float32Array).set(toNumbers(tensor));
    },
    infer() {
      run();
      return Array.from(outputs[session.outputs[0].name] as Float32Array);
    },
    close: () => session.close(),
  };
}

function arraysFor(ports: readonly { readonly name: string; readonly length: number }[]): Record<string, PlanArray> {
  return Object.fromEntries(ports.map(({ name, length }) => [name, new Float32Array(length)]));
}
