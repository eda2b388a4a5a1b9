import { basename, extname } from 'node:path';

/** Name of a model for people and URLs: the file name without endings. */
export function modelName(path: string): string {
  let name = basename(path);
  for (let ending = extname(name); /^\.(onnx|plan|int8|qdq)$/.test(ending); ending = extname(name))
    name = name.slice(0, -ending.length);
  return name;
}
