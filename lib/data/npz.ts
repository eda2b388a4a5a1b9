import type { Tensor } from '../ir/tensor';
import { formatNpy, parseNpy } from './npy';
import { type Packing, readZip, writeZip } from './zip';

/**
 * Arrays of a .npz file by name (without `.npy`); other files in the archive are left out.
 * @throws E_DATA_FORMAT
 */
export function readNpz(bytes: Uint8Array, path: string): Map<string, Tensor> {
  const arrays = new Map<string, Tensor>();
  for (const [name, content] of readZip(bytes, path))
    if (name.endsWith('.npy')) arrays.set(name.slice(0, -4), parseNpy(content, `${path}, array ${name}`));
  return arrays;
}

/** Bytes of a .npz file with these arrays; the same arrays always give the same bytes. */
export function writeNpz(arrays: ReadonlyMap<string, Tensor>, packing?: Packing): Uint8Array {
  return writeZip(new Map([...arrays].map(([name, tensor]) => [`${name}.npy`, formatNpy(tensor)])), packing);
}
