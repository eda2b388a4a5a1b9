// Makes one JavaScript file of the agent, as it is put on a board:  node deploy/build/agent.mjs  ->  dist/agent/hone-agent.js
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const outfile = join(root, 'dist/agent/hone-agent.js');
const { version, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** Packages whose code may be in it: THIRD_PARTY_NOTICES.md has their licences. */
const BUNDLED = ['zod'];
/** It goes over slow links: more than so many bytes is a mistake. */
const LIMIT_BYTES = 700e3;

/** Of the messages of zod in forty languages one is enough. */
const oneLanguage = {
  name: 'one-language',
  setup({ onLoad }) {
    onLoad({ filter: /zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['lib/agent/hone-agent.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20.15',
  format: 'cjs',
  // Names stay: a report from a board shall tell where it was.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  metafile: true,
  plugins: [oneLanguage],
  logLevel: 'error',
  define: { HONE_BUNDLE: JSON.stringify({ version }) },
  banner: {
    js: [
      '#!/usr/bin/env node',
      `// The agent of Hone ${version}, Apache-2.0, with ${BUNDLED.map((name) => `${name} ${dependencies[name]}`).join(', ')} (MIT).`,
    ].join('\n'),
  },
});
const packages = new Set(
  Object.keys(metafile.inputs).flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []),
);
const bytes = statSync(outfile).size;
const [stranger] = [...packages].filter((name) => !BUNDLED.includes(name));
if (stranger !== undefined || bytes > LIMIT_BYTES) {
  console.error(
    stranger === undefined
      ? `agent: ${outfile} takes ${bytes} bytes; at most ${LIMIT_BYTES} were meant`
      : `agent: ${stranger} would be bundled, of which THIRD_PARTY_NOTICES.md says nothing`,
  );
  process.exit(1);
}
console.log(`agent: ${outfile}, ${(bytes / 1e3).toFixed(0)} kB`);
