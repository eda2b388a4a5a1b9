/**
 * Properties draw the same cases in every run of the tests, so that red and green mean the change at hand; HONE_PROPERTY_SEED and
 * HONE_PROPERTY_RUNS (cases per property) draw others. `npm run nightly` does.
 */
const fc = require('fast-check');

const { HONE_PROPERTY_SEED: seed = '1', HONE_PROPERTY_RUNS: runs = '100' } = process.env;
fc.configureGlobal({ seed: Number(seed), numRuns: Number(runs) });
