import type { Fault } from './found';
import { parseJsonObject } from './json-object';

/** A body whose JSON is read, and whose binary tensors are taken one after the other. */
export interface SplitBody {
  readonly json: Readonly<Record<string, unknown>>;
  /** The next `size` bytes, which belong to `owner`; a view. @throws the fault of `splitBody` */
  take(size: number, owner: string): Uint8Array;
  /** @throws the fault of `splitBody` where bytes are left */
  end(): void;
}

/**
 * Splits a body into its JSON and the bytes behind it. `headerLength` is the HTTP header of the protocol as it came: the length
 * of the JSON in decimal digits; without it all of the body is JSON.
 * @throws `fault`
 */
export function splitBody(body: Uint8Array, headerLength: string | undefined, fault: Fault): SplitBody {
  const jsonBytes = headerLength === undefined ? body.length : lengthOf(headerLength, body.length, fault);
  const json = parseJsonObject(body.subarray(0, jsonBytes), fault);
  let position = jsonBytes;
  return {
    json,
    take(size, owner) {
      if (headerLength === undefined)
        throw fault(`binary_data_size of ${owner}: the HTTP header Inference-Header-Content-Length is missing`);
      const left = body.length - position;
      if (size > left) throw fault(`binary_data_size of ${owner} is ${size}; ${left} bytes are left of the body`);
      position += size;
      return body.subarray(position - size, position);
    },
    end() {
      const left = body.length - position;
      if (left > 0) throw fault(`${left} bytes after the last tensor`);
    },
  };
}

function lengthOf(headerLength: string, bodyLength: number, fault: Fault): number {
  const length = Number(headerLength);
  if (!/^(0|[1-9]\d*)$/.test(headerLength) || length > bodyLength)
    throw fault(
      `Inference-Header-Content-Length: expected the length of the JSON, at most ${bodyLength}, found '${headerLength.slice(0, 40)}'`,
    );
  return length;
}
