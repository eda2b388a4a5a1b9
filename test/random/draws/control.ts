import type { Graph } from '../../../lib/ir/graph';
import type { ViewType } from '../../../lib/ir/tensor';
import { partOf } from '../evaluate-node';
import { type Maker, madeOf, Unfit, type Value } from '../maker';
import type { Draw, Draws } from './draw';

/** Draws one node of some operator into a body. */
export type DrawAny = (m: Maker) => readonly Value[];

const graphOf = (value: Graph) => ({ kind: 'graph', value }) as const;

/** A few nodes; those that do not fit are left out. */
function fill(m: Maker, draw: DrawAny, count: number): void {
  for (let i = 0; i < count; i++) {
    try {
      m.values.push(...draw(m));
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
    }
  }
}

/** Both branches end in a value of one type and shape. */
const branches =
  (draw: DrawAny): Draw =>
  (m, op) => {
    const condition = m.want({ types: ['bool'] }, []);
    const [first, second] = [m.inner(), m.inner()];
    fill(first, draw, m.integer(1, 3));
    const like = first.values.at(-1) ?? first.want({});
    const one = first.node('Identity', [like]);
    fill(second, draw, m.integer(0, 3));
    const other = second.node('Identity', [second.want({ types: [one.type as ViewType] }, one.dims)]);
    const attributes = { then_branch: graphOf(first.build([one])), else_branch: graphOf(second.build([other])) };
    return [m.node(op, [condition], attributes)];
  };

const COMBINE = ['Add', 'Sub', 'Max', 'Min', 'Mean'];
const BOUND = ['Tanh', 'Sigmoid', 'HardSigmoid', 'Softsign', 'Relu'];

/** A body in the making: its next state out of this one, and something else that it gives out. */
function stateOf(body: Maker, draw: DrawAny, state: Value): readonly [next: Value, out: Value] {
  fill(body, draw, body.integer(0, 2));
  const other = body.want({ within: [-100, 100] }, state.dims);
  const next = body.node(body.pick(BOUND), [body.node(body.pick(COMBINE), [state, other])]);
  const out = body.values.filter(({ type }) => type === 'float32').at(-1) ?? next;
  return [next, body.node('Identity', [body.chance(0.5) ? next : out])];
}

/** A few rounds over one state, which give out one value each. */
const loop =
  (draw: DrawAny): Draw =>
  (m, op) => {
    const initial = m.want({ within: [-100, 100], ranks: [0, 4] });
    const [number, yes] = [m.scalar('int64', 0), m.scalar('bool', 1)];
    const body = m.inner();
    const [counter, condition, state] = [number, yes, initial].map((value) => body.bodyInput(value));
    body.values.push(counter, state);
    const [next, out] = stateOf(body, draw, state);
    const graph = body.build([body.node('Identity', [condition]), next, out]);
    return m.nodes(op, [m.scalar('int64', m.integer(1, 4)), yes, initial], { body: graphOf(graph) }, 2);
  };

/** One round for each element along the first axis of a sequence. */
const scan =
  (draw: DrawAny): Draw =>
  (m, op) => {
    const sequence = m.want({ within: [-100, 100], ranks: [1, 4], fits: ([steps]) => steps <= 6 });
    const initial = m.want({ within: [-100, 100], ranks: [0, 4] });
    const first = madeOf(partOf(sequence.rounded, 0), partOf(sequence.exact, 0));
    const body = m.inner();
    const [state, part] = [initial, first].map((value) => body.bodyInput(value));
    body.values.push(state, part);
    const graph = body.build(stateOf(body, draw, state));
    return m.nodes(op, [initial, sequence], { body: graphOf(graph), num_scan_inputs: 1 }, 2);
  };

/** If over any nodes; Loop and Scan over nodes that are legal whatever they read. */
export const controlDraws = (any: DrawAny, tame: DrawAny): Draws => ({
  If: branches(any),
  Loop: loop(tame),
  Scan: scan(tame),
});
