const { basename } = require('node:path');
const { readFileSync, statSync } = require('node:fs');

/**
 * Order of the tests that are asked about a break of the file HONE_BROKEN: the test of its name, tests that import it, others of
 * its part (HONE_PART: folders, one after the other), the rest; small files first. With --bail most breaks are found within seconds.
 */
module.exports = class NearestFirst {
  sort(tests) {
    const name = basename(process.env.HONE_BROKEN).replace(/\.\w+$/, '');
    const parts = process.env.HONE_PART.split(' ');
    const distance = (path) => {
      if (basename(path) === `${name}.test.ts`) return 0;
      if (readFileSync(path, 'utf8').includes(`/${name}'`)) return 1;
      const part = parts.findIndex((folder) => path.includes(`/${folder}/`));
      return 2 + (part < 0 ? parts.length : part);
    };
    return tests
      .map((test) => ({ test, distance: distance(test.path), bytes: statSync(test.path).size }))
      .sort((a, b) => a.distance - b.distance || a.bytes - b.bytes)
      .map(({ test }) => test);
  }

  /** Jest keeps times of tests for its own order; this one needs none. */
  cacheResults() {}
};
