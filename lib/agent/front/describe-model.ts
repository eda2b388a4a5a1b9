import type { TensorSpec } from '../../protocol/tensor';
import type { WorkerPort } from '../worker-protocol';
import type { ServedModel } from './served-model';

/** Word of the protocol for where a model runs. */
const PLATFORM = 'hone_plan';

/** Metadata of a model as the protocol has it; an extent that only a run decides, or a request within a batch, is -1. */
export function modelMetadata(model: ServedModel, versions: readonly ServedModel[]): object {
  return {
    name: model.settings.name,
    versions: versions.map(({ settings }) => settings.version),
    platform: PLATFORM,
    inputs: model.inputs.map((port) => specOf(model, port)),
    outputs: model.outputs.map((port) => specOf(model, port)),
  };
}

/** Configuration of a model in the words of Triton's model configuration extension, as far as they fit. */
export function modelConfig(model: ServedModel): object {
  const { name, version, isBatched, queueLimit, timeoutMs, threads } = model.settings;
  const ports = (list: readonly WorkerPort[]) =>
    list.map((port) => {
      const { name: tensor, datatype, shape } = specOf(model, port);
      return { name: tensor, data_type: `TYPE_${datatype}`, dims: isBatched ? shape.slice(1) : shape };
    });
  return {
    name,
    platform: PLATFORM,
    backend: 'hone',
    version_policy: { specific: { versions: [Number(version)] } },
    // 0: requests have the whole shape, and none is joined with another.
    max_batch_size: isBatched ? model.rows : 0,
    input: ports(model.inputs),
    output: ports(model.outputs),
    instance_group: [{ name, kind: 'KIND_CPU', count: 1 }],
    dynamic_batching: {
      default_queue_policy: {
        max_queue_size: queueLimit,
        default_timeout_microseconds: timeoutMs * 1000,
        timeout_action: 'REJECT',
      },
      priority_levels: 3,
      default_priority_level: 2,
    },
    parameters: Object.fromEntries(
      Object.entries({ threads: String(threads), ...model.about.metadata }).map(([key, value]) => [
        key,
        { string_value: value },
      ]),
    ),
  };
}

function specOf(model: ServedModel, { name, datatype, shape, counted }: WorkerPort): TensorSpec {
  const isOpen = (axis: number) => axis === counted || (axis === 0 && model.settings.isBatched);
  return { name, datatype, shape: shape.map((dim, axis) => (isOpen(axis) ? -1 : dim)) };
}
