// What `npm pack` does first: clears compiled files whose source is gone out of dist/lib and makes the prebuilt addons.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
for (const path of readdirSync(join(root, 'dist/lib'), { recursive: true, encoding: 'utf8' })) {
  const source = path.replace(/(\.d\.ts|\.js|\.js\.map)$/, '.ts');
  if (source !== path && !existsSync(join(root, 'lib', source))) rmSync(join(root, 'dist/lib', path));
}
const { status } = spawnSync(process.execPath, [join(root, 'deploy/build/native.mjs'), 'prebuilds'], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
