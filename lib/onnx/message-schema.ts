import type { Attribute } from '../ir/graph';

/**
 * How a field is carried. `int`: varint as a safe number (saturated); `fixed32s`, `fixed64s`, `varints`: packed numbers
 * of a tensor kept as raw byte chunks, decoded where the element type is known; otherwise the name of a message.
 */
type FieldType = 'int' | 'float' | 'string' | 'bytes' | 'fixed32s' | 'fixed64s' | 'varints' | MessageName;

export interface MessageField {
  readonly id: number;
  readonly type: string;
  readonly many: boolean;
}

const one = <const T extends string>(id: number, type: T) => ({ id, type, many: false }) as const;
const many = <const T extends string>(id: number, type: T) => ({ id, type, many: true }) as const;

/** The messages of an ONNX file: field numbers and types, as far as Hone reads or refuses them. Other fields are skipped. */
export const MESSAGES = {
  Model: {
    irVersion: one(1, 'int'),
    producerName: one(2, 'string'),
    graph: one(7, 'Graph'),
    opsetImport: many(8, 'OperatorSet'),
    metadata: many(14, 'Entry'),
    functions: many(25, 'Function'),
  },
  OperatorSet: { domain: one(1, 'string'), version: one(2, 'int') },
  Entry: { key: one(1, 'string'), value: one(2, 'string') },
  Graph: {
    nodes: many(1, 'Node'),
    name: one(2, 'string'),
    initializers: many(5, 'Tensor'),
    inputs: many(11, 'ValueInfo'),
    outputs: many(12, 'ValueInfo'),
    valueInfos: many(13, 'ValueInfo'),
    sparseInitializers: many(15, 'SparseTensor'),
  },
  Node: {
    inputs: many(1, 'string'),
    outputs: many(2, 'string'),
    name: one(3, 'string'),
    op: one(4, 'string'),
    attributes: many(5, 'Attribute'),
    domain: one(7, 'string'),
    overload: one(8, 'string'),
  },
  Attribute: {
    name: one(1, 'string'),
    float: one(2, 'float'),
    int: one(3, 'int'),
    string: one(4, 'bytes'),
    tensor: one(5, 'Tensor'),
    graph: one(6, 'Graph'),
    floats: many(7, 'float'),
    ints: many(8, 'int'),
    strings: many(9, 'bytes'),
    type: one(20, 'int'),
    reference: one(21, 'string'),
  },
  Tensor: {
    dims: many(1, 'int'),
    type: one(2, 'int'),
    segment: one(3, 'bytes'),
    floats: many(4, 'fixed32s'),
    int32s: many(5, 'varints'),
    strings: many(6, 'bytes'),
    int64s: many(7, 'varints'),
    name: one(8, 'string'),
    raw: one(9, 'bytes'),
    doubles: many(10, 'fixed64s'),
    uint64s: many(11, 'varints'),
    external: many(13, 'Entry'),
    location: one(14, 'int'),
  },
  SparseTensor: { values: one(1, 'Tensor') },
  ValueInfo: { name: one(1, 'string'), type: one(2, 'Type') },
  Type: { tensor: one(1, 'TensorType') },
  TensorType: { element: one(1, 'int'), shape: one(2, 'Shape') },
  Shape: { dims: many(1, 'Dimension') },
  Dimension: { value: one(1, 'int'), symbol: one(2, 'string') },
  Function: {
    name: one(1, 'string'),
    inputs: many(4, 'string'),
    outputs: many(5, 'string'),
    nodes: many(7, 'Node'),
    opsetImport: many(9, 'OperatorSet'),
    domain: one(10, 'string'),
    defaults: many(11, 'Attribute'),
    overload: one(13, 'string'),
  },
} as const satisfies Record<string, Record<string, { id: number; type: string; many: boolean }>>;

type Messages = typeof MESSAGES;
/** Name of a message of the table. */
export type MessageName = keyof Messages;

type Value<T> = T extends 'int' | 'float'
  ? number
  : T extends 'string'
    ? string
    : T extends Exclude<FieldType, MessageName>
      ? Uint8Array
      : T extends MessageName
        ? Message<T>
        : never;

/** A decoded message: repeated fields are arrays (empty when absent), others are undefined when absent. */
export type Message<K extends MessageName> = {
  readonly [F in keyof Messages[K] as IsMany<Messages[K][F]> extends true ? F : never]: readonly Value<
    TypeOf<Messages[K][F]>
  >[];
} & {
  readonly [F in keyof Messages[K] as IsMany<Messages[K][F]> extends true ? never : F]?: Value<TypeOf<Messages[K][F]>>;
};
type IsMany<F> = F extends { many: infer M } ? M : never;
type TypeOf<F> = F extends { type: infer T } ? T : never;

/** A message to encode: every field may be left out. */
export type Draft<K extends MessageName> = {
  readonly [F in keyof Messages[K]]?: IsMany<Messages[K][F]> extends true
    ? readonly DraftValue<TypeOf<Messages[K][F]>>[]
    : DraftValue<TypeOf<Messages[K][F]>>;
};
type DraftValue<T> = T extends MessageName ? Draft<T> : Value<T>;

/** Number of each attribute kind in an attribute's `type`. */
export const ATTRIBUTE_CODES: Readonly<Record<Attribute['kind'], number>> = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
};

/** `location` of a tensor whose data lies in another file. */
export const EXTERNAL_LOCATION = 1;
