/** A transposed convolution along one axis: which output places a kernel of these steps adds every input element to. */
export interface TransposedAxis {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Output places that are cut off before the first one. */
  readonly pad: number;
  /** Extents of what it reads and makes. */
  readonly input: number;
  readonly output: number;
}

/**
 * Output places `start`, `start + stride`, ... that ordinary convolutions of one form make (sub-pixel convolution, Shi et al.
 * 2016, section 3, and "Is the deconvolution layer the same as a convolutional layer?", 2016).
 */
export interface Phases {
  /** The first place of each phase, and the places in the kernel that its taps come from, by ascending input. */
  readonly phases: readonly { readonly start: number; readonly taps: readonly number[] }[];
  /** Outputs of each phase. */
  readonly count: number;
  /** Taps of each phase; those of phases that no input reaches are none. */
  readonly taps: number;
  readonly dilation: number;
  /** First input element that the first output reads: negative where it lies in the padding. */
  readonly first: number;
}

/** The phases of an axis, those of one form together: every output place belongs to one of them. */
export function subPixelPhases(axis: TransposedAxis): readonly Phases[] {
  const { stride, dilation, output } = axis;
  const forms = new Map<string, Phases>();
  // Kernel places that meet one phase lie so far apart, and their inputs dilation / divisor.
  const divisor = greatestDivisor(stride, dilation);
  for (let start = 0; start < Math.min(stride, output); start++) {
    const count = Math.ceil((output - start) / stride);
    const { taps, first } = tapsOf(axis, start);
    const form = { count, taps: taps.length, dilation: taps.length > 1 ? dilation / divisor : 1, first };
    const key = Object.values(form).join();
    forms.set(key, { ...form, phases: [...(forms.get(key)?.phases ?? []), { start, taps }] });
  }
  return [...forms.values()];
}

/** Kernel places k with `start + pad = input * stride + k * dilation`, and the first input: that of the last of them. */
function tapsOf({ kernel, stride, dilation, pad, input }: TransposedAxis, start: number) {
  const at = start + pad;
  const taps = Array.from({ length: kernel }, (_, k) => kernel - 1 - k).filter(
    (k) => (at - k * dilation) % stride === 0,
  );
  const first = taps.length > 0 ? (at - taps[0] * dilation) / stride : 0;
  return first < input ? { taps, first } : { taps: [], first: 0 };
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
