import type { LayoutName } from './format';

/** What the format fixes for one operation: its operands, and the record of its parameters. */
export interface OpRule {
  /** File below `native/engine/ops` that checks and prepares it. */
  readonly family: string;
  /** Names of the outputs in order; a trailing `?` marks those, at the end, that may be left out. */
  readonly outputs: readonly string[];
  /** Names of the inputs in order; a trailing `?` marks those, at the end, that may be missing. */
  readonly inputs: readonly string[];
  /** Inputs that the output may lie on, element for element. */
  readonly inPlace: readonly number[];
  /** Inputs that may be constants which the plan holds as codes. */
  readonly coded: readonly number[];
  readonly params: LayoutName | undefined;
  /** Arithmetic: `any` for operations that take elements of every type. */
  readonly domain: 'int8' | 'float' | 'any';
  /** Whether it only moves bytes, whatever they stand for. */
  readonly moves: boolean;
  /** The int8 operation that does the same; undefined for operations that are int8, or have none. */
  readonly int8Form: string | undefined;
  /** Instruction sets that its kernel has rows for, best first; `ref`, which every kernel has, is left out. */
  readonly rows: readonly string[];
  /** `gpu row`, or `cpu only: ` and the reason. */
  readonly gpu: string;
}

/** How many of these operands must be there. */
export function leastOf(operands: readonly string[]): number {
  return operands.filter((name) => !name.endsWith('?')).length;
}

/** Place of the input called `name`; -1 for an operation without it. */
export function inputIndex(rule: OpRule, name: string): number {
  return rule.inputs.findIndex((input) => input.replace('?', '') === name);
}
