import { elementCount } from '../ir/tensor';
import { PLAN_MAX_RANK, type PlanType } from '../plan/format';
import type { Buffer, Operand, Place, Quantization, Step } from './step';
import { Unsupported } from './unsupported';
import { alignFactors, extentsOf, isDense, layoutKey, naturalOrder, sizeOf, stridesOf, type View } from './view';
import type { ScaledIntegers } from './weight-codes';

/** The steps of a plan in the making, their buffers, and copies that bring elements into the order that a kernel needs. */
export class Program {
  readonly steps: Step[] = [];
  private readonly rearranged = new Map<string, Buffer>();
  private nextBuffer = 0;

  buffer(
    name: string,
    type: PlanType,
    count: number,
    quantization?: Quantization,
    place: Place = { kind: 'arena' },
  ): Buffer {
    return { id: this.nextBuffer++, name, type, count, quantization, place };
  }

  /** A constant operand; `scaled` tells of which integers floats were made. */
  constant(
    name: string,
    type: PlanType,
    dims: readonly number[],
    data: ArrayBufferView,
    quantization?: Quantization,
    scaled?: () => ScaledIntegers | undefined,
  ): Operand {
    if (dims.includes(0)) throw new Unsupported(`'${name}' is empty ([${dims}])`);
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    const place: Place = { kind: 'constant', bytes, ...(scaled ? { scaled } : {}) };
    return { buffer: this.buffer(name, type, elementCount(dims), quantization, place), dims };
  }

  emit(step: Step): void {
    this.steps.push(step);
  }

  /** Whether kernels can take the view's buffer as it stands: dense, and not the caller's memory. */
  isDirect(view: View): boolean {
    return isDense(view) && view.buffer.place.kind !== 'port';
  }

  /** The view itself when it covers its buffer, else a dense copy in row-major order. */
  dense<V extends View>(view: V): V {
    return this.isDirect(view) ? view : this.rowMajor(view);
  }

  /** The elements of `view` one after the other in logical order. */
  rowMajor<V extends View>(view: V): V {
    return this.arrange(view, naturalOrder(view.dims.length));
  }

  /** The elements of `view` in memory order `order`: the same buffer when they lie so already, else a copy (made once). */
  arrange<V extends View>(view: V, order: readonly number[]): V {
    const extents = extentsOf(view);
    const strides = stridesOf(extents, order);
    const wanted = extents.map((extent, axis) => [{ extent, stride: strides[axis] }]);
    if (this.isDirect(view) && layoutKey(view) === layoutKey({ ...view, dims: wanted }))
      return { ...view, dims: wanted };
    const { id, name, type, quantization } = view.buffer;
    const key = [id, view.offset, layoutKey(view), order, extents].join('|');
    let target = this.rearranged.get(key);
    if (target === undefined) {
      target = this.buffer(`${name}:arranged`, type, sizeOf(view), quantization);
      this.rearranged.set(key, target);
      this.copy(`${name}:arrange`, view, { buffer: target, offset: 0, dims: wanted });
    }
    // The copy may have been made of the same bytes under another grid.
    return { ...view, buffer: { ...target, quantization }, offset: 0, dims: wanted };
  }

  /** Emits a strided copy between views of the same extents (`target` may be part of a larger buffer). */
  copy(name: string, given: View, target: View): void {
    const [extents, wanted] = [given, target].map((view) => extentsOf(view).join());
    if (extents !== wanted) throw new Unsupported(`it has the extents [${extents}], but [${wanted}] are declared`);
    // Factors that do not divide each other meet in row-major order, which has one factor per axis.
    const source = alignFactors(given, target) === undefined ? this.rowMajor(given) : given;
    const runs = alignFactors(source, target)!;
    if (runs.length > PLAN_MAX_RANK)
      throw new Unsupported(`copy of ${runs.length} dimensions (the engine copies up to ${PLAN_MAX_RANK})`);
    this.emit({
      name,
      op: 'copy_nd',
      outputs: [{ buffer: target.buffer, dims: [target.buffer.count] }],
      inputs: [{ buffer: source.buffer, dims: [source.buffer.count] }],
      params: {
        extents: runs.map((run) => run.extent),
        srcOffset: source.offset,
        dstOffset: target.offset,
        srcStrides: runs.map((run) => run.source),
        dstStrides: runs.map((run) => run.target),
      },
    });
  }
}
