import fc from 'fast-check';
import { DATATYPES, type Datatype } from '../../lib/core/datatype';
import type { ModelPorts, WantedOutput } from '../../lib/protocol/infer-request';
import { parseInferRequest } from '../../lib/protocol/parse-infer-request';
import { readInferResponse } from '../../lib/protocol/read-infer-response';
import type { OutputTensor, TensorData, TensorSpec } from '../../lib/protocol/tensor';
import { writeInferRequest } from '../../lib/protocol/write-infer-request';
import { writeInferResponse } from '../../lib/protocol/write-infer-response';
import { joined, plain, spec, utf8 } from './model';

/** Elements of each datatype: all that it holds in binary form, and those that JSON has a form for. */
const ELEMENTS: Readonly<Record<Datatype, (isJson: boolean) => fc.Arbitrary<number | bigint>>> = {
  FP32: (isJson) =>
    fc.oneof(fc.float({ noNaN: isJson, noDefaultInfinity: isJson }), fc.constantFrom(0, -0, 2 ** -149, 0.5)),
  FP16: (isJson) => fc.nat(0xffff).filter((bits) => !isJson || (bits & 0x7c00) !== 0x7c00),
  INT64: (isJson) => (isJson ? fc.maxSafeInteger().map(BigInt) : fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  INT32: () => fc.integer(),
  INT8: () => fc.integer({ min: -128, max: 127 }),
  UINT8: () => fc.nat(255),
  BOOL: () => fc.nat(1),
};

const datatypes = fc.constantFrom(...(Object.keys(DATATYPES) as Datatype[]));
const shapes = fc.array(fc.nat(4), { maxLength: 4 });
const texts = fc.string({ unit: 'grapheme', maxLength: 8 });

type Named = TensorSpec & OutputTensor;

function typed(datatype: Datatype, values: readonly (number | bigint)[]): TensorData {
  return datatype === 'INT64'
    ? BigInt64Array.from(values as bigint[])
    : (DATATYPES[datatype] as typeof Float32Array).from(values as number[]);
}

const tensors = (isJson: boolean): fc.Arbitrary<readonly Named[]> =>
  fc.uniqueArray(
    fc.record({ name: texts, datatype: datatypes, shape: shapes }).chain((port) => {
      const count = port.shape.reduce((product, extent) => product * extent, 1);
      return fc
        .array(ELEMENTS[port.datatype](isJson), { minLength: count, maxLength: count })
        .map((values) => ({ ...port, data: typed(port.datatype, values) }));
    }),
    { selector: ({ name }) => name, minLength: 1, maxLength: 3 },
  );

/** The bits of all elements; NaN as its bits are. */
const bits = (data: TensorData): readonly number[] =>
  Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));

for (const form of ['binary', 'JSON']) {
  const isJson = form === 'JSON';
  test(`a request in ${form} is read as it was written`, () => {
    const options = fc.record({
      id: fc.option(texts, { nil: undefined }),
      priority: fc.nat(3),
      timeoutUs: fc.maxSafeNat(),
    });
    fc.assert(
      fc.property(tensors(isJson), options, (inputs, { id, priority, timeoutUs }) => {
        const model: ModelPorts = { name: 'm', inputs, outputs: [spec('y', 'FP32', [1])] };
        const written = writeInferRequest(inputs, {
          ...(id === undefined ? {} : { id }),
          binary: !isJson,
          priority,
          timeoutUs,
          outputs: [{ name: 'y', classification: 2 }],
        });
        const body = joined(written.chunks);
        expect(body.length).toBe(written.length);
        const request = parseInferRequest(body, written.headerLength?.toString(), model);
        expect(request.inputs.map(bits)).toEqual(inputs.map(({ data }) => bits(data)));
        expect({ ...request, inputs: [] }).toEqual({
          id,
          rows: 1,
          inputs: [],
          priority,
          timeoutUs: timeoutUs === 0 ? undefined : timeoutUs,
          outputs: [{ index: 0, binary: !isJson, classification: 2 }],
        });
      }),
    );
  });

  test(`a response in ${form} is read as it was written`, () => {
    fc.assert(
      fc.property(tensors(isJson), fc.option(texts, { nil: undefined }), (outputs, id) => {
        const wanted: WantedOutput[] = outputs.map((_, index) => ({ index, binary: !isJson })).reverse();
        const model = { name: 'the "model"', version: '3' };
        const written = writeInferResponse(model, { id, outputs: wanted }, outputs, outputs);
        const body = joined(written.chunks);
        expect(body.length).toBe(written.length);
        const response = readInferResponse(body, written.headerLength?.toString());
        expect([response.modelName, response.modelVersion, response.id]).toEqual([model.name, '3', id]);
        const expected = [...outputs].reverse();
        expect(response.outputs.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual(
          expected.map(({ name, datatype, shape }) => [name, datatype, shape]),
        );
        expect(response.outputs.map(({ data }) => bits(data as TensorData))).toEqual(
          expected.map(({ data }) => bits(data)),
        );
      }),
    );
  });
}

test('nested lists are the flat list', () => {
  const nest = (values: readonly unknown[], shape: readonly number[]): unknown =>
    shape.length <= 1
      ? values
      : Array.from({ length: shape[0] }, (_, index) => {
          const size = values.length / shape[0];
          return nest(values.slice(index * size, (index + 1) * size), shape.slice(1));
        });
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }), (shape) => {
      const model: ModelPorts = { name: 'm', inputs: [spec('x', 'INT32', shape)], outputs: [] };
      const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, index) => index);
      const body = utf8(JSON.stringify({ inputs: [{ ...model.inputs[0], data: nest(values, shape) }] }));
      expect(plain(parseInferRequest(body, undefined, model).inputs[0])).toEqual(values);
    }),
  );
});

test('binary inputs are views of the body where they are aligned, and right where they are not', () => {
  const inputs = [spec('b', 'BOOL', [1]), spec('x', 'FP32', [2])];
  const data = [Uint8Array.of(1), Float32Array.of(1.5, -2)];
  const { chunks, headerLength } = writeInferRequest(inputs.map((port, index) => ({ ...port, data: data[index] })));
  for (const shift of [0, 1, 2, 3]) {
    const memory = new Uint8Array(shift + joined(chunks).length);
    memory.set(joined(chunks), shift);
    const body = memory.subarray(shift);
    const { inputs: read } = parseInferRequest(body, String(headerLength), { name: 'm', inputs, outputs: [] });
    expect(read.map(plain)).toEqual([[1], [1.5, -2]]);
    expect(read[0].buffer).toBe(memory.buffer);
    expect(read[1].buffer === memory.buffer).toBe((shift + headerLength! + 1) % 4 === 0);
  }
});
