import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readAgentImage } from '../../lib/boards/agent-image';
import { version } from '../../lib/engine/version';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hone-image-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const put = (path: string, text: string) => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

test('the image is the script and the addon of the platform, with their digests', async () => {
  put('dist/agent/hone-agent.js', 'script');
  put('prebuilds/linux-arm64/hone.node', 'arm');
  put('prebuilds/linux-x64/hone.node', 'intel');
  const image = await readAgentImage('linux-arm64', root);
  expect(image).toEqual({
    version: version(),
    platform: 'linux-arm64',
    files: [
      { path: 'hone-agent.js', mode: 0o755, sha256: sha256('script'), bytes: Buffer.from('script') },
      { path: 'hone.node', mode: 0o644, sha256: sha256('arm'), bytes: Buffer.from('arm') },
    ],
  });
});

test('what was built in a clone comes before what the package holds', async () => {
  put('dist/agent/hone-agent.js', 'script');
  put('prebuilds/linux-arm64/hone.node', 'old');
  put('build/linux-arm64/Release/hone.node', 'new');
  const { files } = await readAgentImage('linux-arm64', root);
  expect(files[1].sha256).toBe(sha256('new'));
});

test.each([
  ['linux-arm64', 'dist/agent/hone-agent.js', /native\.mjs (arm64|host)/],
  ['linux-x64', 'prebuilds/linux-x64/hone.node', /npm run build/],
] as const)('where something of %s is missing the command that makes it is told', async (platform, there, command) => {
  put(there, 'x');
  await expect(readAgentImage(platform, root)).rejects.toMatchObject({
    code: 'E_AGENT_IMAGE',
    hint: expect.stringMatching(command),
  });
});
