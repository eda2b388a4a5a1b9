import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './sources';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const { dependencies, optionalDependencies, license } = JSON.parse(read('package.json'));
const names = Object.keys({ ...dependencies, ...optionalDependencies }).sort();

test('every package that is installed beside ours is noticed with its licence', () => {
  const { packages } = JSON.parse(read('package-lock.json'));
  const rows = [...read('THIRD_PARTY_NOTICES.md').matchAll(/^\| ([a-z][\w-]*) \| ([A-Z][\w.-]*) \|$/gm)];
  const noticed = Object.fromEntries(rows.map(([, name, licence]) => [name, licence]));
  expect(noticed).toEqual(Object.fromEntries(names.map((name) => [name, packages[`node_modules/${name}`].license])));
});

test('what is compiled into the addons is noticed with its text and version', () => {
  const notices = read('THIRD_PARTY_NOTICES.md');
  for (const name of ['node-addon-api', 'node-api-headers'])
    expect(notices).toContain(`**${name}** ${dependencies[name]}, MIT`);
  expect(notices.match(/Permission is hereby granted, free of charge/g)).toHaveLength(3);
});

test('what is bundled into the agent is noticed with its text and version', () => {
  const bundled = /^const BUNDLED = \['(.*)'\];$/m.exec(read('deploy/build/agent.mjs'))![1].split("', '");
  for (const name of bundled)
    expect(read('THIRD_PARTY_NOTICES.md')).toContain(`code of **${name}** ${dependencies[name]}, MIT`);
});

test('the licence is the one that package.json names', () => {
  expect(license).toBe('Apache-2.0');
  expect(read('LICENSE')).toMatch(/Apache License\s+Version 2\.0, January 2004/);
});
