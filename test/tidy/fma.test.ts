import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './sources';

/**
 * Built objects of the kernels that round each operation; the ARM tree exists after a cross build, and a gate that runs behind it asks for both
 * (`HONE_REQUIRE_BUILDS`).
 */
const TREES = [
  {
    build: `build/${process.platform}-${process.arch}`,
    objdump: 'objdump',
    banned: /\bv?fn?m(add|sub)(132|213|231)?[ps][sd]\b/,
  },
  { build: 'build/arm64', objdump: 'aarch64-linux-gnu-objdump', banned: /\b(fmla|fmls|fmadd|fmsub|fnmadd|fnmsub)\b/ },
];

describe.each(TREES)('kernels of $build that round each operation', ({ build, objdump, banned }) => {
  const folder = join(ROOT, build, 'CMakeFiles/hone_engine.dir/native/kernels');
  const run = existsSync(folder) || process.env.HONE_REQUIRE_BUILDS === '1' ? test : test.skip;

  run('hold no fused multiply-add', () => {
    const objects = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      /(_s8|softmax_f32|unary_f32|reduce_f32|normalize_f32)_\w+\.cc\.o$/.test(path),
    );
    expect(objects.length).toBeGreaterThan(10);
    const guilty = objects.filter((path) =>
      banned.test(
        execFileSync(objdump, ['-d', '--no-show-raw-insn', join(folder, path)], {
          encoding: 'utf8',
          maxBuffer: 1 << 28,
        }),
      ),
    );
    expect(guilty).toEqual([]);
  });
});
