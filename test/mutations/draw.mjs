// Draws breaks of the code by chance:  node test/mutations/draw.mjs --seed N --count N > rows.json
// Layers take turns; in a layer a file, in it a kind of break, in it a place are drawn, so that long files and the commonest
// operator do not decide. The rows are for breaks.json: commit them before looking at what the tests say of them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Layer -> its folder; natively the layers are those of native/README. */
const LAYERS = {
  ...Object.fromEntries(
    readdirSync('lib')
      .filter((name) => !name.includes('.'))
      .map((name) => [name, join('lib', name)]),
  ),
  'native/core': 'native/core',
  'native/engine': 'native/engine',
  'native/kernels': 'native/kernels',
  'native/binding': 'native/binding',
  'native/capi': 'native/capi',
};
/** Files without code of their own, files that a host cannot run, and what checks others. */
const LEFT_OUT = /\/index\.ts$|\.generated\.ts$|kernel-rows\.ts$|error-table\.ts$|_(neon|avx512|check|simde)[^/]*$/;

/** Kinds of breaks: every place in a line with its replacement. */
const KINDS = {
  'guard deleted': (line) =>
    /^\s*(?:\} )?(?:else )?if \(.*\) (?:return|throw|continue|break)\b.*;$/.test(line) ? [[0, line.length, '']] : [],
  'comparison flipped': (line) => [
    ...swaps(line, / (<|<=|>|>=) /g, { '<': '<=', '<=': '<', '>': '>=', '>=': '>' }),
    ...swaps(line, / (===|!==|==|!=) /g, { '===': '!==', '!==': '===', '==': '!=', '!=': '==' }),
  ],
  'off by one': (line) =>
    Array.from(line.matchAll(/(?<=[\w)\]]) [+-] 1(?![\w.])/g), ({ index, 0: text }) => [
      index,
      index + text.length,
      '',
    ]),
  'clamp dropped': (line) =>
    Array.from(line.matchAll(/\b(?:Math|std)(?:\.|::)(?:min|max)\(/g), ({ index, 0: text }) => {
      const parts = argumentsFrom(line, index + text.length);
      return parts?.list.length === 2 ? [index, parts.end, parts.list[0]] : undefined;
    }).filter((place) => place !== undefined),
};

const option = (name) => Number(process.argv[process.argv.indexOf(name) + 1]);
const [seed, count] = [option('--seed'), option('--count')];
if (!(seed >= 0 && count > 0)) throw new Error('usage: draw.mjs --seed N --count N');
const random = mulberry32(seed);
const pick = (list) => list[Math.floor(random() * list.length)];

const files = Object.fromEntries(
  Object.entries(LAYERS).map(([layer, folder]) => [
    layer,
    readdirSync(folder, { recursive: true })
      .map((file) => join(folder, file))
      .filter((file) => /\.(ts|cc|h)$/.test(file) && !LEFT_OUT.test(file))
      .sort(),
  ]),
);
const drawn = new Map();
const layers = Object.keys(LAYERS).sort();
for (let turn = 0; drawn.size < count; turn++) {
  if (turn > 100 * count) throw new Error(`only ${drawn.size} breaks found`);
  const layer = layers[turn % layers.length];
  const row = drawFrom(layer, pick(files[layer]));
  if (row) drawn.set(row.file + row.find + row.replace, row);
}
const rows = [...drawn.values()].map(({ layer, ...row }, i) => ({ id: `drawn-${seed}-${i + 1}`, layer, ...row }));
console.log(JSON.stringify(rows, undefined, 2));

function drawFrom(layer, file) {
  const text = readFileSync(file, 'utf8');
  const lines = text.split('\n');
  const code = withoutComments(text).split('\n');
  const places = {};
  code.forEach((line, number) => {
    for (const [kind, find] of Object.entries(KINDS))
      for (const place of find(line)) {
        places[kind] ??= [];
        places[kind].push({ number, place });
      }
  });
  if (Object.keys(places).length === 0) return undefined;
  const kind = pick(Object.keys(places));
  const { number, place } = pick(places[kind]);
  const broken = lines[number].slice(0, place[0]) + place[2] + lines[number].slice(place[1]);
  // As many lines before it as make the text the only one of its kind in the file.
  for (let first = number; first >= 0; first--) {
    const before = lines
      .slice(first, number)
      .map((line) => `${line}\n`)
      .join('');
    const find = before + lines[number];
    if (text.split(find).length === 2) return { layer, file, kind, find, replace: before + broken };
  }
  return undefined;
}

/** The text with comments and quoted strings crossed out, of the same length. */
function withoutComments(text) {
  const blank = (match) => match.replace(/[^\n]/g, '_');
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|^import .*$|^#.*$/gm, blank);
}

function swaps(line, pattern, other) {
  return Array.from(line.matchAll(pattern), ({ index, 1: word }) => [index + 1, index + 1 + word.length, other[word]]);
}

/** The arguments of a call whose bracket opens before `start`, with the place behind its end; undefined when it ends elsewhere. */
function argumentsFrom(line, start) {
  const list = [];
  let [depth, from] = [0, start];
  for (let i = start; i < line.length; i++) {
    if ('([{'.includes(line[i])) depth++;
    if (depth === 0 && (line[i] === ',' || line[i] === ')')) {
      list.push(line.slice(from, i).trim());
      if (line[i] === ')') return { list, end: i + 1 };
      from = i + 1;
    }
    if (')]}'.includes(line[i])) depth--;
  }
  return undefined;
}

/** Random numbers in [0, 1): Tommy Ettinger's mulberry32, public domain. */
function mulberry32(state) {
  let a = state;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
