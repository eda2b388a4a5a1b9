// Addon and C API for ARM boards: cross build, oldest C library that they need, and one inference under emulation: by real arm64
// Node, and by the C example.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { qemuCommand } from '../../deploy/build/qemu.mjs';
import { nodeBinary } from './node-binary.mjs';

const NODE_VERSION = '20.20.2';

run(process.execPath, ['deploy/build/native.mjs', 'arm64']);
const addon = resolve('build/linux-arm64/Release/hone.node');
if (!existsSync(addon)) throw new Error(`${addon} was not built`);

const node = nodeBinary('arm64', NODE_VERSION);
const plans = 'out/gates/plans';
if (!existsSync(plans)) run(process.execPath, ['dist/test/compile/write-sample-plans.js', plans]);

const script = `
const { openSession } = require(${JSON.stringify(resolve('dist/lib/engine/session.js'))});
const session = openSession(${JSON.stringify(resolve(plans, 'sample-int8.plan'))});
const x = Float32Array.from({ length: session.inputs[0].length }, (_, i) => Math.fround((((i * 37) % 101) - 50) / 25));
const y = session.run({ [session.inputs[0].name]: x })[session.outputs[0].name];
console.log(JSON.stringify({ cpu: session.cpu, x: Array.from(x), y: Array.from(y) }));
`;
const here = JSON.parse(output([process.execPath, '-e', script]));

// The C API: the example here and there, on the same elements.
const image = resolve('out/gates/image.raw');
writeFileSync(image, new Uint8Array(Float32Array.from(here.x).buffer));
const words = [resolve(plans, 'sample-int8.plan'), image];
const printed = output([example('cc', `build/linux-${process.arch}`), ...words]);
const program = example('aarch64-linux-gnu-gcc', 'build/linux-arm64');
for (const cpu of ['cortex-a53', 'cortex-a76']) {
  const there = JSON.parse(output([...qemuCommand(cpu), node, '-e', script]));
  if (JSON.stringify(here.y) !== JSON.stringify(there.y)) {
    console.error(`outputs differ: ${process.arch} (${here.cpu}) ${here.y}\n${cpu} (${there.cpu}) ${there.y}`);
    process.exit(1);
  }
  console.log(
    `ok ${cpu}: arm64 Node runs the addon with ${there.cpu}; outputs equal those of ${process.arch} (${here.cpu})`,
  );
  const fromC = output([...qemuCommand(cpu), program, ...words]);
  if (fromC !== printed) {
    console.error(`the C example differs: ${printed}\n${cpu}: ${fromC}`);
    process.exit(1);
  }
  console.log(`ok ${cpu}: the C example prints what it prints here: ${printed}`);
}

/** Compiles native/capi/example.c against the libhone.so of a build; returns the program. */
function example(compiler, build) {
  const path = resolve(`out/gates/example-${compiler}`);
  const library = resolve(build, 'Release/libhone.so');
  const flags = ['-std=c99', '-O1', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-Inative/capi'];
  run(compiler, [...flags, 'native/capi/example.c', library, `-Wl,-rpath,${resolve(build, 'Release')}`, '-o', path]);
  return path;
}

function output([command, ...args]) {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command}: ${result.error?.message ?? result.stderr}`);
  return result.stdout.trim().split('\n').at(-1);
}

function run(command, args) {
  if (spawnSync(command, args, { stdio: 'inherit' }).status !== 0) process.exit(1);
}
