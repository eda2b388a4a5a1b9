const base = require('../../jest.config.js');

/** The tests that need the virtual board, one after the other: two emulated processors keep two cores busy. */
module.exports = {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/board'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 1,
  testTimeout: 1_200_000,
};
