import type { Graph, Node } from '../../lib/ir/graph';
import { verify } from '../../lib/ir/verify';
import { findOperator } from '../../lib/ops';
import { inferShapes } from '../../lib/passes/infer-shapes';
import type { Match, Pattern } from '../../lib/passes/pattern';
import { type Application, applyRules, matchRule, patternContextOf, type Rule } from '../../lib/passes/rewrite';
import { RULES } from '../../lib/passes/rules';
import { expectSameValues } from './pass-case';
import { APPLIES } from './rule-cases/applies';
import { ruleGraph } from './rule-cases/build';
import { NEVER } from './rule-cases/never';

const ALL: readonly Rule[] = Object.values(RULES).flat();
const named = (name: string): Rule => ALL.find((rule) => rule.name === name)!;

/** The only place where a rule fits. */
function placeOf(rule: Rule, graph: Graph): Match {
  const context = patternContextOf(graph);
  const [match, ...more] = graph.nodes.flatMap((node) => matchRule(rule, node, context) ?? []);
  expect(more).toEqual([]);
  return match;
}

/** Names of the pattern's nodes that must be alone. */
function loners(pattern: Pattern): string[] {
  if (pattern.kind === 'either') return pattern.patterns.flatMap(loners);
  if (pattern.kind === 'optional') return pattern.pattern ? loners(pattern.pattern) : [];
  if (pattern.kind !== 'node') return [];
  return [...(pattern.alone ? [pattern.name] : []), ...pattern.inputs.flatMap(loners)];
}

const withNode = (graph: Graph, from: Node, to: Node): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) => (node === from ? to : node)),
});

function withSecondReader(graph: Graph, value: string): Graph {
  const reader: Node = {
    name: 'second',
    op: 'Identity',
    domain: '',
    inputs: [value],
    outputs: ['second'],
    attributes: new Map(),
  };
  return { ...graph, nodes: [...graph.nodes, reader], outputs: [...graph.outputs, 'second'] };
}

/** The graph with a constant fed by the user instead. */
function withFed(graph: Graph, value: string): Graph {
  const { type, dims } = graph.initializers.get(value)!;
  return {
    ...graph,
    initializers: new Map([...graph.initializers].filter(([name]) => name !== value)),
    inputs: [...graph.inputs, value],
    values: new Map([...graph.values, [value, { type, shape: dims }]]),
  };
}

/** Graphs that differ from one where the rule fits in who else wants an inner value of the match. */
function shared(value: string, name: string, graph: Graph): [what: string, graph: Graph][] {
  return [
    [`${name} with a second reader`, withSecondReader(graph, value)],
    [`${name} as an output of the graph`, { ...graph, outputs: [...graph.outputs, value] }],
  ];
}

/** Graphs that differ from one where the rule fits by what a word of the pattern refuses. */
function refused(rule: Rule, graph: Graph): [word: string, graph: Graph][] {
  const match = placeOf(rule, graph);
  const context = patternContextOf(graph);
  const foreign = match.nodes.map((node): [string, Graph] => [
    `${node.op} of another domain`,
    withNode(graph, node, { ...node, domain: 'com.acme' }),
  ]);
  const alone = loners(rule.pattern).flatMap((name): [string, Graph][] => {
    const value = match.findValue(name);
    return value === undefined ? [] : shared(value, name, graph);
  });
  const constants = match.names.filter((name) => context.constant(match.value(name)));
  const fed = constants.map((name): [string, Graph] => [`${name} fed`, withFed(graph, match.value(name))]);
  return [...foreign, ...alone, ...fed];
}

/** Whether the reference evaluation has every operator of a graph. */
const canEvaluate = (graph: Graph) => graph.nodes.every(({ domain, op }) => findOperator(domain, op)?.evaluate);

/** Expects valid graphs with the same outputs, of whatever the rule makes. */
function expectSound(rule: Rule, graph: Graph): void {
  const rewritten = applyRules(graph, [rule]);
  if (rewritten === graph) return;
  const result = inferShapes(rewritten);
  expect(result.diagnostics).toEqual([]);
  expect(verify(result.graph)).toEqual([]);
  if (canEvaluate(graph)) expectSameValues(graph, result.graph);
}

/** Where a rule must not apply, also without any guard but one. */
const REFUSED: readonly (readonly [rule: string, what: string, graphOf: () => Graph])[] = [
  ...NEVER.map(([name, what, build]) => [name, what, () => ruleGraph(build)] as const),
  ...APPLIES.filter(([name]) => name.startsWith('remove-')).map(
    ([name, build]) =>
      [
        name,
        'an output of the graph that would have to be an input',
        () => {
          const graph = ruleGraph(build);
          return { ...graph, outputs: [placeOf(named(name), graph).value('same')] };
        },
      ] as const,
  ),
];

test('rules have names and cases of their own', () => {
  const names = ALL.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(APPLIES.map(([name]) => name))).toEqual(new Set(names));
});

describe('a rule', () => {
  const numbered = APPLIES.map(([name, build], index) => [name, index, build] as const);
  test.each(numbered)('%s applies (%i) and keeps the values; each word of its pattern refuses', (name, _, build) => {
    const rule = named(name);
    const graph = ruleGraph(build);
    const seen: Application[] = [];
    const rewritten = applyRules(graph, [rule], (application) => seen.push(application));
    expect(seen).toEqual([{ rule: name, nodes: placeOf(rule, graph).nodes.map((node) => node.name) }]);
    expect(rewritten).not.toBe(graph);
    expectSound(rule, graph);
    // Whatever its words say: who else reads an inner value still gets it.
    for (const { outputs, name } of placeOf(rule, graph).nodes.slice(1))
      for (const [, other] of shared(outputs[0], name, graph)) expectSound(rule, other);
    const left = refused(rule, graph);
    expect(left.length).toBeGreaterThan(0);
    expect(left.filter(([, other]) => applyRules(other, [rule]) !== other).map(([word]) => word)).toEqual([]);
  });

  test.each(REFUSED)('%s must not apply: %s', (name, _, graphOf) => {
    const graph = graphOf();
    expect(applyRules(graph, [named(name)])).toBe(graph);
  });
});

const GUARDS = ALL.flatMap((rule) => (rule.guards ?? []).map(({ word }) => [rule.name, word, rule] as const));

test.each(GUARDS)('%s needs its guard: %s', (name, word, rule) => {
  const without = { ...rule, guards: rule.guards!.filter((guard) => guard.word !== word) };
  const applies = REFUSED.filter(([other, , graphOf]) => {
    if (other !== name) return false;
    const graph = graphOf();
    try {
      return applyRules(graph, [without]) !== graph;
    } catch {
      return true;
    }
  });
  expect(applies.map(([, what]) => what)).not.toEqual([]);
});
