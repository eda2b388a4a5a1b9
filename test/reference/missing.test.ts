import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphBuilder } from '../../lib/ir/builder';
import { installCommand, RUNTIME } from '../../lib/reference/runtime';
import { openReference } from '../../lib/reference/session';
import { ROOT } from '../tidy/sources';

jest.mock('onnxruntime-node', () => {
  throw new Error("Cannot find module 'onnxruntime-node'\nRequire stack: ...");
});

test('without the optional package there is a clear error, and only on use', async () => {
  const builder = new GraphBuilder();
  builder.output(builder.input('x', 'float32', [1]));
  await expect(openReference(builder.build())).rejects.toMatchObject({
    code: 'E_REFERENCE_MISSING',
    message: "onnxruntime-node is not installed: Cannot find module 'onnxruntime-node'",
    hint: `Run \`npm install --no-save --ignore-scripts ${RUNTIME}\`.`,
  });
});

test('the version named is that of the package', () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(RUNTIME).toBe(`onnxruntime-node@${optionalDependencies['onnxruntime-node']}`);
});

describe('the command installs where the package looks', () => {
  const root = mkdtempSync(join(tmpdir(), 'hone missing-'));
  afterAll(() => rmSync(root, { recursive: true }));
  const inner = 'node_modules/@hone-edge/hone/dist/lib/reference';
  const project = join(root, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{}');

  test.each([
    ['in the project', join(project, inner), project, ''],
    ['below the project', join(project, inner), join(project, 'models'), ''],
    ['elsewhere', join(project, inner), root, `--prefix ${JSON.stringify(project)} `],
    [
      'in a folder whose name begins alike',
      join(project, inner),
      `${project}s`,
      `--prefix ${JSON.stringify(project)} `,
    ],
    ['by a global package', join(root, 'lib', inner), project, '--global '],
    ['in a clone', join(root, 'clone/dist/lib/reference'), root, '--no-save '],
  ])('%s', (_name, folder, workingFolder, options) => {
    expect(installCommand(folder, workingFolder)).toBe(`npm install ${options}--ignore-scripts ${RUNTIME}`);
  });
});
