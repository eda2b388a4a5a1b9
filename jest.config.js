/** Jest runs the TypeScript sources through swc; end-to-end tests use the compiled dist/. */
module.exports = {
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  setupFiles: ['<rootDir>/test/property-seed.js'],
  testEnvironment: '<rootDir>/test/environment.js',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  // They need the virtual board: `npm run test:board`.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/board/'],
  maxWorkers: '100%',
  testTimeout: 60000,
};
